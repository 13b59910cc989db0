import type { HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { FieldFlags, Policy } from './limits.ts';
import { Refusal } from './refusals.ts';
import { isHost } from './target.ts';

/** For each length the first letters of the names in `noteField`, as bits: other fields are passed over by one look. */
const firstLetters = new Int32Array(32);
for (const name of [
  'te',
  'host',
  'proxy',
  'expect',
  'upgrade',
  'connection',
  'keep-alive',
  'content-length',
  'http2-settings',
  'proxy-connection',
  'transfer-encoding',
  'proxy-authenticate',
  'proxy-authorization',
]) {
  firstLetters[name.length] = (firstLetters[name.length] as number) | (1 << (name.charCodeAt(0) & 31));
}
/** More than 2^53 cannot be counted, and no body is that long. */
const maxLengthDigits = 15;
const maxConnectionTokens = 32;

/** May a name of that length and first byte be one that `noteField` looks for? */
export function isNotable(length: number, firstByte: number): boolean {
  return length < 32 && ((firstLetters[length] as number) & (1 << (firstByte & 31))) !== 0;
}

/**
 * Is it `lowerName`, whose length the caller knows to be right? The bytes are of a token or a value that was scanned,
 * so setting bit 5 makes nothing else look like a letter, a digit or "-".
 */
export function isName(buf: Buffer, at: number, lowerName: string): boolean {
  for (let i = 0; i < lowerName.length; i++) {
    if (((buf[at + i] as number) | 32) !== lowerName.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Takes note of the fields that frame the message or belong to this hop only (RFC 9110 §7.6.1). The latter are
 * removed from the head here, so that neither filters nor the next hop see them.
 * @param n offset of the field in `head.fields`
 * @returns the flags with what this field adds, or a Refusal
 */
export function noteField(
  head: HeadView,
  buf: Buffer,
  n: number,
  length: number,
  flags: number,
  policy: number,
): number {
  if ((policy & Policy.trailers) !== 0) return flags;
  const at = head.fields[n] as number;
  switch ((length << 8) | (buf[at] as number) | 32) {
    case (4 << 8) | 104:
      return isName(buf, at, 'host') ? noteHost(head, buf, n, flags, policy) : flags;
    case (14 << 8) | 99:
      return isName(buf, at, 'content-length') ? noteLength(head, buf, n, flags) : flags;
    case (17 << 8) | 116:
      return isName(buf, at, 'transfer-encoding') ? noteEncoding(head, buf, n, flags) : flags;
    case (10 << 8) | 99:
      return isName(buf, at, 'connection') ? noteConnection(head, buf, n, flags) : flags;
    case (6 << 8) | 101:
      if (isName(buf, at, 'expect')) noteExpect(head, buf, n);
      return flags;
    case (7 << 8) | 117:
      if (!isName(buf, at, 'upgrade')) return flags;
      head.upgrade = appended(head.upgrade, latin1(buf, valueStart(head, n), valueEnd(head, n)));
      return removed(head, n, flags);
    case (10 << 8) | 107:
      return isName(buf, at, 'keep-alive') ? removed(head, n, flags) : flags;
    case (2 << 8) | 116:
      return isName(buf, at, 'te') ? removed(head, n, flags) : flags;
    case (14 << 8) | 104:
      return isName(buf, at, 'http2-settings') ? removed(head, n, flags) : flags;
    case (5 << 8) | 112:
      // CGI turns it into HTTP_PROXY (httpoxy, CVE-2016-5385).
      return isName(buf, at, 'proxy') ? removed(head, n, flags) : flags;
    case (16 << 8) | 112:
      return isName(buf, at, 'proxy-connection') ? removed(head, n, flags) : flags;
    case (18 << 8) | 112:
      return isName(buf, at, 'proxy-authenticate') ? removed(head, n, flags) : flags;
    case (19 << 8) | 112:
      return isName(buf, at, 'proxy-authorization') ? removed(head, n, flags) : flags;
    default:
      return flags;
  }
}

function removed(head: HeadView, n: number, flags: number): number {
  head.fields[n] = ~(head.fields[n] as number);
  head.removedCount++;
  return flags;
}

function valueStart(head: HeadView, n: number): number {
  return head.fields[n + 2] as number;
}

function valueEnd(head: HeadView, n: number): number {
  return head.fields[n + 3] as number;
}

function appended(list: string, more: string): string {
  return list === '' ? more : `${list}, ${more}`;
}

function noteHost(head: HeadView, buf: Buffer, n: number, flags: number, policy: number): number {
  if ((policy & Policy.response) !== 0) return flags;
  if ((flags & FieldFlags.host) !== 0) return Refusal.hostDuplicate;
  head.hostField = n;
  head.authorityStart = valueStart(head, n);
  head.authorityEnd = valueEnd(head, n);
  if (!isHost(buf, head.authorityStart, head.authorityEnd)) return Refusal.hostInvalid;
  return flags | FieldFlags.host;
}

function noteLength(head: HeadView, buf: Buffer, n: number, flags: number): number {
  if ((flags & FieldFlags.length) !== 0) return Refusal.lengthDuplicate;
  const value = parseDecimal(buf, valueStart(head, n), valueEnd(head, n));
  if (value < 0) return Refusal.lengthInvalid;
  head.contentLength = value;
  head.lengthField = n;
  return flags | FieldFlags.length;
}

/** The digits as a number; -1 when there is anything else, nothing, or too many. */
export function parseDecimal(buf: Buffer, start: number, end: number): number {
  if (start === end || end - start > maxLengthDigits) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (buf[at] as number) - 48;
    if (digit >>> 0 > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Exactly `chunked`, once (RFC 9112 §6.1): every other spelling has been a request-smuggling vector somewhere. */
function noteEncoding(head: HeadView, buf: Buffer, n: number, flags: number): number {
  if ((flags & FieldFlags.encoding) !== 0) return Refusal.encodingDuplicate;
  const start = valueStart(head, n);
  const end = valueEnd(head, n);
  if (end - start !== 7 || !isName(buf, start, 'chunked')) {
    return isOtherCoding(latin1(buf, start, end)) ? Refusal.encodingUnknown : Refusal.encodingInvalid;
  }
  head.chunked = true;
  return removed(head, n, flags | FieldFlags.encoding);
}

/** A well-formed list that ends a message properly or names one unknown coding: 501, not 400 (RFC 9112 §6.1). */
function isOtherCoding(value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*chunked)?$/i.test(value) && !/^chunked/i.test(value);
}

function noteExpect(head: HeadView, buf: Buffer, n: number): void {
  const start = valueStart(head, n);
  if (valueEnd(head, n) - start === 12 && isName(buf, start, '100-continue')) head.expectContinue = true;
}

/** RFC 9110 §7.6.1. */
function noteConnection(head: HeadView, buf: Buffer, n: number, flags: number): number {
  const end = valueEnd(head, n);
  const from = valueStart(head, n);
  // One token, nearly always: 40 ns less than the list.
  const only = connectionToken(buf, from, end - from);
  if (only !== FieldFlags.connectionOther) return removed(head, n, flags | only);
  let tokens = 0;
  for (let at = from; at < end; ) {
    const byte = buf[at] as number;
    if (byte === 44 || byte === 32 || byte === 9) {
      at++;
      continue;
    }
    const start = at;
    while (at < end && buf[at] !== 44 && buf[at] !== 32 && buf[at] !== 9) at++;
    if (++tokens > maxConnectionTokens) return Refusal.connectionTokens;
    flags |= connectionToken(buf, start, at - start);
  }
  return removed(head, n, flags);
}

function connectionToken(buf: Buffer, start: number, length: number): number {
  if (length === 10 && isName(buf, start, 'keep-alive')) return FieldFlags.connectionKeepAlive;
  if (length === 5 && isName(buf, start, 'close')) return FieldFlags.connectionClose;
  if (length === 7 && isName(buf, start, 'upgrade')) return FieldFlags.connectionUpgrade;
  return FieldFlags.connectionOther;
}
