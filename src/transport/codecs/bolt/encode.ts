import { crc32 } from 'node:zlib';
import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { HeaderMapWriter } from './header-map.ts';
import {
  Command,
  codecOf,
  crcBytes,
  FrameType,
  fixedBytesOf,
  hasCrc,
  idAt,
  lengthsAt,
  Proto,
  readInt32,
  readUint16,
  timeoutAt,
  writeUint16,
  writeUint32,
} from './layout.ts';
import { boltStatusOf, httpStatusOf } from './status.ts';

/** Java throws above these; the wire holds twice as much. */
const maxHeaderBytes = 0x7fff;
const nothing: Buffer = Buffer.alloc(0);
const methodKey = 'sofa_head_method_name';
const requestClass: Buffer = Buffer.from('com.alipay.sofa.rpc.core.request.SofaRequest');
const responseClass: Buffer = Buffer.from('com.alipay.sofa.rpc.core.response.SofaResponse');

/** Numbers of serializations (sofa-rpc RemotingConstants). */
const Serialization = { hessian: 1, protobuf: 11, json: 12 } as const;

/** What a frame is made of, beside its header map. */
interface FrameParts {
  readonly proto: number;
  readonly ver1: number;
  readonly isChecked: boolean;
  readonly type: number;
  readonly command: number;
  readonly id: number;
  readonly codec: number;
  /** Timeout of a request in ms (0: none), status of a response. */
  readonly word: number;
  readonly className: Buffer;
}

/** One whole frame, or the Code that says why there is none. */
function writeFrame(parts: FrameParts, map: HeaderMapWriter | null, content: Buffer): Buffer | number {
  const { proto, type, className, isChecked } = parts;
  const headerBytes = map === null ? 0 : map.sizeBytes;
  if (headerBytes > maxHeaderBytes) return Code.headersTooLarge;
  const fixed = fixedBytesOf(proto, type);
  const size = fixed + className.length + headerBytes + content.length + (isChecked ? crcBytes : 0);
  const frame = Buffer.allocUnsafe(size);
  let at = writeFixed(frame, parts, fixed, headerBytes, content.length);
  at += className.copy(frame, at);
  if (map !== null) at = map.write(frame, at);
  content.copy(frame, at);
  if (isChecked) writeCrc(frame, 0, size);
  return frame;
}

function writeFixed(
  frame: Buffer,
  parts: FrameParts,
  fixed: number,
  headerBytes: number,
  contentBytes: number,
): number {
  let at = 0;
  frame[at++] = parts.proto;
  if (parts.proto === Proto.v2) frame[at++] = parts.ver1;
  frame[at++] = parts.type;
  writeUint16(frame, at, parts.command);
  frame[at + 2] = 1;
  writeUint32(frame, at + 3, parts.id);
  frame[at + 7] = parts.codec;
  at += 8;
  if (parts.proto === Proto.v2) frame[at++] = parts.isChecked ? 1 : 0;
  if (parts.type === FrameType.response) writeUint16(frame, at, parts.word);
  else writeUint32(frame, at, parts.word);
  writeUint16(frame, fixed - 8, parts.className.length);
  writeUint16(frame, fixed - 6, headerBytes);
  writeUint32(frame, fixed - 4, contentBytes);
  return fixed;
}

function writeCrc(frame: Buffer, start: number, end: number): void {
  writeUint32(frame, end - crcBytes, crc32(frame.subarray(start, end - crcBytes)));
}

/** The parts of the frame that `head` was read from. */
function partsOf(head: HeadView, id: number): FrameParts {
  const { buf, start } = head;
  const type = buf[start + (buf[start] === Proto.v1 ? 1 : 2)] as number;
  const proto = buf[start] as number;
  const classAt = start + fixedBytesOf(proto, type);
  const isResponse = type === FrameType.response;
  return {
    proto,
    ver1: buf[start + 1] as number,
    isChecked: hasCrc(buf, start),
    type,
    command: isResponse ? Command.response : Command.request,
    id,
    codec: codecOf(buf, start),
    word: isResponse ? head.protocolStatus : timeoutOf(head),
    className: buf.subarray(classAt, classAt + readUint16(buf, lengthsAt(buf, start))),
  };
}

/** Where there is none as the frame says it, -1 or 0. */
const timeoutOf = (head: HeadView): number =>
  head.timeoutMs > 0 ? head.timeoutMs : readInt32(head.buf, timeoutAt(head.buf, head.start));

/** @param isOwn the head was read by this codec */
export function encodeRequest(head: HeadView, isOwn: boolean, body: Buffer, id: number): Buffer | number {
  if (isOwn) {
    const known = head.authorityChanged ? [['service', head.authority] as const] : [];
    return writeFrame(partsOf(head, id), new HeaderMapWriter(head, known), body);
  }
  const slash = head.path.lastIndexOf('/');
  const method = head.rpcMethod === '' ? head.path.slice(slash + 1) : head.rpcMethod;
  const service = head.service === '' ? head.authority : head.service;
  const known: (readonly [string, string])[] = [
    ['service', service],
    ['sofa_head_target_service', service],
  ];
  // Two methods in one map would be read one way here and another there: the first one stands for all.
  const named = method === '' ? head.get(methodKey) : method;
  if (named !== null) known.push([methodKey, named]);
  const parts: FrameParts = {
    proto: Proto.v1,
    ver1: 0,
    isChecked: false,
    type: head.oneWay ? FrameType.oneWay : FrameType.request,
    command: Command.request,
    id,
    codec: serializationOf(head),
    // 0 where there is none: npm's sofa-rpc-node drops the answers of calls that say -1.
    word: head.timeoutMs,
    className: requestClass,
  };
  return writeFrame(parts, new HeaderMapWriter(head, known), body);
}

function serializationOf(head: HeadView): number {
  const type = head.get('content-type') ?? '';
  if (type.includes('json')) return Serialization.json;
  return type.includes('protobuf') ? Serialization.protobuf : Serialization.hessian;
}

/** What the answer to `request` looks like: its version, its serialization, its checksum. */
function answerParts(request: HeadView, isOwn: boolean, status: number, id: number): FrameParts {
  const { buf, start } = request;
  return {
    proto: isOwn ? (buf[start] as number) : Proto.v1,
    ver1: isOwn ? (buf[start + 1] as number) : 0,
    isChecked: isOwn && hasCrc(buf, start),
    type: FrameType.response,
    command: Command.response,
    id,
    codec: isOwn ? codecOf(buf, start) : Serialization.hessian,
    word: status,
    className: status === 0 ? responseClass : nothing,
  };
}

/** @param isOwn the head was read by this codec @param isOwnRequest so was the request's */
export function encodeResponse(
  head: HeadView,
  isOwn: boolean,
  body: Buffer,
  request: HeadView,
  isOwnRequest: boolean,
  id: number,
): Buffer | number {
  const map = new HeaderMapWriter(head, []);
  if (!isOwn) return writeFrame(answerParts(request, isOwnRequest, boltStatusOf(head.status), id), map, body);
  const parts = partsOf(head, id);
  // A filter may have changed the status in HTTP's scale.
  const word = httpStatusOf(parts.word) === head.status ? parts.word : boltStatusOf(head.status);
  return writeFrame({ ...parts, word }, map, body);
}

/** An answer without body: `status` is a BoltStatus, `reason` goes into the header map. */
export function encodeFailure(
  status: number,
  head: HeadView,
  request: HeadView,
  isOwnRequest: boolean,
  id: number,
): Buffer {
  const parts = answerParts(request, isOwnRequest, status, id);
  return writeFrame(parts, new HeaderMapWriter(head, []), nothing) as Buffer;
}

/** Heartbeats, their answers and GOAWAY: no class, no content. */
export function encodeControl(
  parts: Pick<FrameParts, 'proto' | 'ver1' | 'type' | 'command' | 'id' | 'codec' | 'word'>,
  head: HeadView | null,
): Buffer {
  const map = head === null ? null : new HeaderMapWriter(head, []);
  return writeFrame({ ...parts, isChecked: false, className: nothing }, map, nothing) as Buffer;
}

/** Writes `id` into a frame, and its checksum anew. */
export function patchId(frame: Buffer, start: number, end: number, id: number): void {
  writeUint32(frame, idAt(frame, start), id);
  if (hasCrc(frame, start)) writeCrc(frame, start, end);
}
