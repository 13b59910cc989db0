import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { Match } from '../../../core/contract/codec.ts';
import { type FramedProtocol, FrameKind, needsMore, notAFrame, setRpcName } from '../framed/index.ts';
import {
  binaryMagic,
  compactMagic,
  failureOf,
  headerMagic,
  httpStatusOf,
  lengthBytes,
  MessageType,
  maxLength,
} from './constants.ts';
import { rewriteFrame, setId, type Wrapping, writeFrame } from './encode.ts';
import { readException, writeException } from './exception.ts';
import { ThriftMessage } from './message.ts';

const prefixBytes = 6;

function match(buf: Buffer, start: number, end: number): Match {
  if (start < end && (buf[start] as number) > 0x3f) return Match.no;
  if (end - start < prefixBytes) return isPrefix(buf, start + lengthBytes, end) ? Match.more : Match.no;
  return isPrefix(buf, start + lengthBytes, end) ? Match.yes : Match.no;
}

/** Could a message begin at `at`? Its second byte may be missing. */
function isPrefix(buf: Buffer, at: number, end: number): boolean {
  if (at >= end) return true;
  const first = buf[at] as number;
  const second = at + 1 < end ? (buf[at + 1] as number) : -1;
  if (first === compactMagic) return second < 0 || (second & 0x1f) === 1;
  if (first === binaryMagic >> 8) return second < 0 || second === (binaryMagic & 255);
  return first === headerMagic >> 8 && (second < 0 || second === (headerMagic & 255));
}

/** Where the fields stand of which `head` was read; the frame was checked then. */
function messageOf(head: HeadView): ThriftMessage {
  const message = new ThriftMessage();
  message.read(head.buf, head.start, head.end, null);
  return message;
}

/**
 * Thrift in frames: strict binary and compact messages, with or without THeader, told apart frame by frame. Answers are
 * wrapped as their requests.
 *
 * @param foreign the codec's name, and how requests of other protocols are written
 */
export function thriftProtocol(foreign: Wrapping & { readonly name: string }): FramedProtocol {
  const wrappingOf = (request: HeadView): Wrapping => {
    if (request.framing !== protocol) return foreign;
    return messageOf(request);
  };
  const nameOf = (request: HeadView): Buffer => {
    if (request.framing !== protocol) return foreignName(request);
    const message = messageOf(request);
    return request.buf.subarray(message.nameStart, message.nameEnd);
  };
  const fail = (
    failure: number,
    text: Buffer,
    request: HeadView,
    id: number,
    head: HeadView | null,
  ): Buffer => {
    const { isHeader, inner } = wrappingOf(request);
    const body = writeException(failure, text, inner);
    return writeFrame(
      { isHeader, inner, type: MessageType.exception, name: nameOf(request), id, body },
      head,
    );
  };
  const protocol: FramedProtocol = {
    name: foreign.name,
    match,
    heartbeats: false,
    sizeOf(buf, start, end) {
      if (match(buf, start, end) === Match.no) return notAFrame;
      if (end - start < prefixBytes) return needsMore;
      const length = buf.readUInt32BE(start);
      return length > maxLength || length < 4 ? notAFrame : lengthBytes + length;
    },
    headBytesOf: (_buf, _start, sizeBytes) => sizeBytes,
    kindOf(buf, start, end) {
      const message = new ThriftMessage();
      if (!message.read(buf, start, end, null)) return FrameKind.malformed;
      if (message.type === MessageType.call) return FrameKind.request;
      return message.type === MessageType.oneWay ? FrameKind.oneWay : FrameKind.response;
    },
    idOf(buf, start, end) {
      const message = new ThriftMessage();
      if (!message.read(buf, start, end, null)) return 0;
      return message.isHeader ? buf.readUInt32BE(start + 8) : message.seqId;
    },
    idHighOf: () => 0,
    setId: (buf, start, end, id) => setId(buf, start, end, id),
    readRequest(head, buf, start, end, context) {
      const message = readHead(head, protocol, buf, start, end);
      if (message === null) return Code.downstreamProtocol;
      const { limits, names } = context;
      if (head.count > limits.maxHeaderCount || message.payloadAt - start > limits.maxHeaderBytes)
        return Code.headersTooLarge;
      head.oneWay = message.type === MessageType.oneWay;
      const colon = message.colon(buf);
      const { nameStart, nameEnd } = message;
      const method = colon < 0 ? nameStart : colon + 1;
      setRpcName(head, names.get(buf, nameStart, colon < 0 ? nameStart : colon, method, nameEnd));
      return Code.none;
    },
    readResponse(head, buf, start, end) {
      const message = readHead(head, protocol, buf, start, end);
      if (message === null) return Code.upstreamProtocol;
      head.status = 200;
      if (message.type !== MessageType.exception) return Code.none;
      const found = readException(buf, message.bodyAt, end, message.inner);
      head.protocolStatus = found.failure;
      head.status = httpStatusOf(found.failure);
      head.bodyStart = found.messageStart;
      head.bodyEnd = found.messageEnd;
      head.contentLength = found.messageEnd - found.messageStart;
      return Code.none;
    },
    encodeRequest(head, body, id) {
      // A method without a service has none to change.
      if (head.framing === protocol && (!head.authorityChanged || head.service === ''))
        return rewriteFrame(head, messageOf(head), body, id);
      const { isHeader, inner } = wrappingOf(head);
      const type = head.oneWay ? MessageType.oneWay : MessageType.call;
      return writeFrame({ isHeader, inner, type, name: foreignName(head), id, body }, head);
    },
    encodeResponse(head, body, request, id) {
      const isOwn = head.framing === protocol;
      if (isOwn && head.status === 200) return rewriteFrame(head, messageOf(head), body, id);
      if (head.status !== 200) {
        // A filter may have changed the status in HTTP's scale.
        const isSame = isOwn && httpStatusOf(head.protocolStatus) === head.status;
        return fail(isSame ? head.protocolStatus : failureOf(head.status), body, request, id, head);
      }
      const { isHeader, inner } = wrappingOf(request);
      return writeFrame({ isHeader, inner, type: MessageType.reply, name: nameOf(request), id, body }, head);
    },
    encodeFailure: (status, reason, request, id) =>
      fail(failureOf(status), Buffer.from(reason), request, id, null),
    heartbeat: () => Buffer.alloc(0),
    heartbeatAck: () => null,
    announcementOf: () => null,
    goAway: () => null,
  };
  return protocol;
}

/** `service:method`, as services that share a connection are called; the method alone where there is no service. */
function foreignName(head: HeadView): Buffer {
  const service = head.authorityChanged || head.service === '' ? head.authority : head.service;
  const method = head.rpcMethod !== '' ? head.rpcMethod : head.path.slice(head.path.lastIndexOf('/') + 1);
  return Buffer.from(service === '' ? method : `${service}:${method}`, 'latin1');
}

function readHead(
  head: HeadView,
  protocol: FramedProtocol,
  buf: Buffer,
  start: number,
  end: number,
): ThriftMessage | null {
  const message = new ThriftMessage();
  head.buf = buf;
  head.start = start;
  head.end = end;
  if (!message.read(buf, start, end, head)) return null;
  head.framing = protocol;
  head.exactNames = true;
  head.bodyStart = message.bodyAt;
  head.bodyEnd = end;
  head.contentLength = end - message.bodyAt;
  return message;
}
