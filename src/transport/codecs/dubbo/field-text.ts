import { isUtf8 } from 'node:buffer';
import { copyBytes } from '../../../core/base/bytes.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { encodeText } from '../hessian/text.ts';

/** A string needs at most this many bytes: each of its bytes may become three, and three for the length. */
export function fieldRoom(length: number): number {
  return length * 3 + 3;
}

/**
 * Writes `from[start, end)`, the bytes of a header name or value, as a hessian string. Bytes beyond ASCII are UTF-8, as
 * in HTTP, else Latin-1.
 * @returns the offset behind it; the caller has made room
 */
export function writeField(target: Buffer, at: number, from: Buffer, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if ((from[i] as number) > 0x7f) return writeText(target, at, decode(from, start, end));
  }
  return copyBytes(from, start, end, target, writeLength(target, at, end - start));
}

/** Writes up to 65,535 units of text as a hessian string. */
function writeText(target: Buffer, at: number, text: string): number {
  return encodeText(target, writeLength(target, at, text.length), text, 0, text.length);
}

/** The text that header bytes stand for. */
export function decode(from: Buffer, start: number, end: number): string {
  const bytes = from.subarray(start, end);
  return isUtf8(bytes) ? bytes.toString('utf8') : latin1(from, start, end);
}

function writeLength(target: Buffer, at: number, units: number): number {
  if (units < 32) {
    target[at] = units;
    return at + 1;
  }
  if (units < 1024) {
    target[at] = 0x30 + (units >> 8);
    target[at + 1] = units & 255;
    return at + 2;
  }
  target[at] = 0x53;
  target.writeUInt16BE(units, at + 1);
  return at + 3;
}
