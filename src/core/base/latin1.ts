/** `latin1Slice` and `latin1Write` have been on every Buffer since Node 4, but not in the type declarations. */
interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
}

/** The bytes as a string, one character a byte. 76 ns for 14 bytes against 94 by `toString('latin1')`. */
export function latin1(buf: Buffer, start: number, end: number): string {
  return (buf as unknown as Latin1Buffer).latin1Slice(start, end);
}

/** Writes one byte a character; returns how many were written. */
export function writeLatin1(buf: Buffer, text: string, offset: number): number {
  return (buf as unknown as Latin1Buffer).latin1Write(text, offset);
}
