/** RFC 7541 §5.1. Integers above this are refused: no length or index here is that large. */
const largest = 2 ** 28;

/** An integer as it was read: its value, and the offset behind it. */
export interface IntegerCursor {
  value: number;
  at: number;
}

/** Continues an integer whose prefix was all ones. Sets `cursor.at` to -1 when it is cut off or too large. */
export function readRest(cursor: IntegerCursor, buf: Buffer, at: number, end: number, prefix: number): void {
  let value = prefix;
  let scale = 1;
  while (at < end) {
    const byte = buf[at++] as number;
    value += (byte & 127) * scale;
    if (value > largest || scale > largest) break;
    if (byte < 128) {
      cursor.value = value;
      cursor.at = at;
      return;
    }
    scale *= 128;
  }
  cursor.at = -1;
}

/** Writes an integer with a prefix of `bits`, `first` holding the bits above it; returns the offset behind it. */
export function writeInteger(target: Buffer, at: number, value: number, bits: number, first: number): number {
  const limit = (1 << bits) - 1;
  if (value < limit) {
    target[at] = first | value;
    return at + 1;
  }
  target[at++] = first | limit;
  for (value -= limit; value > 127; value = Math.floor(value / 128)) target[at++] = (value & 127) | 128;
  target[at++] = value;
  return at;
}
