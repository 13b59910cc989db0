import { HeadView } from '../../../core/base/head-view.ts';
import type { PeerAnnouncement } from '../framed/index.ts';
import { encodeControl } from './encode.ts';
import { readHeaderMap } from './header-map.ts';
import {
  Command,
  codecOf,
  FrameType,
  fixedBytesOf,
  idAt,
  lengthsAt,
  Proto,
  readUint16,
  readUint32,
  typeOf,
} from './layout.ts';

/** In the header map of a heartbeat: the sender is a mesh peer and closes after this much silence. */
const announcedIdle = 'heddle-idle-limit-ms';
const hessian = 1;
/** Timeout of frames that nobody waits for. */
const noTimeout = -1;

export function heartbeat(id: number, peer: PeerAnnouncement | null): Buffer {
  return encodeControl(request(Command.heartbeat, id), announcementHead(peer));
}

/** MOSN's command 100: a Java server closes the connection on it, so it goes to mesh peers only. */
export function goAway(id: number): Buffer {
  return encodeControl(request(Command.goAway, id), null);
}

const request = (command: number, id: number) => ({
  proto: Proto.v1,
  ver1: 0,
  type: FrameType.request,
  command,
  id,
  codec: hessian,
  word: noTimeout,
});

/** The answer in the version of the heartbeat. */
export function heartbeatAck(buf: Buffer, start: number, peer: PeerAnnouncement | null): Buffer {
  return encodeControl(
    {
      proto: buf[start] as number,
      ver1: buf[start + 1] as number,
      type: FrameType.response,
      command: Command.heartbeat,
      id: readUint32(buf, idAt(buf, start)),
      codec: codecOf(buf, start),
      word: 0,
    },
    announcementHead(peer),
  );
}

export function announcementOf(buf: Buffer, start: number): PeerAnnouncement | null {
  const lengths = lengthsAt(buf, start);
  const headerBytes = readUint16(buf, lengths + 2);
  if (headerBytes === 0) return null;
  const from = start + fixedBytesOf(buf[start] as number, typeOf(buf, start)) + readUint16(buf, lengths);
  const head = new HeadView();
  head.buf = buf;
  head.exactNames = true;
  if (readHeaderMap(head, buf, from, from + headerBytes) < 0) return null;
  const idleLimitMs = Number(head.get(announcedIdle) ?? Number.NaN);
  return Number.isSafeInteger(idleLimitMs) && idleLimitMs >= 0 ? { idleLimitMs } : null;
}

function announcementHead(peer: PeerAnnouncement | null): HeadView | null {
  if (peer === null) return null;
  const head = new HeadView();
  head.exactNames = true;
  head.add(announcedIdle, String(peer.idleLimitMs));
  return head;
}
