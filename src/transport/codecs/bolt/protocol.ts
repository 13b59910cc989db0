import { crc32 } from 'node:zlib';
import { HeadView } from '../../../core/base/head-view.ts';
import { type FramedProtocol, FrameKind } from '../framed/index.ts';
import { announcementOf, goAway, heartbeat, heartbeatAck } from './control.ts';
import { encodeFailure, encodeRequest, encodeResponse, patchId } from './encode.ts';
import { flowKeys } from './flow-keys.ts';
import {
  Command,
  commandOf,
  crcBytes,
  FrameType,
  frameSize,
  hasCrc,
  idAt,
  lengthsAt,
  readUint16,
  readUint32,
  timeoutAt,
  typeOf,
} from './layout.ts';
import { match } from './match.ts';
import { readRequest, readResponse } from './read.ts';
import { boltStatusOf, httpStatusOf } from './status.ts';

/** SOFA Bolt, v1 and v2: the version is decided frame by frame. */
export const boltProtocol: FramedProtocol = {
  name: 'bolt',
  heartbeats: true,
  flowKeys,
  match,
  sizeOf: frameSize,
  headBytesOf(buf, start, sizeBytes) {
    if (hasCrc(buf, start)) return sizeBytes;
    const lengths = lengthsAt(buf, start);
    return lengths + 8 - start + readUint16(buf, lengths) + readUint16(buf, lengths + 2);
  },
  kindOf(buf, start, end) {
    if (hasCrc(buf, start) && crc32(buf.subarray(start, end - crcBytes)) !== readUint32(buf, end - crcBytes))
      return FrameKind.malformed;
    return kindOf(typeOf(buf, start), commandOf(buf, start));
  },
  idOf: (buf, start) => readUint32(buf, idAt(buf, start)),
  idHighOf: () => 0,
  setId(buf, start, end, id) {
    patchId(buf, start, end, id);
    return null;
  },
  quickStatusOf: (buf, start) => httpStatusOf(readUint16(buf, timeoutAt(buf, start))),
  bodyBytesOf: (buf, start) => readUint32(buf, lengthsAt(buf, start) + 4),
  readRequest: (head, buf, start, end, context) => readRequest(head, boltProtocol, buf, start, end, context),
  readResponse: (head, buf, start, end) => readResponse(head, boltProtocol, buf, start, end),
  encodeRequest: (head, body, id) => encodeRequest(head, isOwn(head), body, id),
  encodeResponse: (head, body, request, id) =>
    encodeResponse(head, isOwn(head), body, request, isOwn(request), id),
  encodeFailure(status, reason, request, id) {
    const head = new HeadView();
    head.exactNames = true;
    head.add('x-heddle-error', reason);
    return encodeFailure(boltStatusOf(status), head, request, isOwn(request), id);
  },
  heartbeat,
  heartbeatAck: (buf, start, _end, peer) => heartbeatAck(buf, start, peer),
  announcementOf,
  goAway: (isMeshPeer, id) => (isMeshPeer ? goAway(id) : null),
};

const isOwn = (head: HeadView): boolean => head.framing === boltProtocol;

function kindOf(type: number, command: number): FrameKind {
  switch (command) {
    case Command.request:
      if (type === FrameType.response) return FrameKind.malformed;
      return type === FrameType.oneWay ? FrameKind.oneWay : FrameKind.request;
    case Command.response:
      return type === FrameType.response ? FrameKind.response : FrameKind.malformed;
    case Command.heartbeat:
      return type === FrameType.response ? FrameKind.heartbeatAck : FrameKind.heartbeat;
    default:
      return FrameKind.goAway;
  }
}
