import { Inner } from '../thrift/constants.ts';
import { ThriftMessage } from '../thrift/message.ts';

/**
 * Frames of Dubbo's thrift protocol, big-endian (apache/dubbo ThriftCodec):
 *
 *   u32 length | da bc | u32 length | u16 header length | u8 version | i32 length, service | [i32 length, path] |
 *   i64 request id | strict binary Thrift message
 *
 * The header length counts from the magic to behind the id.
 */
export const lengthBytes = 4;
export const magic = 0xdabc;
/** Magic, lengths, version, the service's length, the id. */
const minHeaderBytes = 2 + 4 + 2 + 1 + 4 + 8;
const version = 1;
const idBytes = 8;

/** One frame, as offsets. */
export class DubboThriftFrame {
  serviceStart = 0;
  serviceEnd = 0;
  /** The 64-bit id in the header; the message's own counts for nobody but the two ends. */
  idAt = 0;
  readonly message = new ThriftMessage();

  /** @returns false when it is malformed */
  read(buf: Buffer, start: number, end: number): boolean {
    const at = start + lengthBytes;
    if (end - at < minHeaderBytes || buf.readUInt16BE(at) !== magic) return false;
    const header = at + buf.readUInt16BE(at + 6);
    if (header - at < minHeaderBytes || header > end) return false;
    this.idAt = header - idBytes;
    this.serviceStart = at + 13;
    this.serviceEnd = this.serviceStart + buf.readUInt32BE(at + 9);
    if (this.serviceEnd > this.idAt) return false;
    return this.message.readMessage(buf, header, end) && this.message.inner === Inner.binary;
  }
}

/** Writes one frame. @param header magic to id as of another frame, null: made of `service` */
export function writeFrame(
  header: Buffer | null,
  service: Buffer,
  message: Buffer,
  id: number,
  idHigh: number,
): Buffer {
  const bytes = header ?? newHeader(service);
  const frame = Buffer.concat([Buffer.alloc(lengthBytes), bytes, message]);
  frame.writeUInt32BE(frame.length - lengthBytes, 0);
  frame.writeUInt32BE(frame.length - lengthBytes, lengthBytes + 2);
  const idAt = lengthBytes + bytes.length - idBytes;
  frame.writeUInt32BE(idHigh, idAt);
  frame.writeUInt32BE(id, idAt + 4);
  return frame;
}

function newHeader(service: Buffer): Buffer {
  const header = Buffer.alloc(minHeaderBytes + service.length);
  header.writeUInt16BE(magic, 0);
  header.writeUInt16BE(header.length, 6);
  header[8] = version;
  header.writeUInt32BE(service.length, 9);
  service.copy(header, 13);
  return header;
}
