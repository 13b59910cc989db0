import { copyBytes } from '../../../core/base/bytes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { isToken, isValue } from '../../../core/base/header-field.ts';
import { writeDecimal, writeTarget } from '../http1/bytes.ts';
import { isName } from '../http1/known-fields.ts';
import { HeadTemplate } from './head-template.ts';
import { fieldOverheadBytes, type HpackEncoder } from './hpack/encoder.ts';

const fixedBytes = 512;
/** Static table indexes (RFC 7541 appendix A). */
const Index = { authority: 1, get: 2, post: 3, path: 4, http: 6, https: 7, contentLength: 28 } as const;
const statusIndexes: ReadonlyMap<number, number> = new Map([
  [200, 8],
  [204, 9],
  [206, 10],
  [304, 11],
  [400, 12],
  [404, 13],
  [500, 14],
]);
const authorityName: Buffer = Buffer.from(':authority');
const protocolName: Buffer = Buffer.from(':protocol');

/** Bytes that a head takes at most, whatever is in the table. */
export function headBound(head: HeadView): number {
  const texts =
    (head.pathText?.length ?? 0) + (head.authorityText?.length ?? 0) + (head.methodText?.length ?? 0);
  const words = head.pathEnd - head.pathStart + (head.authorityEnd - head.authorityStart);
  let bytes = fixedBytes + head.extraLength + head.extraCount * fieldOverheadBytes;
  const { fields } = head;
  for (let n = 0; n < head.count * 4; n += 4) {
    bytes += (fields[n + 3] as number) - (fields[n + 2] as number) + fieldOverheadBytes;
    const start = fields[n] as number;
    bytes += (fields[n + 1] as number) - (start < 0 ? ~start : start);
  }
  // A character of text takes up to three bytes and is written twice on its way.
  return bytes + words + texts * 6 + head.upgrade.length;
}

/**
 * Writes the block of a request: pseudo-headers in the order of browsers, then the fields.
 * @param lengthBytes the Content-Length, -1 for none
 */
export function encodeRequest(
  encoder: HpackEncoder,
  head: HeadView,
  target: Buffer,
  at: number,
  isSecure: boolean,
  lengthBytes: number,
): number {
  const { upgrade } = head;
  const isTunnel = upgrade !== '';
  at = encoder.begin(target, at);
  at = isTunnel ? writeMethod(encoder, target, at, 'CONNECT') : writeMethod(encoder, target, at, head.method);
  if (upgrade !== 'connect') {
    at = encoder.indexed(target, at, isSecure ? Index.https : Index.http);
    at = writePath(encoder, head, target, at);
  }
  at = writeAuthority(encoder, head, target, at);
  if (isTunnel && upgrade !== 'connect') at = writeProtocol(encoder, upgrade, target, at);
  return writeFields(encoder, head, target, at, lengthBytes, true, isTunnel);
}

/** Writes the block of a response, 1xx included. */
export function encodeResponse(
  encoder: HpackEncoder,
  head: HeadView,
  target: Buffer,
  at: number,
  status: number,
  lengthBytes: number,
): number {
  at = encoder.begin(target, at);
  const index = statusIndexes.get(status);
  if (index !== undefined) at = encoder.indexed(target, at, index);
  else {
    const from = at + fieldOverheadBytes;
    at = encoder.unindexed(target, at, 8, target, from, writeDecimal(target, from, status));
  }
  return writeFields(encoder, head, target, at, lengthBytes, false, head.status === 101);
}

export function encodeTrailers(encoder: HpackEncoder, head: HeadView, target: Buffer, at: number): number {
  return writeFields(encoder, head, target, encoder.begin(target, at), -1, true, false);
}

function writeMethod(encoder: HpackEncoder, target: Buffer, at: number, method: string): number {
  if (method === 'GET') return encoder.indexed(target, at, Index.get);
  if (method === 'POST') return encoder.indexed(target, at, Index.post);
  const from = at + fieldOverheadBytes;
  return encoder.unindexed(target, at, Index.get, target, from, writeTarget(target, from, method));
}

function writePath(encoder: HpackEncoder, head: HeadView, target: Buffer, at: number): number {
  const { pathStart, pathEnd } = head;
  if (!head.pathChanged && pathEnd > pathStart) {
    if (pathEnd - pathStart === 1 && head.buf[pathStart] === 47)
      return encoder.indexed(target, at, Index.path);
    return encoder.unindexed(target, at, Index.path, head.buf, pathStart, pathEnd);
  }
  const path = head.pathText === null || head.pathText === '' ? '/' : head.pathText;
  if (path === '/') return encoder.indexed(target, at, Index.path);
  // Far enough behind that the copy to the front, or its Huffman code, never meets it.
  const from = at + fieldOverheadBytes + path.length * 3;
  return encoder.unindexed(target, at, Index.path, target, from, writeTarget(target, from, path));
}

/** A Host that a filter added wins over what came, as in HTTP/1. */
function writeAuthority(encoder: HpackEncoder, head: HeadView, target: Buffer, at: number): number {
  const hostAt = head.authorityChanged || head.extraCount === 0 ? -1 : head.findNext('host', head.count);
  if (hostAt >= 0) {
    const n = (hostAt - head.count) * 4;
    const start = head.extraFields[n + 2] as number;
    const end = head.extraFields[n + 3] as number;
    return encoder.field(target, at, authorityName, 0, authorityName.length, head.extra, start, end, false);
  }
  if (!head.authorityChanged && head.authorityEnd > head.authorityStart) {
    const { buf, authorityStart, authorityEnd } = head;
    return encoder.field(
      target,
      at,
      authorityName,
      0,
      authorityName.length,
      buf,
      authorityStart,
      authorityEnd,
      false,
    );
  }
  const authority = head.authorityText ?? '';
  if (authority === '') return at;
  const from = at + fieldOverheadBytes + authority.length * 3;
  const end = writeTarget(target, from, authority);
  return encoder.field(target, at, authorityName, 0, authorityName.length, target, from, end, false);
}

function writeProtocol(encoder: HpackEncoder, protocol: string, target: Buffer, at: number): number {
  const from = at + fieldOverheadBytes + protocolName.length + protocol.length * 3;
  const end = writeTarget(target, from, protocol);
  return encoder.field(target, at, protocolName, 0, protocolName.length, target, from, end, false);
}

function writeFields(
  encoder: HpackEncoder,
  head: HeadView,
  target: Buffer,
  at: number,
  lengthBytes: number,
  isRequest: boolean,
  isTunnel: boolean,
): number {
  const template = head.template instanceof HeadTemplate && !isTunnel ? head.template : null;
  if (template !== null && template.removedCount === head.removedCount) {
    at = writeKnown(encoder, template, head, target, at, isRequest);
  } else at = writeWire(encoder, head, target, at, isRequest, isTunnel);
  if (head.extraCount > 0) at = writeExtra(encoder, head, target, at, isRequest, isTunnel);
  if (lengthBytes < 0) return at;
  const from = at + fieldOverheadBytes;
  return encoder.unindexed(
    target,
    at,
    Index.contentLength,
    target,
    from,
    writeDecimal(target, from, lengthBytes),
  );
}

/** The wire fields of a head that has come before, as they were written before: one copy while the table is the same. */
function writeKnown(
  encoder: HpackEncoder,
  template: HeadTemplate,
  head: HeadView,
  target: Buffer,
  at: number,
  isRequest: boolean,
): number {
  const { version } = encoder.table;
  const known = encoder.known.find(template, version);
  if (known !== null) return copyBytes(known, 0, known.length, target, at);
  const end = writeWire(encoder, head, target, at, isRequest, false);
  // What entered the table with this block will be sent in another way the next time.
  if (encoder.table.version === version) {
    encoder.known.keep(template, version, Buffer.from(target.subarray(at, end)));
  }
  return end;
}

function writeWire(
  encoder: HpackEncoder,
  head: HeadView,
  target: Buffer,
  at: number,
  isRequest: boolean,
  isTunnel: boolean,
): number {
  const { buf, fields } = head;
  for (let n = 0; n < head.count * 4; n += 4) {
    const start = fields[n] as number;
    if (start < 0 || isOwn(buf, fields, n, isRequest, isTunnel)) continue;
    const isNever = head.neverIndexed !== 0 && (head.neverIndexed & (1 << Math.min(n >> 2, 31))) !== 0;
    const nameEnd = fields[n + 1] as number;
    const valueStart = fields[n + 2] as number;
    const valueEnd = fields[n + 3] as number;
    // Heads of RPC protocols have names and values of any text.
    if (!head.lines && !(isToken(buf, start, nameEnd) && isValue(buf, valueStart, valueEnd))) continue;
    at = encoder.field(target, at, buf, start, nameEnd, buf, valueStart, valueEnd, isNever);
  }
  return at;
}

function writeExtra(
  encoder: HpackEncoder,
  head: HeadView,
  target: Buffer,
  at: number,
  isRequest: boolean,
  isTunnel: boolean,
): number {
  const { extra, extraFields } = head;
  for (let n = 0; n < head.extraCount * 4; n += 4) {
    const start = extraFields[n] as number;
    if (start < 0 || isOwn(extra, extraFields, n, isRequest, isTunnel)) continue;
    const nameEnd = extraFields[n + 1] as number;
    const valueStart = extraFields[n + 2] as number;
    const valueEnd = extraFields[n + 3] as number;
    at = encoder.field(target, at, extra, start, nameEnd, extra, valueStart, valueEnd, false);
  }
  return at;
}

/** Fields that the codec writes itself, or that mean one hop of HTTP/1.1 only (RFC 9113 §8.2.2). */
function isOwn(
  buf: Buffer,
  fields: readonly number[],
  n: number,
  isRequest: boolean,
  isTunnel: boolean,
): boolean {
  const start = fields[n] as number;
  const length = (fields[n + 1] as number) - start;
  switch ((length << 8) | (buf[start] as number) | 32) {
    case (4 << 8) | 104:
      return isRequest && isName(buf, start, 'host');
    case (14 << 8) | 99:
      return isName(buf, start, 'content-length');
    case (10 << 8) | 99:
      return isName(buf, start, 'connection');
    case (10 << 8) | 107:
      return isName(buf, start, 'keep-alive');
    case (16 << 8) | 112:
      return isName(buf, start, 'proxy-connection');
    case (17 << 8) | 116:
      return isName(buf, start, 'transfer-encoding');
    case (7 << 8) | 117:
      return isName(buf, start, 'upgrade');
    case (14 << 8) | 104:
      return isName(buf, start, 'http2-settings');
    case (2 << 8) | 116:
      return isName(buf, start, 'te') && !isTrailers(buf, fields[n + 2] as number, fields[n + 3] as number);
    case (17 << 8) | 115:
      return isTunnel && isName(buf, start, 'sec-websocket-key');
    case (20 << 8) | 115:
      return isTunnel && isName(buf, start, 'sec-websocket-accept');
    default:
      return false;
  }
}

function isTrailers(buf: Buffer, start: number, end: number): boolean {
  return end - start === 8 && isName(buf, start, 'trailers');
}
