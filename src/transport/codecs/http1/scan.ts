import type { HeadView } from '../../../core/base/head-view.ts';
import { tokenByte } from '../../../core/base/header-field.ts';
import type { ServerLimits } from '../../../core/contract/codec.ts';
import { stripNominated } from './connection-fields.ts';
import { scanFields } from './fields.ts';
import { FieldFlags, type HeadLimits, Policy } from './limits.ts';
import { internMethod } from './methods.ts';
import { Refusal } from './refusals.ts';
import { readTarget } from './target.ts';

const maxMethodBytes = 32;
/** `HTTP/1.1\r\n` */
const versionBytes = 10;

/**
 * Scans one request head (RFC 9112 §3, §5) out of `buf[start, end)` into a clean `head`. Strict: what two readers could
 * understand differently is refused.
 * @returns the offset behind the head, or a Refusal (`incomplete`: call again with more bytes)
 */
export function scanRequest(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  limits: ServerLimits,
  policy: number,
): number {
  head.buf = buf;
  head.start = start;
  head.lines = true;
  let at = start;
  // One empty line before a request is passed over (RFC 9112 §2.2).
  if (buf[at] === 13) {
    if (at + 1 === end) return Refusal.incomplete;
    if (buf[at + 1] !== 10) return Refusal.bareCr;
    at += 2;
  }
  head.methodStart = at;
  while (at < end && tokenByte[buf[at] as number] === 1) at++;
  if (at - head.methodStart > maxMethodBytes) return Refusal.methodTooLong;
  if (at >= end) return Refusal.incomplete;
  if (buf[at] !== 32 || at === head.methodStart)
    return at === head.methodStart ? badStart(buf[at] as number) : Refusal.requestLine;
  head.methodEnd = at++;
  head.pathStart = at;
  // Visible ASCII without "#": no CTL, no raw UTF-8, no fragment.
  while (at < end && ((buf[at] as number) - 33) >>> 0 < 94 && buf[at] !== 35) at++;
  head.pathEnd = at;
  if (at - head.pathStart > limits.maxUriBytes) return Refusal.uriTooLong;
  if (at >= end) return Refusal.incomplete;
  if (buf[at] !== 32) return badTarget(buf[at] as number);
  if (at === head.pathStart) return Refusal.requestLine;
  at++;
  if (end - at < versionBytes) return Refusal.incomplete;
  const version = readVersion(buf, at);
  if (version < 0) return version;
  head.minor = version;
  if (buf[at + 8] !== 13) return buf[at + 8] === 10 ? Refusal.bareLf : Refusal.version;
  if (buf[at + 9] !== 10) return Refusal.bareCr;
  head.firstEnd = at + versionBytes;
  const flags = scanFields(head, buf, head.firstEnd, end, limits, policy);
  if (flags < 0) return flags;
  if (head.end - start > limits.maxHeaderBytes) return Refusal.headersTooLarge;
  return judgeRequest(head, buf, flags);
}

function badStart(byte: number): number {
  if (byte === 32 || byte === 9) return Refusal.obsFold;
  return byte === 10 ? Refusal.bareLf : Refusal.method;
}

function badTarget(byte: number): number {
  return byte === 13 || byte === 10 ? Refusal.requestLine : Refusal.target;
}

/** The minor version, or a Refusal. Eight bytes are there. */
function readVersion(buf: Buffer, at: number): number {
  const isHttp =
    buf[at] === 72 && buf[at + 1] === 84 && buf[at + 2] === 84 && buf[at + 3] === 80 && buf[at + 4] === 47;
  const major = (buf[at + 5] as number) - 48;
  const minor = (buf[at + 7] as number) - 48;
  if (!isHttp || buf[at + 6] !== 46 || major >>> 0 > 9 || minor >>> 0 > 9) return Refusal.version;
  return major === 1 && minor <= 1 ? minor : Refusal.httpVersion;
}

/** The rules that need the whole head. Returns `head.end` or a Refusal. */
function judgeRequest(head: HeadView, buf: Buffer, flags: number): number {
  const method = internMethod(buf, head.methodStart, head.methodEnd);
  if (method === '') return Refusal.method;
  head.methodText = method;
  const hasHost = (flags & FieldFlags.host) !== 0;
  if (!hasHost && head.minor === 1) return Refusal.hostMissing;
  if (buf[head.pathStart] !== 47 || method === 'CONNECT') {
    const refusal = readTarget(head, buf, head.pathStart, head.pathEnd, hasHost);
    if (refusal !== 0) return refusal;
  }
  if ((flags & FieldFlags.encoding) !== 0) {
    if ((flags & FieldFlags.length) !== 0) return Refusal.lengthAndEncoding;
    if (head.minor === 0) return Refusal.encodingVersion;
  }
  const hasBody = head.chunked || head.contentLength > 0;
  judgeConnection(head, flags);
  if (method === 'CONNECT') {
    if (hasBody) return Refusal.connectBody;
    head.upgrade = 'connect';
  } else if (head.upgrade !== '') judgeUpgrade(head, hasBody);
  if (head.expectContinue && head.minor === 0) {
    // RFC 9110 §10.1.1: not from an HTTP/1.0 client, and we go on as HTTP/1.1.
    head.expectContinue = false;
    head.remove('expect');
  }
  return head.end;
}

function judgeConnection(head: HeadView, flags: number): void {
  const keepAlive = (flags & FieldFlags.connectionKeepAlive) !== 0;
  head.close = (flags & FieldFlags.connectionClose) !== 0 || (head.minor === 0 && !keepAlive);
  if ((flags & FieldFlags.connectionUpgrade) === 0) head.upgrade = '';
  if ((flags & FieldFlags.connectionOther) !== 0) stripNominated(head);
}

/**
 * `h2c` would start HTTP/2 behind our back (RFC 9113 §3.1 took it out), and `connect` is our word for CONNECT. A
 * request with a body is served without the upgrade, as RFC 9110 §7.8 allows.
 */
function judgeUpgrade(head: HeadView, hasBody: boolean): void {
  const value = head.upgrade.toLowerCase();
  head.upgrade = hasBody || head.minor === 0 || /(?:^|,)\s*(?:h2|connect)/.test(value) ? '' : value;
}

/**
 * Scans one response head as `scanRequest` does a request head.
 * @returns the offset behind the head, or a Refusal
 */
export function scanResponse(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): number {
  head.buf = buf;
  head.start = start;
  head.lines = true;
  // `HTTP/1.1 200` and what follows it.
  if (end - start < 13) return Refusal.incomplete;
  const version = readVersion(buf, start);
  if (version < 0) return version;
  head.minor = version;
  const hundreds = (buf[start + 9] as number) - 48;
  const tens = (buf[start + 10] as number) - 48;
  const ones = (buf[start + 11] as number) - 48;
  if (buf[start + 8] !== 32 || (hundreds - 1) >>> 0 > 8 || tens >>> 0 > 9 || ones >>> 0 > 9)
    return Refusal.statusLine;
  head.status = hundreds * 100 + tens * 10 + ones;
  let at = start + 12;
  if (buf[at] !== 32 && buf[at] !== 13) return Refusal.statusLine;
  while (at < end && ((buf[at] as number) >= 32 || buf[at] === 9) && buf[at] !== 127) at++;
  if (at + 1 >= end) return Refusal.incomplete;
  if (buf[at] !== 13 || buf[at + 1] !== 10) return Refusal.statusLine;
  head.firstEnd = at + 2;
  const flags = scanFields(head, buf, head.firstEnd, end, limits, Policy.response | Policy.allowObsText);
  if (flags < 0) return flags;
  if (head.end - start > limits.maxHeaderBytes) return Refusal.headersTooLarge;
  if ((flags & FieldFlags.encoding) !== 0) {
    if ((flags & FieldFlags.length) !== 0) return Refusal.lengthAndEncoding;
    if (head.minor === 0) return Refusal.encodingVersion;
  }
  judgeConnection(head, flags);
  return head.end;
}
