import type { HeadView } from '../../../core/base/head-view.ts';
import {
  binaryMagic,
  compactMagic,
  headerFixedBytes,
  headerMagic,
  Inner,
  keyValueInfo,
  lengthBytes,
  MessageType,
} from './constants.ts';
import { readVarint, skipVarint } from './varint.ts';

/** One frame's message, as offsets. */
export class ThriftMessage {
  isHeader = false;
  /** Number of the inner protocol. */
  inner: number = Inner.binary;
  type = 0;
  /** Name of the method, with `service:` before it where services share a connection (TMultiplexedProtocol). */
  nameStart = 0;
  nameEnd = 0;
  /** The inner sequence id: offset and bytes. */
  seqAt = 0;
  seqBytes = 0;
  seqId = 0;
  /** Struct of arguments, result or exception. */
  bodyAt = 0;
  /** THeader: behind protocol and transforms, behind the last info that was understood, the payload. */
  infosAt = 0;
  infosEnd = 0;
  payloadAt = 0;

  /** @param head gets the key-value infos as fields @returns false when it is malformed */
  read(buf: Buffer, start: number, end: number, head: HeadView | null): boolean {
    this.payloadAt = start + lengthBytes;
    if (end - this.payloadAt < 4) return false;
    this.isHeader = buf.readUInt16BE(this.payloadAt) === headerMagic;
    if (this.isHeader && !this.#readHeader(buf, start, end, head)) return false;
    return this.readMessage(buf, this.payloadAt, end);
  }

  /** Payloads behind a transform (zlib and the like) are refused: nobody could tell what they are. */
  #readHeader(buf: Buffer, start: number, end: number, head: HeadView | null): boolean {
    if (end - start < headerFixedBytes) return false;
    const at = start + headerFixedBytes;
    const limit = at + buf.readUInt16BE(start + 12) * 4;
    this.payloadAt = limit;
    if (limit > end) return false;
    const inner = readVarint(buf, at, limit);
    if (inner !== Inner.binary && inner !== Inner.compact) return false;
    const transformsAt = skipVarint(buf, at);
    if (readVarint(buf, transformsAt, limit) !== 0) return false;
    this.infosAt = this.infosEnd = skipVarint(buf, transformsAt);
    return this.#readInfos(buf, limit, head);
  }

  /** Key-value infos; at another kind, whose length nobody can tell, it stops. */
  #readInfos(buf: Buffer, limit: number, head: HeadView | null): boolean {
    let at = this.infosAt;
    while (at < limit && readVarint(buf, at, limit) === keyValueInfo) {
      at = skipVarint(buf, at);
      const count = readVarint(buf, at, limit);
      if (count < 0) return false;
      at = skipVarint(buf, at);
      for (let i = 0; i < count; i++) {
        const value = textEnd(buf, at, limit);
        const next = value < 0 ? -1 : textEnd(buf, value, limit);
        if (next < 0) return false;
        if (head !== null) addField(head, skipVarint(buf, at), value, skipVarint(buf, value), next);
        at = next;
      }
      this.infosEnd = at;
    }
    return true;
  }

  /** Only what stands behind length and header. @returns false when it is malformed */
  readMessage(buf: Buffer, at: number, end: number): boolean {
    this.payloadAt = at;
    if (end - at < 4) return false;
    if (buf[at] === compactMagic) return this.#readCompact(buf, at, end);
    if (buf.readUInt16BE(at) !== binaryMagic || end - at < 12) return false;
    this.inner = Inner.binary;
    this.type = buf[at + 3] as number;
    const length = buf.readUInt32BE(at + 4);
    this.nameStart = at + 8;
    this.nameEnd = this.nameStart + length;
    if (this.nameEnd + 4 > end) return false;
    this.seqAt = this.nameEnd;
    this.seqBytes = 4;
    this.seqId = buf.readUInt32BE(this.seqAt);
    this.bodyAt = this.seqAt + 4;
    return isType(this.type);
  }

  #readCompact(buf: Buffer, at: number, end: number): boolean {
    const second = buf[at + 1] as number;
    if ((second & 0x1f) !== 1) return false;
    this.inner = Inner.compact;
    this.type = second >> 5;
    this.seqAt = at + 2;
    this.seqId = readVarint(buf, this.seqAt, end);
    if (this.seqId < 0) return false;
    const lengthAt = skipVarint(buf, this.seqAt);
    this.seqBytes = lengthAt - this.seqAt;
    const length = readVarint(buf, lengthAt, end);
    if (length < 0) return false;
    this.nameStart = skipVarint(buf, lengthAt);
    this.nameEnd = this.bodyAt = this.nameStart + length;
    return this.nameEnd <= end && isType(this.type);
  }

  /** Offset of the colon between service and method, -1 where there is none. */
  colon(buf: Buffer): number {
    for (let at = this.nameStart; at < this.nameEnd; at++) if (buf[at] === 0x3a) return at;
    return -1;
  }
}

const isType = (type: number): boolean => type >= MessageType.call && type <= MessageType.oneWay;

/** The offset behind a length and as many bytes, or -1. */
function textEnd(buf: Buffer, at: number, limit: number): number {
  const length = readVarint(buf, at, limit);
  if (length < 0) return -1;
  const end = skipVarint(buf, at) + length;
  return end > limit ? -1 : end;
}

function addField(head: HeadView, name: number, nameEnd: number, value: number, valueEnd: number): void {
  const at = head.count++ * 4;
  head.fields[at] = name;
  head.fields[at + 1] = nameEnd;
  head.fields[at + 2] = value;
  head.fields[at + 3] = valueEnd;
}
