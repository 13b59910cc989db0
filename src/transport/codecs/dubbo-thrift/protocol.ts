import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { Match } from '../../../core/contract/codec.ts';
import { type FramedProtocol, FrameKind, needsMore, notAFrame, setRpcName } from '../framed/index.ts';
import { failureOf, httpStatusOf, Inner, MessageType, maxLength } from '../thrift/constants.ts';
import { writeMessage } from '../thrift/encode.ts';
import { readException, writeException } from '../thrift/exception.ts';
import { DubboThriftFrame, lengthBytes, magic, writeFrame } from './frame.ts';

const prefixBytes = lengthBytes + 2;
const nothing = Buffer.alloc(0);

function match(buf: Buffer, start: number, end: number): Match {
  if (start < end && (buf[start] as number) > 0x3f) return Match.no;
  const at = start + lengthBytes;
  if (at < end && buf[at] !== magic >> 8) return Match.no;
  if (end - start < prefixBytes) return Match.more;
  return buf[at + 1] === (magic & 255) ? Match.yes : Match.no;
}

function frameOf(buf: Buffer, start: number, end: number): DubboThriftFrame {
  const frame = new DubboThriftFrame();
  frame.read(buf, start, end);
  return frame;
}

/** Service, method and inner id of a request, whatever protocol it came by. */
function wordsOf(request: HeadView): { service: Buffer; name: Buffer; seqId: number } {
  if (request.framing !== dubboThriftProtocol) {
    const service = request.service === '' ? request.authority : request.service;
    const method =
      request.rpcMethod === '' ? request.path.slice(request.path.lastIndexOf('/') + 1) : request.rpcMethod;
    return { service: Buffer.from(service, 'latin1'), name: Buffer.from(method, 'latin1'), seqId: 1 };
  }
  const { buf, start, end } = request;
  const { serviceStart, serviceEnd, message } = frameOf(buf, start, end);
  return {
    service: buf.subarray(serviceStart, serviceEnd),
    name: buf.subarray(message.nameStart, message.nameEnd),
    seqId: message.seqId,
  };
}

/** The frame of which `head` was read, with another body. */
function rewrite(head: HeadView, body: Buffer, id: number, idHigh: number): Buffer {
  const { buf, start, end } = head;
  const { idAt, message } = frameOf(buf, start, end);
  const opening = buf.subarray(message.payloadAt, message.bodyAt);
  const header = buf.subarray(start + lengthBytes, idAt + 8);
  return writeFrame(header, nothing, Buffer.concat([opening, body]), id, idHigh);
}

function answer(type: number, body: Buffer, request: HeadView, id: number, idHigh: number): Buffer {
  const { service, name, seqId } = wordsOf(request);
  const message = writeMessage({ isHeader: false, inner: Inner.binary, type, name, id: seqId, body });
  return writeFrame(null, service, message, id, idHigh);
}

function fail(failure: number, text: Buffer, request: HeadView, id: number, idHigh: number): Buffer {
  const body = writeException(failure, text, Inner.binary);
  return answer(MessageType.exception, body, request, id, idHigh);
}

/** Dubbo's thrift protocol: no headers beside service and method. */
export const dubboThriftProtocol: FramedProtocol = {
  name: 'dubbo-thrift',
  match,
  heartbeats: false,
  sizeOf(buf, start, end) {
    if (match(buf, start, end) === Match.no) return notAFrame;
    if (end - start < prefixBytes) return needsMore;
    const length = buf.readUInt32BE(start);
    return length > maxLength ? notAFrame : lengthBytes + length;
  },
  headBytesOf: (_buf, _start, sizeBytes) => sizeBytes,
  kindOf(buf, start, end) {
    const frame = new DubboThriftFrame();
    if (!frame.read(buf, start, end)) return FrameKind.malformed;
    const { type } = frame.message;
    if (type === MessageType.call) return FrameKind.request;
    return type === MessageType.oneWay ? FrameKind.oneWay : FrameKind.response;
  },
  idOf: (buf, start, end) => buf.readUInt32BE(frameOf(buf, start, end).idAt + 4),
  idHighOf: (buf, start, end) => buf.readUInt32BE(frameOf(buf, start, end).idAt),
  setId(buf, start, end, id, idHigh) {
    const { idAt } = frameOf(buf, start, end);
    buf.writeUInt32BE(idHigh, idAt);
    buf.writeUInt32BE(id, idAt + 4);
    return null;
  },
  readRequest(head, buf, start, end, context) {
    const frame = readHead(head, buf, start, end);
    if (frame === null) return Code.downstreamProtocol;
    const { message, serviceStart, serviceEnd } = frame;
    if (message.payloadAt - start > context.limits.maxHeaderBytes) return Code.headersTooLarge;
    head.oneWay = message.type === MessageType.oneWay;
    setRpcName(head, context.names.get(buf, serviceStart, serviceEnd, message.nameStart, message.nameEnd));
    return Code.none;
  },
  readResponse(head, buf, start, end) {
    const frame = readHead(head, buf, start, end);
    if (frame === null) return Code.upstreamProtocol;
    head.status = 200;
    if (frame.message.type !== MessageType.exception) return Code.none;
    const found = readException(buf, frame.message.bodyAt, end, Inner.binary);
    head.protocolStatus = found.failure;
    head.status = httpStatusOf(found.failure);
    head.bodyStart = found.messageStart;
    head.bodyEnd = found.messageEnd;
    head.contentLength = found.messageEnd - found.messageStart;
    return Code.none;
  },
  encodeRequest(head, body, id, idHigh) {
    if (head.framing === dubboThriftProtocol && !head.authorityChanged)
      return rewrite(head, body, id, idHigh);
    const { service, name, seqId } = wordsOf(head);
    const type = head.oneWay ? MessageType.oneWay : MessageType.call;
    const message = writeMessage({ isHeader: false, inner: Inner.binary, type, name, id: seqId, body });
    const target = head.authorityChanged ? Buffer.from(head.authority, 'latin1') : service;
    return writeFrame(null, target, message, id, idHigh);
  },
  encodeResponse(head, body, request, id, idHigh) {
    const isOwn = head.framing === dubboThriftProtocol;
    if (head.status !== 200) {
      const isSame = isOwn && httpStatusOf(head.protocolStatus) === head.status;
      return fail(isSame ? head.protocolStatus : failureOf(head.status), body, request, id, idHigh);
    }
    if (isOwn) return rewrite(head, body, id, idHigh);
    return answer(MessageType.reply, body, request, id, idHigh);
  },
  encodeFailure: (status, reason, request, id, idHigh) =>
    fail(failureOf(status), Buffer.from(reason), request, id, idHigh),
  heartbeat: () => nothing,
  heartbeatAck: () => null,
  announcementOf: () => null,
  goAway: () => null,
};

function readHead(head: HeadView, buf: Buffer, start: number, end: number): DubboThriftFrame | null {
  const frame = new DubboThriftFrame();
  if (!frame.read(buf, start, end)) return null;
  head.framing = dubboThriftProtocol;
  head.buf = buf;
  head.start = start;
  head.end = end;
  head.exactNames = true;
  head.bodyStart = frame.message.bodyAt;
  head.bodyEnd = end;
  head.contentLength = end - frame.message.bodyAt;
  return frame;
}
