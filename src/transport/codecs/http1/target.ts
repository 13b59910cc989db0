import type { HeadView } from '../../../core/base/head-view.ts';
import { lowerByte } from '../../../core/base/header-field.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { Refusal } from './refusals.ts';

/** `uri-host` of RFC 3986 §3.2.2 with ":" and brackets, without "," (joined duplicates) and "@" (user information). */
const hostByte = new Uint8Array(256);
for (const each of "!$%&'()*+-.;=_~:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  hostByte[each.charCodeAt(0)] = 1;
}

/** May the bytes stand as a host with an optional port? Empty is allowed (RFC 9112 §3.2). */
export function isHost(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (hostByte[buf[at] as number] !== 1) return false;
  return true;
}

/**
 * Reads a target that does not begin with "/" (RFC 9112 §3.2): `*` with OPTIONS, `host:port` with CONNECT, or an
 * absolute http(s) URI, whose authority must be the Host header's. Sets path and, without a Host header, authority.
 * @returns 0 or a Refusal
 */
export function readTarget(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  hasHost: boolean,
): number {
  if (head.methodText === 'CONNECT') return readAuthorityForm(head, buf, start, end, hasHost);
  if (buf[start] === 42 && end - start === 1) return head.methodText === 'OPTIONS' ? 0 : Refusal.target;
  const hostStart = skipScheme(buf, start, end);
  if (hostStart < 0) return Refusal.target;
  let hostEnd = hostStart;
  while (hostEnd < end && buf[hostEnd] !== 47 && buf[hostEnd] !== 63) hostEnd++;
  if (hostEnd === hostStart || !isHost(buf, hostStart, hostEnd)) return Refusal.target;
  const refusal = takeAuthority(
    head,
    buf,
    hostStart,
    hostEnd,
    hasHost,
    hostStart - start === 8 ? ':443' : ':80',
  );
  if (refusal !== 0) return refusal;
  head.pathStart = hostEnd;
  head.pathEnd = end;
  // An absolute URI may have an empty path; the next hop gets origin-form (RFC 9112 §3.2.1, §3.2.4).
  if (hostEnd === end) head.path = head.methodText === 'OPTIONS' ? '*' : '/';
  else if (buf[hostEnd] === 63) head.path = `/${latin1(buf, hostEnd, end)}`;
  return 0;
}

function readAuthorityForm(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  hasHost: boolean,
): number {
  let colon = end - 1;
  while (colon > start && buf[colon] !== 58) colon--;
  if (colon === start || colon === end - 1 || !isHost(buf, start, end)) return Refusal.target;
  for (let at = colon + 1; at < end; at++) if (((buf[at] as number) - 48) >>> 0 > 9) return Refusal.target;
  head.pathStart = head.pathEnd = end;
  const refusal = takeAuthority(head, buf, start, end, hasHost, '');
  // The target counts here, port included; the Host header may lack it.
  head.authorityStart = start;
  head.authorityEnd = end;
  return refusal;
}

/** The offset behind "http://" or "https://", -1 when it is neither. */
function skipScheme(buf: Buffer, start: number, end: number): number {
  const scheme = 'https';
  let at = start;
  while (at < end && at - start < 5 && lowerByte[buf[at] as number] === scheme.charCodeAt(at - start)) at++;
  if (at - start < 4 || at + 3 > end) return -1;
  return buf[at] === 58 && buf[at + 1] === 47 && buf[at + 2] === 47 ? at + 3 : -1;
}

/** Both name the same host, in any case, with or without the default port. */
function takeAuthority(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  hasHost: boolean,
  defaultPort: string,
): number {
  if (!hasHost) {
    head.authorityStart = start;
    head.authorityEnd = end;
    return 0;
  }
  const target = latin1(buf, start, end).toLowerCase();
  const host = latin1(buf, head.authorityStart, head.authorityEnd).toLowerCase();
  const isSame = target === host || target === host + defaultPort || host === target + defaultPort;
  const isWithoutPort = defaultPort === '' && target.startsWith(`${host}:`);
  return isSame || isWithoutPort ? 0 : Refusal.hostMismatch;
}
