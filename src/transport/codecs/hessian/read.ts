import { type HessianDialect, Shape } from './dialect.ts';
import { HessianProblem } from './problems.ts';
import { decodeText, skipText } from './text.ts';

/** What `readInt` returns when there is no int: no int32 is. */
export const noInt = -2_147_483_649;

/** Bytes of the int whose tag is `tag`, the tag included; 0 when it begins no int. */
export function intBytes(tag: number): number {
  if (tag >= 0x80 && tag <= 0xbf) return 1;
  if (tag >= 0xc0 && tag <= 0xcf) return 2;
  if (tag >= 0xd0 && tag <= 0xd7) return 3;
  return tag === 0x49 ? 5 : 0;
}

/** The int at `at`, the same in both dialects; `noInt` when none is there or it is cut off. */
export function readInt(buf: Buffer, at: number, end: number): number {
  if (at >= end) return noInt;
  const tag = buf[at] as number;
  switch (intBytes(tag)) {
    case 1:
      return tag - 0x90;
    case 2:
      return at + 2 > end ? noInt : ((tag - 0xc8) << 8) + (buf[at + 1] as number);
    case 3:
      return at + 3 > end ? noInt : ((tag - 0xd4) << 16) + buf.readUInt16BE(at + 1);
    case 5:
      return at + 5 > end ? noInt : buf.readInt32BE(at + 1);
    default:
      return noInt;
  }
}

/** Where the text of a string stands. Made once, filled by `locateString`. */
export class HessianText {
  /** Bytes of the text. Not contiguous when `isChunked`: chunk headers stand in between. */
  start = 0;
  end = 0;
  isNull = false;
  isChunked = false;

  /** The text; "" for null. */
  read(dialect: HessianDialect, buf: Buffer): string {
    if (this.isNull) return '';
    return this.isChunked ? joinChunks(dialect, buf, this.start) : decodeText(buf, this.start, this.end);
  }
}

/**
 * Finds the string or null at `at`.
 * @returns the offset behind it, or a HessianProblem
 */
export function locateString(
  dialect: HessianDialect,
  buf: Buffer,
  at: number,
  end: number,
  out: HessianText,
): number {
  out.isNull = out.isChunked = false;
  const tag = at < end ? (buf[at] as number) : -1;
  // Nearly all names and values are short.
  if (tag >= 0 && tag < 0x20) {
    out.start = at + 1;
    out.end = skipText(buf, at + 1, end, tag);
    return out.end;
  }
  if (tag === 0x4e) {
    out.isNull = true;
    out.start = out.end = at + 1;
    return at + 1;
  }
  const first = stringLength(dialect, buf, at, end);
  if (first < 0) return first;
  if (dialect.shape[tag] !== Shape.stringChunk) {
    out.start = at + lengthBytes(dialect, tag);
    out.end = skipText(buf, out.start, end, first);
    return out.end;
  }
  out.isChunked = true;
  out.start = at;
  out.end = skipString(dialect, buf, at, end);
  return out.end;
}

/**
 * The offset behind the string at `at`, all its chunks, or a HessianProblem.
 * @param maxBytes of all chunks together
 */
export function skipString(
  dialect: HessianDialect,
  buf: Buffer,
  at: number,
  end: number,
  maxBytes: number = Number.POSITIVE_INFINITY,
): number {
  const start = at;
  for (;;) {
    const units = stringLength(dialect, buf, at, end);
    if (units < 0) return units;
    const tag = buf[at] as number;
    at = skipText(buf, at + lengthBytes(dialect, tag), end, units);
    if (at < 0) return at;
    if (at - start > maxBytes) return HessianProblem.tooLong;
    if (dialect.shape[tag] !== Shape.stringChunk) return at;
  }
}

/**
 * Skips `count` values that are null, booleans, numbers, dates or strings: those refer to nothing and need no skipper.
 * @returns the offset behind them, or -1 when one is something else or wrong
 */
export function skipScalars(
  dialect: HessianDialect,
  buf: Buffer,
  at: number,
  end: number,
  count: number,
): number {
  for (; count > 0; count--) {
    if (at < 0 || at >= end) return -1;
    const tag = buf[at] as number;
    const shape = dialect.shape[tag] as number;
    if (shape === Shape.fixed) at += 1 + (dialect.extra[tag] as number);
    else if (shape > Shape.fixed && shape <= Shape.finalString) at = skipString(dialect, buf, at, end);
    else return -1;
  }
  return at <= end ? at : -1;
}

/** UTF-16 units of the string chunk at `at`, or a HessianProblem. */
function stringLength(dialect: HessianDialect, buf: Buffer, at: number, end: number): number {
  if (at >= end) return HessianProblem.truncated;
  const tag = buf[at] as number;
  switch (dialect.shape[tag]) {
    case Shape.shortString:
      return tag;
    case Shape.mediumString:
      return at + 2 > end ? HessianProblem.truncated : ((tag - 0x30) << 8) | (buf[at + 1] as number);
    case Shape.stringChunk:
    case Shape.finalString:
      return at + 3 > end ? HessianProblem.truncated : buf.readUInt16BE(at + 1);
    default:
      return HessianProblem.badTag;
  }
}

function lengthBytes(dialect: HessianDialect, tag: number): number {
  const shape = dialect.shape[tag];
  if (shape === Shape.shortString) return 1;
  return shape === Shape.mediumString ? 2 : 3;
}

function joinChunks(dialect: HessianDialect, buf: Buffer, at: number): string {
  let text = '';
  for (;;) {
    const tag = buf[at] as number;
    const start = at + lengthBytes(dialect, tag);
    at = skipText(buf, start, buf.length, stringLength(dialect, buf, at, buf.length));
    text += decodeText(buf, start, at);
    if (dialect.shape[tag] !== Shape.stringChunk) return text;
  }
}
