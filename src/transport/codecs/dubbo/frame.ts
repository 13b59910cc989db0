import { Match } from '../../../core/contract/codec.ts';
import { FrameKind, needsMore, notAFrame } from '../framed/protocol.ts';
import {
  Flag,
  headerBytes,
  hessian2Id,
  isHessian,
  magicHigh,
  magicLow,
  nullTag,
  readOnlyEvent,
  writeHeader,
} from './constants.ts';
import { DubboStatus } from './status.ts';

const maxLength = 0x7fff_ffff - headerBytes;

export function match(buf: Buffer, start: number, end: number): Match {
  if (start < end && buf[start] !== magicHigh) return Match.no;
  if (end - start < 2) return Match.more;
  return buf[start + 1] === magicLow ? Match.yes : Match.no;
}

export function sizeOf(buf: Buffer, start: number, end: number): number {
  if (match(buf, start, end) === Match.no) return notAFrame;
  if (end - start < headerBytes) return needsMore;
  // Java reads a signed length: beyond it two peers would see different frames.
  const length = buf.readUInt32BE(start + 12);
  return length > maxLength ? notAFrame : headerBytes + length;
}

/** A request, an answer or an event. Bodies of events: null is a heartbeat, "R" and "W" switch new requests off and on. */
export function kindOf(buf: Buffer, start: number, end: number): FrameKind {
  const flag = buf[start + 2] as number;
  const isRequest = (flag & Flag.request) !== 0;
  if ((flag & Flag.event) === 0) {
    if (!isRequest) return FrameKind.response;
    return (flag & Flag.twoWay) !== 0 ? FrameKind.request : FrameKind.oneWay;
  }
  if (!isRequest) return FrameKind.heartbeatAck;
  if (isReadOnly(buf, start, end)) return FrameKind.goAway;
  // Other events have no meaning to a proxy; one that waits for an answer gets a heartbeat's.
  return (flag & Flag.twoWay) !== 0 ? FrameKind.heartbeat : FrameKind.ignored;
}

function isReadOnly(buf: Buffer, start: number, end: number): boolean {
  const body = start + headerBytes;
  return end - body === 2 && isHessian(buf[start + 2] as number) && buf.readUInt16BE(body) === 0x0152;
}

/** Ids have 64 bits. Ours have 31: an answer with more answers nothing of ours, 0 stands for that. */
export function idOf(buf: Buffer, start: number): number {
  const isRequest = ((buf[start + 2] as number) & Flag.request) !== 0;
  if (!isRequest && buf.readUInt32BE(start + 4) !== 0) return 0;
  return buf.readUInt32BE(start + 8);
}

export function idHighOf(buf: Buffer, start: number): number {
  return buf.readUInt32BE(start + 4);
}

export function setId(buf: Buffer, start: number, id: number, idHigh: number): void {
  buf.writeUInt32BE(idHigh, start + 4);
  buf.writeUInt32BE(id, start + 8);
}

export function heartbeat(id: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + 1);
  writeHeader(frame, Flag.request | Flag.twoWay | Flag.event | hessian2Id, 0, id, 0);
  frame[headerBytes] = nullTag;
  return frame;
}

/** Dubbo's clients know a heartbeat's answer by its id, and refuse another serialization than they sent. */
export function heartbeatAck(buf: Buffer, start: number, end: number): Buffer | null {
  const flag = buf[start + 2] as number;
  if ((flag & Flag.twoWay) === 0) return null;
  // The null of another serialization is what the peer itself sent.
  const body = isHessian(flag) ? Buffer.of(nullTag) : buf.subarray(start + headerBytes, end);
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  const status = DubboStatus.ok;
  writeHeader(
    frame,
    Flag.event | (flag & Flag.serialization),
    status,
    buf.readUInt32BE(start + 8),
    idHighOf(buf, start),
  );
  body.copy(frame, headerBytes);
  return frame;
}

/** "R": the one-way event by which a provider that stops sends its consumers elsewhere. */
export function readOnly(id: number): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + readOnlyEvent.length);
  writeHeader(frame, Flag.request | Flag.event | hessian2Id, 0, id, 0);
  readOnlyEvent.copy(frame, headerBytes);
  return frame;
}
