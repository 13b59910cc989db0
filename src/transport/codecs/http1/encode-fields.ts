import type { HeadView } from '../../../core/base/head-view.ts';
import { isToken } from '../../../core/base/header-field.ts';
import { copyBytes, writeDecimal, writeTarget, writeText } from './bytes.ts';
import { isName, parseDecimal } from './known-fields.ts';

/** Added fields take less room than this, nearly always. */
const wholeBytes = 1024;
const lengthLine = 'content-length: ';
const hostLine = 'host: ';

/** Bytes that `encodeFields` writes at most, without Host. */
export function fieldsBound(head: HeadView): number {
  let bytes = head.extraLength + 64;
  if (head.lines) return bytes + head.end - head.start;
  const fields = head.fields;
  for (let n = 0; n < head.count * 4; n += 4) {
    const start = fields[n] as number;
    bytes +=
      (fields[n + 1] as number) -
      (start < 0 ? ~start : start) +
      (fields[n + 3] as number) -
      (fields[n + 2] as number) +
      4;
  }
  return bytes;
}

/**
 * Writes all live fields and, for a request, exactly one Host: runs of wire lines that were kept leave in one copy
 * each, added fields in one copy more. Content-Length appears once and says `lengthBytes`, or not at all (-1),
 * whatever filters did to it.
 * @param runStart of bytes in front of the fields that leave with them, -1 for none
 */
export function encodeFields(
  head: HeadView,
  target: Buffer,
  at: number,
  lengthBytes: number,
  isRequest: boolean,
  runStart: number,
): number {
  if (!head.lines) return encodeForeign(head, target, at, lengthBytes, isRequest);
  const { lengthField, hostField } = head;
  const hasLength = lengthField >= 0 && lengthBytes >= 0 && saysLength(head, lengthField, lengthBytes);
  const hasHost = !isRequest || (hostField >= 0 && keepsHost(head, hostField));
  const dropLength = lengthField >= 0 && !hasLength;
  const dropHost = hostField >= 0 && !hasHost;
  if (head.removedCount === 0 && !dropLength && !dropHost) {
    at = encodeAll(head, target, at, runStart < 0 ? head.firstEnd : runStart);
  } else {
    at = encodeRuns(head, target, at, runStart, dropLength ? lengthField : -1, dropHost ? hostField : -1);
  }
  return encodeAdded(head, target, at, lengthBytes, hasLength, hasHost);
}

/**
 * Copies everything from `from` on. `set` of a whole array costs 12 ns where `copy` of a part costs 45: a request that
 * came alone in its buffer leaves that way, and the empty line behind its fields is written over.
 */
function encodeAll(head: HeadView, target: Buffer, at: number, from: number): number {
  const { buf, end } = head;
  if (from > 0 || end < buf.length || at + end > target.length)
    return copyBytes(buf, from, end - 2, target, at);
  target.set(buf, at);
  return at + end - 2;
}

/** Copies the runs between fields that were removed or are one of the two to leave out. */
function encodeRuns(
  head: HeadView,
  target: Buffer,
  at: number,
  runStart: number,
  out: number,
  alsoOut: number,
): number {
  const { fields, buf } = head;
  for (let n = 0; n < head.count * 4; n += 4) {
    const marked = fields[n] as number;
    if (marked >= 0 && n !== out && n !== alsoOut) {
      if (runStart < 0) runStart = marked;
    } else if (runStart >= 0) {
      at = copyBytes(buf, runStart, marked < 0 ? ~marked : marked, target, at);
      runStart = -1;
    }
  }
  return runStart < 0 ? at : copyBytes(buf, runStart, head.end - 2, target, at);
}

/** Is the field still there, with that value? */
function saysLength(head: HeadView, n: number, lengthBytes: number): boolean {
  const fields = head.fields;
  if ((fields[n] as number) < 0) return false;
  return parseDecimal(head.buf, fields[n + 2] as number, fields[n + 3] as number) === lengthBytes;
}

function keepsHost(head: HeadView, n: number): boolean {
  return (head.fields[n] as number) >= 0 && !head.authorityChanged && !hasExtra(head, 'host');
}

/** Host where the wire fields have none, the added fields, and Content-Length where none of them says it. */
function encodeAdded(
  head: HeadView,
  target: Buffer,
  at: number,
  lengthBytes: number,
  hasLength: boolean,
  hasHost: boolean,
): number {
  if (!hasHost && (head.authorityChanged || !hasExtra(head, 'host'))) at = writeHost(head, target, at);
  if (head.extraCount > 0) at = encodeExtra(head, target, at, head.authorityChanged);
  if (hasLength || lengthBytes < 0) return at;
  at = writeText(target, at, lengthLine);
  at = writeDecimal(target, at, lengthBytes);
  target[at++] = 13;
  target[at++] = 10;
  return at;
}

/** The same for a head of another protocol, field by field. */
function encodeForeign(
  head: HeadView,
  target: Buffer,
  at: number,
  lengthBytes: number,
  isRequest: boolean,
): number {
  const { fields, buf } = head;
  const dropHost = isRequest && (head.authorityChanged || hasExtra(head, 'host'));
  let hasLength = false;
  let hasHost = !isRequest;
  for (let n = 0; n < head.count * 4; n += 4) {
    const start = fields[n] as number;
    if (start < 0) continue;
    const length = (fields[n + 1] as number) - start;
    if (head.exactNames && !isSendable(buf, start, start + length)) continue;
    if (length === 14 && isName(buf, start, 'content-length')) {
      const value = parseDecimal(buf, fields[n + 2] as number, fields[n + 3] as number);
      if (hasLength || lengthBytes < 0 || value !== lengthBytes) continue;
      hasLength = true;
    } else if (isRequest && length === 4 && isName(buf, start, 'host')) {
      if (dropHost || hasHost) continue;
      hasHost = true;
    }
    at = writeField(buf, fields, n, target, at);
  }
  return encodeAdded(head, target, at, lengthBytes, hasLength, hasHost);
}

/** Names of RPC protocols are any text, and must neither end the line nor frame the message. */
function isSendable(buf: Buffer, start: number, end: number): boolean {
  if (!isToken(buf, start, end)) return false;
  for (const name of ownNames) {
    if (
      name.length === end - start &&
      name !== 'host' &&
      name !== 'content-length' &&
      isName(buf, start, name)
    )
      return false;
  }
  return true;
}

function writeHost(head: HeadView, target: Buffer, at: number): number {
  at = writeText(target, at, hostLine);
  if (head.authorityText !== null) at = writeTarget(target, at, head.authorityText);
  else at = copyBytes(head.buf, head.authorityStart, head.authorityEnd, target, at);
  target[at++] = 13;
  target[at++] = 10;
  return at;
}

function hasExtra(head: HeadView, lowerName: string): boolean {
  if (!head.isExtraMixed) return false;
  for (let n = 0; n < head.extraCount * 4; n += 4) if (isExtra(head, n, lowerName)) return true;
  return false;
}

function isExtra(head: HeadView, n: number, lowerName: string): boolean {
  const start = head.extraFields[n] as number;
  const isLength = (head.extraFields[n + 1] as number) - start === lowerName.length;
  return start >= 0 && isLength && isName(head.extra, start, lowerName);
}

/** Added fields: one copy, unless one was removed again or would frame the message. */
function encodeExtra(head: HeadView, target: Buffer, at: number, dropHost: boolean): number {
  if (!head.isExtraMixed) return encodeAllExtra(head, target, at);
  for (let n = 0; n < head.extraCount * 4; n += 4) {
    const start = head.extraFields[n] as number;
    if (start < 0 || isFraming(head, n, dropHost)) continue;
    at = copyBytes(head.extra, start, (head.extraFields[n + 3] as number) + 2, target, at);
  }
  return at;
}

/** As `encodeAll`: what stands behind the added fields is copied along and written over or left behind. */
function encodeAllExtra(head: HeadView, target: Buffer, at: number): number {
  const { extra, extraLength } = head;
  if (extra.length > wholeBytes || at + extra.length > target.length)
    return copyBytes(extra, 0, extraLength, target, at);
  target.set(extra, at);
  return at + extraLength;
}

/** Fields that only the codec writes. */
const ownNames = [
  'host',
  'upgrade',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
] as const;

function isFraming(head: HeadView, n: number, dropHost: boolean): boolean {
  const start = head.extraFields[n] as number;
  const length = (head.extraFields[n + 1] as number) - start;
  if (length !== 4 && length !== 7 && length !== 10 && length !== 14 && length !== 17) return false;
  for (const name of ownNames)
    if (name.length === length && isExtra(head, n, name)) return name !== 'host' || dropHost;
  return false;
}

/** A field of a head that is not in line form, from another protocol: bytes that could end the line become spaces. */
function writeField(buf: Buffer, fields: readonly number[], n: number, target: Buffer, at: number): number {
  at = copyBytes(buf, fields[n] as number, fields[n + 1] as number, target, at);
  target[at++] = 58;
  target[at++] = 32;
  for (let i = fields[n + 2] as number; i < (fields[n + 3] as number); i++) {
    const byte = buf[i] as number;
    target[at++] = byte === 13 || byte === 10 || byte === 0 ? 32 : byte;
  }
  target[at++] = 13;
  target[at++] = 10;
  return at;
}
