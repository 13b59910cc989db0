import type { HeadView } from '../../../core/base/head-view.ts';
import {
  binaryMagic,
  compactMagic,
  headerFixedBytes,
  headerMagic,
  Inner,
  keyValueInfo,
  lengthBytes,
} from './constants.ts';
import { ThriftMessage } from './message.ts';
import { varintBytes, writeVarint } from './varint.ts';

/** How a frame is wrapped: taken from the frame that it comes from or answers. */
export interface Wrapping {
  readonly isHeader: boolean;
  readonly inner: number;
}

/** What a frame says. */
export interface FrameParts extends Wrapping {
  readonly type: number;
  readonly name: Buffer;
  readonly id: number;
  readonly body: Buffer;
}

/** Headers of HTTP that say nothing in THeader. */
const notSent: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
]);

/** One frame. @param head its fields become infos where there is THeader */
export function writeFrame(parts: FrameParts, head: HeadView | null): Buffer {
  const message = writeMessage(parts);
  const wrapped = parts.isHeader ? withHeader(message, parts, head) : message;
  const frame = Buffer.allocUnsafe(lengthBytes + wrapped.length);
  frame.writeUInt32BE(wrapped.length, 0);
  wrapped.copy(frame, lengthBytes);
  return frame;
}

/** A message without length or header. */
export function writeMessage({ inner, type, name, id, body }: FrameParts): Buffer {
  if (inner === Inner.compact) {
    const size = 2 + varintBytes(id) + varintBytes(name.length) + name.length;
    const start = Buffer.allocUnsafe(size);
    start[0] = compactMagic;
    start[1] = (type << 5) | 1;
    name.copy(start, writeVarint(start, writeVarint(start, 2, id), name.length));
    return Buffer.concat([start, body]);
  }
  const start = Buffer.allocUnsafe(12 + name.length);
  start.writeUInt16BE(binaryMagic, 0);
  start.writeUInt16BE(type, 2);
  start.writeUInt32BE(name.length, 4);
  name.copy(start, 8);
  start.writeUInt32BE(id, 8 + name.length);
  return Buffer.concat([start, body]);
}

function withHeader(payload: Buffer, { inner, id }: FrameParts, head: HeadView | null): Buffer {
  const start = Buffer.from([inner, 0]);
  return joinHeader(0, id, Buffer.concat([start, infos(head)]), payload);
}

/** Magic to payload, the header filled up to words. */
function joinHeader(flags: number, id: number, header: Buffer, payload: Buffer): Buffer {
  const padded = Math.ceil(header.length / 4) * 4;
  const fixed = headerFixedBytes - lengthBytes;
  const bytes = Buffer.alloc(fixed + padded);
  bytes.writeUInt16BE(headerMagic, 0);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(id, 4);
  bytes.writeUInt16BE(padded / 4, 8);
  header.copy(bytes, fixed);
  return Buffer.concat([bytes, payload]);
}

/** The live fields as one key-value info. */
function infos(head: HeadView | null): Buffer {
  const texts: Buffer[] = [];
  head?.forEach((name, value) => {
    if (!notSent.has(name.toLowerCase()))
      texts.push(Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'));
  });
  if (texts.length === 0) return Buffer.alloc(0);
  const parts = texts.flatMap((text) => [varint(text.length), text]);
  return Buffer.concat([varint(keyValueInfo), varint(texts.length / 2), ...parts]);
}

function varint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** The frame that `head` was read from, with its infos as they are now and another body. */
export function rewriteFrame(head: HeadView, message: ThriftMessage, body: Buffer, id: number): Buffer {
  const { buf, start } = head;
  const payload = Buffer.concat([buf.subarray(message.payloadAt, message.bodyAt), body]);
  let wrapped: Buffer = payload;
  if (message.isHeader) {
    const opening = buf.subarray(start + headerFixedBytes, message.infosAt);
    const rest = buf.subarray(message.infosEnd, message.payloadAt);
    const header = Buffer.concat([opening, infos(head), rest]);
    wrapped = joinHeader(buf.readUInt16BE(start + 6), buf.readUInt32BE(start + 8), header, payload);
  }
  const frame = Buffer.allocUnsafe(lengthBytes + wrapped.length);
  frame.writeUInt32BE(wrapped.length, 0);
  wrapped.copy(frame, lengthBytes);
  return setId(frame, 0, frame.length, id) ?? frame;
}

/** Writes the id into header and message. @returns null when it fitted in place, else the frame to send */
export function setId(buf: Buffer, start: number, end: number, id: number): Buffer | null {
  const message = new ThriftMessage();
  if (!message.read(buf, start, end, null)) return null;
  if (message.isHeader) buf.writeUInt32BE(id, start + 8);
  if (message.inner === Inner.binary) buf.writeUInt32BE(id, message.seqAt);
  if (message.inner !== Inner.compact) return null;
  if (varintBytes(id) === message.seqBytes) {
    writeVarint(buf, message.seqAt, id);
    return null;
  }
  const frame = Buffer.concat([
    buf.subarray(start, message.seqAt),
    varint(id),
    buf.subarray(message.seqAt + message.seqBytes, end),
  ]);
  frame.writeUInt32BE(frame.length - lengthBytes, 0);
  return frame;
}
