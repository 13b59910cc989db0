import type { HeadView } from '../../../core/base/head-view.ts';
import { tokenByte } from '../../../core/base/header-field.ts';
import type { TextCache } from '../../../core/base/text-cache.ts';
import { isHost } from '../http1/target.ts';
import type { Http2Config } from './config.ts';
import { FieldKind } from './field-kind.ts';
import { type HeadAssembly, HeadFault, malformedFaults } from './head-assembly.ts';

/** What becomes of a request head: taken, reset as malformed, or answered with a status. */
export const Verdict = {
  take: 0,
  malformed: 1,
  badRequest: 400,
  uriTooLong: 414,
  headersTooLarge: 431,
} as const;

const methodBit = 1 << FieldKind.method;
const schemeBit = 1 << FieldKind.scheme;
const pathBit = 1 << FieldKind.path;
const authorityBit = 1 << FieldKind.authority;
const statusBit = 1 << FieldKind.status;
const protocolBit = 1 << FieldKind.protocol;
const longestMethod = 32;
const methods: readonly string[] = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'];

/** What the judge needs beside the head. */
export interface RequestRules {
  readonly texts: TextCache;
  readonly config: Http2Config;
  readonly maxUriBytes: number;
}

/**
 * Judges a decoded request head (RFC 9113 §8.3.1) and fills in method, authority and upgrade. An extended CONNECT
 * (RFC 8441) becomes what HTTP/1.1 would have sent: GET with `head.upgrade`.
 */
export function judgeRequest(assembly: HeadAssembly, rules: RequestRules): number {
  const { faults, seen, head } = assembly;
  if ((faults & HeadFault.tooLarge) !== 0) return Verdict.headersTooLarge;
  if ((faults & malformedFaults) !== 0 || (seen & methodBit) === 0) return Verdict.malformed;
  if ((seen & statusBit) !== 0 || !setMethod(assembly)) return Verdict.malformed;
  if (!setAuthority(assembly, rules.texts)) return Verdict.malformed;
  if (head.methodText === 'CONNECT') {
    const verdict = judgeConnect(assembly, rules);
    if (verdict !== Verdict.take || head.upgrade === 'connect') return verdict;
  } else if ((seen & (schemeBit | pathBit | protocolBit)) !== (schemeBit | pathBit)) return Verdict.malformed;
  if (!isPath(head) || !isScheme(assembly)) return Verdict.malformed;
  if (head.pathEnd - head.pathStart > rules.maxUriBytes) return Verdict.uriTooLong;
  return judgeFields(faults, rules.config);
}

/** A method that is no token makes the message malformed, one that is only long is refused like any unknown one. */
function setMethod(assembly: HeadAssembly): boolean {
  const { head } = assembly;
  const { methodStart: start, methodEnd: end } = head;
  for (const each of methods) {
    if (!assembly.isText(start, end, each)) continue;
    head.methodText = each;
    return true;
  }
  if (start === end || end - start > longestMethod) return false;
  for (let at = start; at < end; at++) {
    const byte = head.buf[at] as number;
    if (tokenByte[byte] !== 1 || (byte >= 97 && byte <= 122)) return false;
  }
  head.methodText = head.buf.toString('latin1', start, end);
  return true;
}

/** From `:authority`, or from Host where that is missing; both must agree, and Host is written anew by the encoder. */
function setAuthority(assembly: HeadAssembly, texts: TextCache): boolean {
  const { head, seen, hostStart, hostEnd } = assembly;
  if ((seen & (1 << FieldKind.host)) !== 0) {
    if ((seen & authorityBit) === 0) {
      head.authorityStart = hostStart;
      head.authorityEnd = hostEnd;
    } else if (!isSameRange(head, hostStart, hostEnd)) return false;
    head.removeAt(assembly.hostField);
  }
  const { buf, authorityStart: start, authorityEnd: end } = head;
  if (start === end || !isHost(buf, start, end)) return false;
  head.authorityText = texts.get(buf, start, end);
  return true;
}

function isSameRange(head: HeadView, start: number, end: number): boolean {
  const { buf, authorityStart } = head;
  if (end - start !== head.authorityEnd - authorityStart) return false;
  for (let i = 0; start + i < end; i++) {
    const a = buf[start + i] as number;
    const b = buf[authorityStart + i] as number;
    if (a !== b && ((a | 32) !== (b | 32) || (a | 32) < 97 || (a | 32) > 122)) return false;
  }
  return true;
}

/** RFC 9113 §8.5: no scheme and path; RFC 8441 §4: `:protocol`, with both. */
function judgeConnect(assembly: HeadAssembly, rules: RequestRules): number {
  const { head, seen } = assembly;
  if ((seen & protocolBit) === 0) {
    if ((seen & (schemeBit | pathBit)) !== 0) return Verdict.malformed;
    head.upgrade = 'connect';
    return judgeFields(assembly.faults, rules.config);
  }
  if (!rules.config.extendedConnect || (seen & schemeBit) === 0 || (seen & pathBit) === 0) {
    return Verdict.malformed;
  }
  const { buf } = head;
  for (let at = assembly.protocolStart; at < assembly.protocolEnd; at++) {
    if (tokenByte[buf[at] as number] !== 1) return Verdict.malformed;
  }
  if (assembly.protocolStart === assembly.protocolEnd) return Verdict.malformed;
  head.upgrade = buf.toString('latin1', assembly.protocolStart, assembly.protocolEnd).toLowerCase();
  // "connect" is the word for a plain CONNECT.
  if (head.upgrade === 'connect') return Verdict.malformed;
  head.methodText = 'GET';
  head.methodStart = head.methodEnd = 0;
  return Verdict.take;
}

/** Origin form, or "*" with OPTIONS; printable ASCII without "#". */
function isPath(head: HeadView): boolean {
  const { buf, pathStart: start, pathEnd: end } = head;
  if (buf[start] !== 47 || start === end) {
    return end - start === 1 && buf[start] === 42 && head.methodText === 'OPTIONS';
  }
  for (let at = start; at < end; at++) {
    const byte = buf[at] as number;
    if (byte <= 32 || byte >= 127 || byte === 35) return false;
  }
  return true;
}

function isScheme(assembly: HeadAssembly): boolean {
  const { schemeStart: start, schemeEnd: end } = assembly;
  return assembly.isText(start, end, 'http') || assembly.isText(start, end, 'https');
}

function judgeFields(faults: number, config: Http2Config): number {
  if ((faults & HeadFault.underscore) !== 0 && config.underscoresInHeaders === 'reject') {
    return Verdict.badRequest;
  }
  if ((faults & HeadFault.obsText) !== 0 && !config.allowObsText) return Verdict.badRequest;
  return Verdict.take;
}

/** Judges a response head (RFC 9113 §8.3.2) and sets its status. False: malformed. */
export function judgeResponse(assembly: HeadAssembly): boolean {
  const { faults, seen, head } = assembly;
  if ((faults & (malformedFaults | HeadFault.tooLarge)) !== 0) return false;
  const requestBits = methodBit | schemeBit | pathBit | authorityBit | protocolBit;
  if ((seen & statusBit) === 0 || (seen & requestBits) !== 0) return false;
  if (assembly.statusEnd - assembly.statusStart !== 3) return false;
  let status = 0;
  for (let at = assembly.statusStart; at < assembly.statusEnd; at++) {
    const digit = (head.buf[at] as number) - 48;
    if (digit >>> 0 > 9) return false;
    status = status * 10 + digit;
  }
  head.status = status;
  // RFC 9113 §8.6: there is no 101.
  return status >= 100 && status <= 599 && status !== 101;
}

/** Names that frame or route a message mean nothing behind its body (RFC 9110 §6.5.1): they are dropped. */
const droppedTrailers: readonly string[] = [
  'authorization',
  'content-length',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'set-cookie',
  'te',
  'trailer',
];

/** Judges trailers: no pseudo-headers (RFC 9113 §8.1). False: malformed. `head.count` is 0 when nothing is left. */
export function judgeTrailers(assembly: HeadAssembly): boolean {
  const { faults, seen, head } = assembly;
  const pseudoBits = methodBit | schemeBit | pathBit | authorityBit | protocolBit | statusBit;
  const bad = HeadFault.pseudo | HeadFault.field | HeadFault.tooLarge;
  if ((faults & bad) !== 0 || (seen & pseudoBits) !== 0) return false;
  for (const name of droppedTrailers) head.remove(name);
  let live = 0;
  for (let n = 0; n < head.count * 4; n += 4) if ((head.fields[n] as number) >= 0) live++;
  if (live === 0) head.count = 0;
  head.contentLength = -1;
  head.expectContinue = false;
  return true;
}
