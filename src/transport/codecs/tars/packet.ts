import type { HeadView } from '../../../core/base/head-view.ts';
import { JceReader, Kind } from './jce.ts';

/**
 * Frames of Tars, big-endian: u32 length, itself included, and one struct in JCE (TarsProtocol, RequestF.tars). Tags:
 *
 *   request   1 version | 2 packet type | 3 message type | 4 request id | 5 servant | 6 function | 7 arguments |
 *             8 timeout ms | 9 context | 10 status
 *   response  1 version | 2 packet type | 3 request id | 4 message type | 5 ret | 6 result | 7 status | 8 description |
 *             9 context
 *
 * What tells them apart is the kind of tag 5. Version 1 only: TUP (2 and 3) answers with requests.
 */
export const lengthBytes = 4;
export const version = 1;
export const oneWayType = 1;

type Role =
  | 'version'
  | 'packetType'
  | 'messageType'
  | 'id'
  | 'servant'
  | 'function'
  | 'buffer'
  | 'timeout'
  | 'context'
  | 'status'
  | 'ret'
  | 'description';

/** What each tag is, from 1 on. */
const requestRoles: readonly Role[] = [
  'version',
  'packetType',
  'messageType',
  'id',
  'servant',
  'function',
  'buffer',
  'timeout',
  'context',
  'status',
];
const responseRoles: readonly Role[] = [
  'version',
  'packetType',
  'id',
  'messageType',
  'ret',
  'buffer',
  'status',
  'description',
  'context',
];

/** One packet, as offsets; ranges of fields include their tags. */
export class TarsPacket {
  isRequest = false;
  packetType = 0;
  messageType = 0;
  id = 0;
  idAt = 0;
  idEnd = 0;
  servantAt = 0;
  servantStart = 0;
  servantEnd = 0;
  functionAt = 0;
  functionStart = 0;
  functionEnd = 0;
  ret = 0;
  bufferAt = 0;
  bufferStart = 0;
  bufferEnd = 0;
  timeoutMs = 0;
  descriptionAt = 0;
  descriptionStart = 0;
  descriptionEnd = 0;
  contextAt = 0;
  contextEnd = 0;

  /** @param head gets the context as fields @returns false when it is malformed */
  read(buf: Buffer, start: number, end: number, head: HeadView | null): boolean {
    const reader = new JceReader(buf, start + lengthBytes, end);
    if (!this.#findKind(buf, start, end)) return false;
    const roles = this.isRequest ? requestRoles : responseRoles;
    let before = 0;
    while (!reader.isDone) {
      const { tag } = reader;
      const role = roles[tag - 1];
      if (tag <= before || role === undefined) return false;
      before = tag;
      this.#field(role, reader, head);
    }
    return !reader.failed && before >= 5 && this.idEnd > 0 && this.bufferAt > 0;
  }

  /** Four ints, then a string or a fifth. */
  #findKind(buf: Buffer, start: number, end: number): boolean {
    const reader = new JceReader(buf, start + lengthBytes, end);
    for (let tag = 1; tag < 5; tag++) {
      if (reader.isDone || reader.tag !== tag) return false;
      const value = reader.int();
      if (tag === 1 && value !== version) return false;
    }
    if (reader.isDone || reader.tag !== 5) return false;
    this.isRequest = reader.kind === Kind.string8 || reader.kind === Kind.string32;
    return true;
  }

  #field(role: Role, reader: JceReader, head: HeadView | null): void {
    const { at } = reader;
    switch (role) {
      case 'version':
        reader.int();
        break;
      case 'packetType':
      case 'messageType':
      case 'ret':
        this[role] = reader.int();
        break;
      case 'timeout':
        this.timeoutMs = reader.int();
        break;
      case 'id':
        this.id = reader.int() >>> 0;
        this.idAt = at;
        this.idEnd = reader.at;
        break;
      case 'context':
        readMap(reader, head);
        this.contextAt = at;
        this.contextEnd = reader.at;
        break;
      case 'status':
        readMap(reader, null);
        break;
      default:
        this.#text(role, reader);
    }
  }

  #text(role: 'servant' | 'function' | 'buffer' | 'description', reader: JceReader): void {
    const { at } = reader;
    if (role === 'buffer') reader.bytes();
    else reader.string();
    this[`${role}At`] = at;
    this[`${role}Start`] = reader.start;
    this[`${role}End`] = reader.end;
  }
}

/** A map of strings; its entries become fields of `head`. */
function readMap(reader: JceReader, head: HeadView | null): void {
  const size = reader.mapSize();
  for (let i = 0; i < size && !reader.failed; i++) {
    reader.string();
    const { start, end } = reader;
    reader.string();
    if (head === null || reader.failed) continue;
    const at = head.count++ * 4;
    head.fields[at] = start;
    head.fields[at + 1] = end;
    head.fields[at + 2] = reader.start;
    head.fields[at + 3] = reader.end;
  }
}
