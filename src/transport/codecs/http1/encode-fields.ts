import type { HeadView } from '../../../core/base/head-view.ts';
import { copyBytes, writeDecimal, writeTarget, writeText } from './bytes.ts';
import { isName, parseDecimal } from './known-fields.ts';

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
 */
export function encodeFields(
  head: HeadView,
  target: Buffer,
  at: number,
  lengthBytes: number,
  isRequest: boolean,
): number {
  const hostFromExtra = isRequest && !head.authorityChanged && hasExtra(head, 'host');
  const dropHost = isRequest && (head.authorityChanged || hostFromExtra);
  if (isRequest && head.authorityChanged) at = writeHost(head, target, at);
  const fields = head.fields;
  const buf = head.buf;
  const last = head.count * 4;
  let hasLength = false;
  let hasHost = !isRequest || dropHost;
  let runStart = -1;
  for (let n = 0; n < last; n += 4) {
    const start = fields[n] as number;
    let keeps = start >= 0;
    if (keeps) {
      const length = (fields[n + 1] as number) - start;
      if (length === 14 && isName(buf, start, 'content-length')) {
        keeps =
          !hasLength &&
          lengthBytes >= 0 &&
          parseDecimal(buf, fields[n + 2] as number, fields[n + 3] as number) === lengthBytes;
        hasLength ||= keeps;
      } else if (length === 4 && isRequest && isName(buf, start, 'host')) {
        keeps = !dropHost;
        hasHost ||= keeps;
      }
    }
    if (!head.lines) {
      if (keeps) at = writeField(head.buf, fields, n, target, at);
    } else if (!keeps) {
      if (runStart >= 0) at = copyBytes(buf, runStart, start < 0 ? ~start : start, target, at);
      runStart = -1;
    } else if (runStart < 0) runStart = start;
  }
  if (runStart >= 0) at = copyBytes(buf, runStart, head.end - 2, target, at);
  if (!hasHost) at = writeHost(head, target, at);
  if (head.extraCount > 0) at = encodeExtra(head, target, at, head.authorityChanged);
  if (hasLength || lengthBytes < 0) return at;
  at = writeText(target, at, lengthLine);
  at = writeDecimal(target, at, lengthBytes);
  target[at++] = 13;
  target[at++] = 10;
  return at;
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
  let isWhole = true;
  for (let n = 0; n < head.extraCount * 4 && isWhole; n += 4) {
    isWhole = (head.extraFields[n] as number) >= 0 && !isFraming(head, n, dropHost);
  }
  if (isWhole) return copyBytes(head.extra, 0, head.extraLength, target, at);
  for (let n = 0; n < head.extraCount * 4; n += 4) {
    const start = head.extraFields[n] as number;
    if (start < 0 || isFraming(head, n, dropHost)) continue;
    at = copyBytes(head.extra, start, (head.extraFields[n + 3] as number) + 2, target, at);
  }
  return at;
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
