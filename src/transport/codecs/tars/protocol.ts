import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { Match } from '../../../core/contract/codec.ts';
import { type FramedProtocol, FrameKind, needsMore, notAFrame, setRpcName } from '../framed/index.ts';
import { contextOf, type Edit, setId, splice, writeRequest, writeResponse } from './encode.ts';
import { bytesField, int32Field, intField, mapField, stringField } from './jce.ts';
import { lengthBytes, oneWayType, TarsPacket } from './packet.ts';
import { httpStatusOf, retOf } from './status.ts';

/** Length, tag 1 as an int of one byte, version 1, tag 2. */
const opening = [0x10, 0x01] as const;
const prefixBytes = lengthBytes + opening.length + 1;
const minBytes = 12;
const maxBytes = 0x3fffffff;
const nothing = Buffer.alloc(0);

function match(buf: Buffer, start: number, end: number): Match {
  if (start < end && (buf[start] as number) > 0x3f) return Match.no;
  for (let i = 0; i < opening.length; i++) {
    const at = start + lengthBytes + i;
    if (at < end && buf[at] !== opening[i]) return Match.no;
  }
  if (end - start < prefixBytes) return Match.more;
  // Tag 2 follows, an int of one byte or zero.
  const next = buf[start + prefixBytes - 1];
  return next === 0x2c || next === 0x20 ? Match.yes : Match.no;
}

function packetOf(buf: Buffer, start: number, end: number): TarsPacket {
  const packet = new TarsPacket();
  packet.read(buf, start, end, null);
  return packet;
}

/** Fields of an own packet that differ from what came: body, or the description that is an error's body, and context. */
function edits(head: HeadView, packet: TarsPacket, body: Buffer): Edit[] {
  const { isRequest, bufferAt, bufferEnd, descriptionAt, descriptionEnd, contextAt, contextEnd } = packet;
  const isMessage = descriptionAt > 0 && head.bodyStart === packet.descriptionStart;
  const all: Edit[] = isMessage
    ? [{ at: descriptionAt, end: descriptionEnd, field: stringField(8, body) }]
    : [{ at: bufferAt, end: bufferEnd, field: bytesField(isRequest ? 7 : 6, body) }];
  if (head.isEdited && contextEnd > 0) {
    all.push({ at: contextAt, end: contextEnd, field: mapField(9, contextOf(head)) });
  }
  return all;
}

function fail(ret: number, text: Buffer, id: number, context: readonly Buffer[]): Buffer {
  return writeResponse(id, ret, nothing, text, context);
}

/** Tars, requests and answers of version 1. The context is headers; the status map passes as it is. */
export const tarsProtocol: FramedProtocol = {
  name: 'tars',
  match,
  heartbeats: false,
  sizeOf(buf, start, end) {
    if (match(buf, start, end) === Match.no) return notAFrame;
    if (end - start < prefixBytes) return needsMore;
    const size = buf.readUInt32BE(start);
    return size > maxBytes || size < minBytes ? notAFrame : size;
  },
  headBytesOf: (_buf, _start, sizeBytes) => sizeBytes,
  kindOf(buf, start, end) {
    const packet = new TarsPacket();
    if (!packet.read(buf, start, end, null)) return FrameKind.malformed;
    if (!packet.isRequest) return FrameKind.response;
    return packet.packetType === oneWayType ? FrameKind.oneWay : FrameKind.request;
  },
  idOf: (buf, start, end) => packetOf(buf, start, end).id,
  idHighOf: () => 0,
  setId: (buf, start, end, id) => setId(buf, start, end, packetOf(buf, start, end), id),
  readRequest(head, buf, start, end, context) {
    const packet = readHead(head, buf, start, end);
    if (packet === null) return Code.downstreamProtocol;
    const { limits, names } = context;
    if (head.count > limits.maxHeaderCount || packet.contextEnd - packet.contextAt > limits.maxHeaderBytes)
      return Code.headersTooLarge;
    head.oneWay = packet.packetType === oneWayType;
    head.timeoutMs = Math.max(0, packet.timeoutMs);
    const { servantStart, servantEnd, functionStart, functionEnd } = packet;
    setRpcName(head, names.get(buf, servantStart, servantEnd, functionStart, functionEnd));
    return Code.none;
  },
  readResponse(head, buf, start, end) {
    const packet = readHead(head, buf, start, end);
    if (packet === null) return Code.upstreamProtocol;
    head.protocolStatus = packet.ret;
    head.status = httpStatusOf(packet.ret);
    if (packet.ret !== 0 && packet.bufferEnd === packet.bufferStart && packet.descriptionAt > 0)
      setBody(head, packet.descriptionStart, packet.descriptionEnd);
    return Code.none;
  },
  encodeRequest(head, body, id) {
    if (head.framing !== tarsProtocol) {
      const { service, method } = namesOf(head);
      const parts = { id, isOneWay: head.oneWay, servant: service, method, body, timeoutMs: head.timeoutMs };
      return writeRequest(parts, head);
    }
    const { buf, start, end } = head;
    const packet = packetOf(buf, start, end);
    const all = edits(head, packet, body);
    if (head.authorityChanged) {
      const servant = stringField(5, Buffer.from(head.authority, 'latin1'));
      all.unshift({ at: packet.servantAt, end: packet.servantEnd, field: servant });
    }
    return splice(buf, start, end, [
      { at: packet.idAt, end: packet.idEnd, field: idField(packet, id) },
      ...all,
    ]);
  },
  encodeResponse(head, body, _request, id) {
    const isOwn = head.framing === tarsProtocol;
    if (!isOwn || httpStatusOf(head.protocolStatus) !== head.status) {
      if (head.status === 200) return writeResponse(id, 0, body, nothing, contextOf(head));
      return fail(retOf(head.status), body, id, contextOf(head));
    }
    const { buf, start, end } = head;
    const packet = packetOf(buf, start, end);
    const first = { at: packet.idAt, end: packet.idEnd, field: idField(packet, id) };
    return splice(buf, start, end, [first, ...edits(head, packet, body)]);
  },
  encodeFailure: (status, reason, _request, id) => fail(retOf(status), Buffer.from(reason), id, []),
  heartbeat: () => nothing,
  heartbeatAck: () => null,
  announcementOf: () => null,
  goAway: () => null,
};

/** As short as it was where it fits, so that an unchanged packet keeps its bytes. */
function idField(packet: TarsPacket, id: number): Buffer {
  const tag = packet.isRequest ? 4 : 3;
  return packet.idEnd - packet.idAt === 5 ? int32Field(tag, id) : intField(tag, id | 0);
}

function namesOf(head: HeadView): { service: Buffer; method: Buffer } {
  const service = head.authorityChanged || head.service === '' ? head.authority : head.service;
  const method = head.rpcMethod === '' ? head.path.slice(head.path.lastIndexOf('/') + 1) : head.rpcMethod;
  return { service: Buffer.from(service, 'latin1'), method: Buffer.from(method, 'latin1') };
}

function readHead(head: HeadView, buf: Buffer, start: number, end: number): TarsPacket | null {
  const packet = new TarsPacket();
  head.buf = buf;
  head.start = start;
  head.end = end;
  if (!packet.read(buf, start, end, head)) return null;
  head.framing = tarsProtocol;
  head.exactNames = true;
  setBody(head, packet.bufferStart, packet.bufferEnd);
  return packet;
}

function setBody(head: HeadView, start: number, end: number): void {
  head.bodyStart = start;
  head.bodyEnd = end;
  head.contentLength = end - start;
}
