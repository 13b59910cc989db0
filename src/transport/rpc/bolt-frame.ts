import { crc32 } from 'node:zlib';
import type { HeadView } from '../../core/base/head-view.ts';
import { codecOf, hasCrc, Proto } from '../codecs/bolt/layout.ts';

/** Hessian in SOFA's dialect. */
const hessianCodec = 1;
const maxShort = 0x7fff;
const nothing: Buffer = Buffer.alloc(0);

/** The parts of a Bolt frame that a message of ours decides (protocols.md of SOFABolt: RpcProtocol, RpcProtocolV2). */
export interface BoltFrame {
  readonly className: string;
  /** Pairs of the header map. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** Version and checksum of a frame, which its answer follows. */
export interface BoltDialect {
  readonly proto: 1 | 2;
  /** Second byte of a frame of version 2. */
  readonly version: number;
  readonly hasCrc: boolean;
}

const boltV1: BoltDialect = { proto: 1, version: 1, hasCrc: false };

/** @param timeoutMs 0 = none; Java writes -1, which npm's sofa-rpc-node takes for over at once. The id is set by who sends it. */
export function boltRequestFrame(frame: BoltFrame, timeoutMs: number, isOneway: boolean): Buffer {
  const timeout = Buffer.allocUnsafe(4);
  timeout.writeInt32BE(timeoutMs);
  return assemble(boltV1, isOneway ? 2 : 1, 1, timeout, frame);
}

export function boltResponseFrame(frame: BoltFrame, status: number, dialect: BoltDialect): Buffer {
  const word = Buffer.allocUnsafe(2);
  word.writeUInt16BE(status);
  return assemble(dialect, 0, 2, word, frame);
}

/** The dialect of the frame that `head` was read from. */
export function dialectOf({ buf, start }: HeadView): BoltDialect {
  if (buf[start] !== Proto.v2) return boltV1;
  return { proto: 2, version: buf[start + 1] === 2 ? 2 : 1, hasCrc: hasCrc(buf, start) };
}

/** Number of the serialization of the frame that `head` was read from. */
export const serializationOf = ({ buf, start }: HeadView): number => codecOf(buf, start);

export const isHessianCodec = (codec: number): boolean => codec === hessianCodec || codec === 4;

function assemble(
  dialect: BoltDialect,
  type: number,
  command: number,
  middle: Buffer,
  frame: BoltFrame,
): Buffer {
  const name = Buffer.from(frame.className);
  const headers = headerMap(frame.headers);
  const { content } = frame;
  const isV2 = dialect.proto === 2;
  const fixedBytes = (isV2 ? 12 : 10) + middle.length + 8;
  const crcBytes = dialect.hasCrc ? 4 : 0;
  const whole = Buffer.alloc(fixedBytes + name.length + headers.length + content.length + crcBytes);
  let at = whole.writeUInt8(dialect.proto);
  if (isV2) at = whole.writeUInt8(dialect.version, at);
  at = whole.writeUInt8(type, at);
  at = whole.writeUInt16BE(command, at);
  at = whole.writeUInt8(1, at);
  at = whole.writeUInt32BE(0, at);
  at = whole.writeUInt8(hessianCodec, at);
  if (isV2) at = whole.writeUInt8(dialect.hasCrc ? 1 : 0, at);
  at += middle.copy(whole, at);
  at = whole.writeUInt16BE(name.length, at);
  at = whole.writeUInt16BE(headers.length, at);
  at = whole.writeUInt32BE(content.length, at);
  for (const part of [name, headers, content]) at += part.copy(whole, at);
  if (dialect.hasCrc) whole.writeUInt32BE(crc32(whole.subarray(0, at)), at);
  return whole;
}

/** Pairs of length and UTF-8. Pairs that would make it longer than a signed short are left out, the last ones first. */
function headerMap(headers: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(headers)) {
    const pair = [key, value].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.allocUnsafe(4);
      length.writeInt32BE(bytes.length);
      return [length, bytes];
    });
    const pairBytes = pair.reduce((sum, each) => sum + each.length, 0);
    if (sizeBytes + pairBytes > maxShort) break;
    sizeBytes += pairBytes;
    parts.push(...pair);
  }
  return parts.length === 0 ? nothing : Buffer.concat(parts, sizeBytes);
}
