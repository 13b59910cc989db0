/** What `readVarint` returns when there is none. */
const noVarint = -1;

/** The unsigned 32-bit varint at `at`: at most five bytes; `noVarint` when it is cut off or too long. */
export function readVarint(buf: Buffer, at: number, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (at >= end) return noVarint;
    const byte = buf[at++] as number;
    if (shift === 28 && byte > 0x0f) return noVarint;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return noVarint;
}

/** The offset behind the varint at `at`, which was read before. */
export function skipVarint(buf: Buffer, at: number): number {
  while ((buf[at] as number) >= 0x80) at++;
  return at + 1;
}

export function varintBytes(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Returns the offset behind it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at] = rest;
  return at + 1;
}
