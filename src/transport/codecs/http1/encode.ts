import type { HeadView } from '../../../core/base/head-view.ts';
import { copyBytes, writeTarget, writeText } from './bytes.ts';
import { encodeFields, fieldsBound } from './encode-fields.ts';
import { longestStatusLine, writeStatusLine } from './status.ts';

/** How the body that follows is framed, as lines to write; `length` is written as a number. */
export const Framing = { none: 0, length: 1, chunked: 2, untilClose: 3, raw: 4 } as const;

const version = ' HTTP/1.1\r\n';
const chunkedLine = 'transfer-encoding: chunked\r\n';
const fixedBytes = 256;

/** Bytes that `encodeRequest` or `encodeResponse` writes at most. */
export function headBound(head: HeadView): number {
  const authorityBytes = head.authorityEnd - head.authorityStart;
  const words = head.methodEnd - head.methodStart + (head.pathEnd - head.pathStart) + authorityBytes * 2;
  // A character of text takes up to three bytes; CONNECT writes the authority twice.
  const texts =
    (head.pathText?.length ?? 0) + (head.authorityText?.length ?? 0) * 2 + (head.methodText?.length ?? 0);
  const rest = head.upgrade.length + head.reason.length + longestStatusLine + fixedBytes;
  return fieldsBound(head) + words + texts * 3 + rest;
}

/**
 * Writes a request head. A first line that is received as we would write it leaves in one copy with the fields behind
 * it (45 ns less); any other is rebuilt from its parts (RFC 9112 §3).
 * @param framing of the body; `lengthBytes` is the Content-Length, -1 for none
 */
export function encodeRequest(
  head: HeadView,
  target: Buffer,
  at: number,
  framing: number,
  lengthBytes: number,
): number {
  const isPlain = isPlainLine(head);
  if (!isPlain) at = writeRequestLine(head, target, at);
  at = encodeFields(head, target, at, lengthBytes, true, isPlain ? head.methodStart : -1);
  if (framing === Framing.chunked) at = writeText(target, at, chunkedLine);
  if (head.upgrade !== '' && !isConnect(head)) at = writeUpgrade(head, target, at);
  target[at++] = 13;
  target[at++] = 10;
  return at;
}

/** Writes a response head. @param connection `close`, `keep-alive` or "" */
export function encodeResponse(
  head: HeadView,
  target: Buffer,
  at: number,
  framing: number,
  lengthBytes: number,
  connection: string,
): number {
  at = writeStatusLine(target, at, head.status, head.reason);
  at = encodeFields(head, target, at, lengthBytes, false, -1);
  if (framing === Framing.chunked) at = writeText(target, at, chunkedLine);
  if (head.upgrade !== '' && (head.status === 101 || head.status === 426))
    at = writeUpgrade(head, target, at);
  else if (connection !== '') at = writeText(target, at, connection);
  target[at++] = 13;
  target[at++] = 10;
  return at;
}

export function isConnect(head: HeadView): boolean {
  return head.methodText === 'CONNECT';
}

/** Does `METHOD SP origin-form SP HTTP/1.1 CR LF` stand in front of the fields, untouched? */
function isPlainLine(head: HeadView): boolean {
  return (
    head.lines &&
    !head.pathChanged &&
    head.minor === 1 &&
    head.methodEnd + 1 === head.pathStart &&
    head.pathEnd + version.length === head.firstEnd &&
    head.pathEnd > head.pathStart &&
    head.methodEnd > head.methodStart
  );
}

function writeRequestLine(head: HeadView, target: Buffer, at: number): number {
  at = writeMethod(head, target, at);
  target[at++] = 32;
  at = isConnect(head) ? writeAuthority(head, target, at) : writePath(head, target, at);
  return writeText(target, at, version);
}

/** Writes the authority as bytes or as the text that replaced them. */
function writeAuthority(head: HeadView, target: Buffer, at: number): number {
  if (head.authorityChanged || head.authorityStart === head.authorityEnd) {
    return head.authorityText === null ? at : writeTarget(target, at, head.authorityText);
  }
  return copyBytes(head.buf, head.authorityStart, head.authorityEnd, target, at);
}

function writeMethod(head: HeadView, target: Buffer, at: number): number {
  if (head.methodStart === head.methodEnd) return writeTarget(target, at, head.method);
  return copyBytes(head.buf, head.methodStart, head.methodEnd, target, at);
}

function writePath(head: HeadView, target: Buffer, at: number): number {
  if (!head.pathChanged && head.pathEnd > head.pathStart) {
    return copyBytes(head.buf, head.pathStart, head.pathEnd, target, at);
  }
  return writeTarget(target, at, head.pathText === null || head.pathText === '' ? '/' : head.pathText);
}

function writeUpgrade(head: HeadView, target: Buffer, at: number): number {
  at = writeText(target, at, 'connection: upgrade\r\nupgrade: ');
  at = writeText(target, at, head.upgrade.replace(/[^\t\x20-\x7e]/g, ''));
  target[at++] = 13;
  target[at++] = 10;
  return at;
}
