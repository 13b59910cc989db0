import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { hessian2 } from '../hessian/dialect.ts';
import { HessianText, locateString, readInt } from '../hessian/read.ts';
import { HessianSkipper } from '../hessian/skipper.ts';
import { HessianWriter } from '../hessian/writer.ts';
import { Flag, headerBytes, hessian2Id, isHessian, Result, writeHeader } from './constants.ts';
import { DubboStatus, toDubboStatus, toHttpStatus } from './status.ts';
import {
  addedRoom,
  foreignAttachments,
  hasAdded,
  hasAttachments,
  writeAdded,
  writeEdited,
} from './write-attachments.ts';

/** From a result to the same with attachments. */
const attachmentsOffset = Result.valueWithAttachments - Result.value;
const maxMessageUnits = 4096;

/** An answer that was read from Dubbo, with what filters have changed. @param request what it answers */
export function encodeOwnResponse(
  head: HeadView,
  body: Buffer,
  request: HeadView,
  isOwnRequest: boolean,
  id: number,
  idHigh: number,
): Buffer | number {
  const { buf, start, bodyStart, bodyEnd, end } = head;
  const flag = buf[start + 2] as number;
  const status = buf[start + 3] as number;
  if (toHttpStatus(status) !== head.status) {
    // A filter has made an error of it: the value is no message.
    const text = status === DubboStatus.ok ? Buffer.alloc(0) : body;
    return encodeForeignResponse(head, text, request, isOwnRequest, id, idHigh);
  }
  const resultAt = start + headerBytes;
  const isError = status !== DubboStatus.ok;
  if (isError && isHessian(flag) && bodyStart > resultAt) {
    const isSame = body.equals(buf.subarray(bodyStart, bodyEnd));
    const message = isSame ? buf.subarray(resultAt, end) : withMessage(body, buf, bodyEnd, end);
    return finished(message, flag, status, id, idHigh);
  }
  // No result word, or another serialization: nowhere to put a header.
  if (isError || !isHessian(flag) || bodyStart === resultAt) return finished(body, flag, status, id, idHigh);
  const sent = readInt(buf, resultAt, end);
  const result = body.length === bodyEnd - bodyStart ? sent : resultWith(body, sent);
  const had = result >= Result.exceptionWithAttachments;
  const adds = head.isEdited && hasAdded(head) && takesAttachments(request, isOwnRequest);
  const room = 1 + body.length + (end - bodyEnd) + addedRoom(head) + headerBytes;
  const frame = Buffer.allocUnsafe(room);
  frame[headerBytes] = 0x90 + (had || !adds ? result : result + attachmentsOffset);
  let at = headerBytes + 1;
  at += body.copy(frame, at);
  if (had) at = head.isEdited ? writeEdited(frame, at, head) : at + buf.copy(frame, at, bodyEnd, end);
  else if (adds) {
    frame[at] = 0x48;
    at = writeAdded(frame, at + 1, head);
    frame[at++] = hessian2.endMark;
  }
  if (at < 0) return Code.upstreamProtocol;
  const whole = frame.subarray(0, at);
  writeHeader(whole, flag, status, id, idHigh);
  return whole;
}

/** Another message; what the server put behind its own stays. */
function withMessage(body: Buffer, buf: Buffer, bodyEnd: number, end: number): Buffer {
  return new HessianWriter().string(body.toString()).raw(buf, bodyEnd, end).bytes();
}

/** A filter may have given null a value, or taken it. */
function resultWith(body: Buffer, result: number): number {
  const kind = result % attachmentsOffset;
  if (kind === Result.null && body.length > 0) return result - 1;
  return kind === Result.value && body.length === 0 ? result + 1 : result;
}

/**
 * An answer of another protocol, of a handler, or our own. Status 200: the body is the value when it is one in hessian,
 * else it is sent as a string; header `dubbo-result: exception` makes it a throwable. Other statuses: the body is the
 * error's message.
 */
export function encodeForeignResponse(
  head: HeadView,
  body: Buffer,
  request: HeadView,
  isOwnRequest: boolean,
  id: number,
  idHigh: number,
): Buffer | number {
  const status = toDubboStatus(head.status);
  const flag = serializationOf(request, isOwnRequest);
  if (status !== DubboStatus.ok) return encodeMessage(status, body.toString(), flag, id, idHigh);
  const isException = head.get('dubbo-result') === 'exception';
  const carries = hasAttachments(head) && takesAttachments(request, isOwnRequest);
  const kind = body.length === 0 ? Result.null : isException ? Result.exception : Result.value;
  const writer = new HessianWriter().int(carries ? kind + attachmentsOffset : kind);
  if (body.length > 0) {
    if (isValue(body)) writer.raw(body);
    else writer.string(body.toString());
  }
  if (carries) writer.raw(foreignAttachments(head, []));
  return finished(writer.bytes(), flag, status, id, idHigh);
}

/** An error answer: a status and one string. */
export function encodeFailure(
  httpStatus: number,
  reason: string,
  request: HeadView,
  isOwnRequest: boolean,
  id: number,
  idHigh: number,
): Buffer {
  return encodeMessage(toDubboStatus(httpStatus), reason, serializationOf(request, isOwnRequest), id, idHigh);
}

function encodeMessage(status: number, message: string, flag: number, id: number, idHigh: number): Buffer {
  // In another serialization a string would be other bytes; the status says enough.
  if (!isHessian(flag)) return finished(Buffer.alloc(0), flag, status, id, idHigh);
  const text = message.slice(0, maxMessageUnits);
  return finished(new HessianWriter().string(text).bytes(), flag, status, id, idHigh);
}

function finished(body: Buffer, flag: number, status: number, id: number, idHigh: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  writeHeader(frame, flag & Flag.serialization, status, id, idHigh);
  body.copy(frame, headerBytes);
  return frame;
}

/** Java refuses an answer in another serialization than the request's. */
function serializationOf(request: HeadView, isOwnRequest: boolean): number {
  return isOwnRequest ? (request.buf[request.start + 2] as number) & Flag.serialization : hessian2Id;
}

/** Only consumers of protocol 2.0.2 to 2.0.99 look for attachments behind a value (apache/dubbo Version). */
function takesAttachments(request: HeadView, isOwnRequest: boolean): boolean {
  if (!isOwnRequest || !isHessian(request.buf[request.start + 2] as number)) return false;
  const version = new HessianText();
  locateString(hessian2, request.buf, request.start + headerBytes, request.end, version);
  const match = /^2\.0\.(\d{1,2})$/.exec(version.read(hessian2, request.buf));
  return match !== null && Number(match[1]) >= 2;
}

function isValue(body: Buffer): boolean {
  return new HessianSkipper(hessian2).skip(body, 0, body.length) === body.length;
}
