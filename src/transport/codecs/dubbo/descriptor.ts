const array = 0x5b;
const objectType = 0x4c;
const semicolon = 0x3b;
const primitives = new Uint8Array(256);
for (const letter of 'BCDFIJSVZ') primitives[letter.charCodeAt(0)] = 1;

/**
 * Parameters in a JVM descriptor such as `Ljava/lang/String;I[B` (JVMS §4.3.2).
 * @returns -1 when it is none
 */
export function countParameters(buf: Buffer, at: number, end: number): number {
  let count = 0;
  while (at < end) {
    const byte = buf[at++] as number;
    if (byte === array) {
      if (at === end) return -1;
      continue;
    }
    if (byte === objectType) {
      const first = at;
      while (at < end && buf[at] !== semicolon) at++;
      if (at === end || at === first) return -1;
      at++;
    } else if (primitives[byte] !== 1) return -1;
    count++;
  }
  return count;
}
