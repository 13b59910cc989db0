import { copyBytes } from '../../../core/base/bytes.ts';
import { Code } from '../../../core/base/codes.ts';
import type { FieldSource, HeadView } from '../../../core/base/head-view.ts';
import { headerField } from '../../../core/base/header-field.ts';
import { type ReadContext, setRpcName } from '../framed/protocol.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianText, intBytes, locateString, noInt, readInt, skipScalars } from '../hessian/read.ts';
import { HessianSkipper } from '../hessian/skipper.ts';
import { AttachmentCursor, indexAttachments } from './attachments.ts';
import { Flag, headerBytes, isHessian, Result } from './constants.ts';
import { DubboStatus, toHttpStatus } from './status.ts';
import { DubboWords } from './words.ts';

const versionField = headerField('version', '');
/**
 * Reads a request: words and attachments where they stand, arguments skipped. About 0.5 us for a typical one.
 * Bodies in another serialization than Hessian 2.0 are passed on unread: they have neither words nor headers.
 */
export function readRequest(
  head: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  context: ReadContext,
): number {
  setFrame(head, buf, start, end);
  const flag = buf[start + 2] as number;
  head.oneWay = (flag & Flag.twoWay) === 0;
  if (!isHessian(flag)) {
    setRpcName(head, context.names.get(buf, start, start, start, start));
    return Code.none;
  }
  const words = new DubboWords();
  if (words.read(buf, start + headerBytes, end) < 0) return Code.downstreamProtocol;
  const at = words.argumentsStart;
  let skipper: HessianSkipper | null = null;
  let map = skipScalars(hessian2, buf, at, end, words.parameters);
  if (map < 0) {
    skipper = new HessianSkipper(hessian2);
    map = skipper.skip(buf, at, end, words.parameters);
  }
  if (map < 0) return Code.downstreamProtocol;
  if (end - map > context.limits.maxHeaderBytes) return Code.headersTooLarge;
  const cursor = new AttachmentCursor(buf, at, map, end, skipper);
  if (indexAttachments(head, cursor) < 0) return Code.downstreamProtocol;
  if (head.count > context.limits.maxHeaderCount) return Code.headersTooLarge;
  const { path, method } = words;
  // Java's providers look the service up by the attachment: the word alone would let a call past the rules of its route.
  const serviceStart = cursor.pathEnd > cursor.pathStart ? cursor.pathStart : path.start;
  const serviceEnd = cursor.pathEnd > cursor.pathStart ? cursor.pathEnd : path.end;
  setRpcName(head, context.names.get(buf, serviceStart, serviceEnd, method.start, method.end));
  setBody(head, at, map);
  if (!cursor.hasVersion && words.version.end > words.version.start) showVersion(head, words.version);
  head.timeoutMs = cursor.remainingMs > 0 ? cursor.remainingMs : cursor.timeoutMs;
  return Code.none;
}

/** Reads an answer. Attachments are looked for when somebody asks for a header. */
export function readResponse(head: HeadView, buf: Buffer, start: number, end: number): number {
  setFrame(head, buf, start, end);
  head.protocolStatus = buf[start + 3] as number;
  head.status = toHttpStatus(head.protocolStatus);
  if (!isHessian(buf[start + 2] as number)) return Code.none;
  const at = start + headerBytes;
  if (head.protocolStatus !== DubboStatus.ok) {
    const message = new HessianText();
    // The body is the message; what some servers put behind it says nothing.
    if (locateString(hessian2, buf, at, end, message) >= 0 && !message.isChunked)
      setBody(head, message.start, message.end);
    return Code.none;
  }
  const result = readInt(buf, at, end);
  // Some servers answer with the bare value: passed on as it is.
  if (result === noInt || result < Result.exception || result > Result.nullWithAttachments) return Code.none;
  const value = at + intBytes(buf[at] as number);
  if (result === Result.null) setBody(head, value, value);
  else if (result < Result.exceptionWithAttachments) setBody(head, value, end);
  else {
    const hasValue = result !== Result.nullWithAttachments;
    let map = skipScalars(hessian2, buf, value, end, hasValue ? 1 : 0);
    if (map < 0) map = new HessianSkipper(hessian2).skip(buf, value, end);
    if (map < 0) return Code.upstreamProtocol;
    setBody(head, value, map);
    head.indexLater(responseFields);
  }
  return Code.none;
}

const responseFields: FieldSource = {
  readFields(head) {
    const cursor = new AttachmentCursor(head.buf, head.bodyStart, head.bodyEnd, head.end);
    // What cannot be read is not there for filters, and an encoder refuses to edit it.
    if (indexAttachments(head, cursor) < 0) head.count = 0;
  },
};

/** Until it is known better, all behind the header is body. */
function setFrame(head: HeadView, buf: Buffer, start: number, end: number): void {
  head.buf = buf;
  head.start = start;
  head.end = end;
  head.exactNames = true;
  setBody(head, start + headerBytes, end);
}

function setBody(head: HeadView, start: number, end: number): void {
  head.bodyStart = start;
  head.bodyEnd = end;
  head.contentLength = end - start;
}

/** Consumers repeat the version word as an attachment; for routes it is one in any case. */
function showVersion(head: HeadView, version: HessianText): void {
  const { start, end } = version;
  const at = head.addRaw(versionField, end - start);
  copyBytes(head.buf, start, end, head.extra, at);
  head.isEdited = false;
}
