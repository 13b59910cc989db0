/**
 * Offsets of SOFA Bolt frames, all integers big endian (sofa-bolt RpcProtocol, RpcProtocolV2).
 *
 *   v1  proto=1 |      type | cmd u16 | ver2 | id u32 | codec |        | timeout i32 or status u16 | class u16 | header u16 | content u32
 *   v2  proto=2 | ver1 | type | cmd u16 | ver2 | id u32 | codec | switch | the same                                              [CRC-32]
 *
 * Then the class name, the header map and the content. A CRC-32 of all before it ends the frame when `ver1` is 2 and
 * bit 0 of `switch` is set; `switch` means nothing otherwise.
 */
export const Proto = { v1: 1, v2: 2 } as const;
export const FrameType = { response: 0, request: 1, oneWay: 2 } as const;
export const Command = { heartbeat: 0, request: 1, response: 2, goAway: 100 } as const;

/** Java reads class and header lengths as signed 16-bit, the content's as signed 32-bit integers. */
const maxShort = 0x7fff;
const maxInt = 0x7fffffff;

export const crcBytes = 4;

/** v2 has one byte more before the type, and one more behind the codec. */
const shiftOf = (buf: Buffer, start: number): number => (buf[start] === Proto.v1 ? 0 : 1);

export const typeOf = (buf: Buffer, start: number): number => buf[start + 1 + shiftOf(buf, start)] as number;

export const commandOf = (buf: Buffer, start: number): number =>
  readUint16(buf, start + 2 + shiftOf(buf, start));

/** Where the id stands. */
export const idAt = (buf: Buffer, start: number): number => start + 5 + shiftOf(buf, start);

export const codecOf = (buf: Buffer, start: number): number => buf[start + 9 + shiftOf(buf, start)] as number;

/** Where the timeout of a request or the status of a response stands. */
export const timeoutAt = (buf: Buffer, start: number): number => start + 10 + 2 * shiftOf(buf, start);

/** Where the three lengths stand: class, header, content. */
export const lengthsAt = (buf: Buffer, start: number): number =>
  timeoutAt(buf, start) + (typeOf(buf, start) === FrameType.response ? 2 : 4);

export const hasCrc = (buf: Buffer, start: number): boolean =>
  buf[start] === Proto.v2 && buf[start + 1] === 2 && ((buf[start + 11] as number) & 1) === 1;

/** Bytes before the class name: 20 to 24. */
export function fixedBytesOf(proto: number, type: number): number {
  return (type === FrameType.response ? 20 : 22) + (proto === Proto.v1 ? 0 : 2);
}

/** Answers of `frameSize` beside a size, as in `FramedProtocol.sizeOf`. */
const more = 0;
const none = -1;

/** Size of the frame of which `end - start` bytes are here; 0: more are needed; -1: this is none. */
export function frameSize(buf: Buffer, start: number, end: number): number {
  const have = end - start;
  const proto = buf[start] as number;
  if (proto !== Proto.v1 && proto !== Proto.v2) return none;
  const shift = proto - 1;
  if (have < 4 + shift) return have > 1 && !isPlausible(buf, start, end, shift) ? none : more;
  if (!isPlausible(buf, start, end, shift)) return none;
  const type = buf[start + 1 + shift] as number;
  const fixed = (type === FrameType.response ? 20 : 22) + shift * 2;
  if (have < fixed) return more;
  const at = start + fixed - 8;
  const classBytes = readUint16(buf, at);
  const headerBytes = readUint16(buf, at + 2);
  const contentBytes = readUint32(buf, at + 4);
  if (classBytes > maxShort || headerBytes > maxShort || contentBytes > maxInt) return none;
  return fixed + classBytes + headerBytes + contentBytes + (shift === 1 && hasCrc(buf, start) ? crcBytes : 0);
}

/** Are version, type and command what this protocol has, as far as they are here? */
function isPlausible(buf: Buffer, start: number, end: number, shift: number): boolean {
  if (shift === 1) {
    const ver1 = buf[start + 1] as number;
    // Another value makes Java wait in silence; a proxy must not.
    if (ver1 !== 1 && ver1 !== 2) return false;
  }
  const at = start + 1 + shift;
  if (at < end && (buf[at] as number) > FrameType.oneWay) return false;
  if (at + 1 < end && buf[at + 1] !== 0) return false;
  if (at + 2 >= end) return true;
  const command = buf[at + 2] as number;
  return command <= Command.response || command === Command.goAway;
}

export function readUint16(buf: Buffer, at: number): number {
  return ((buf[at] as number) << 8) | (buf[at + 1] as number);
}

export function readUint32(buf: Buffer, at: number): number {
  return readInt32(buf, at) >>> 0;
}

export function readInt32(buf: Buffer, at: number): number {
  return (
    ((buf[at] as number) << 24) |
    ((buf[at + 1] as number) << 16) |
    ((buf[at + 2] as number) << 8) |
    (buf[at + 3] as number)
  );
}

export function writeUint16(buf: Buffer, at: number, value: number): void {
  buf[at] = value >>> 8;
  buf[at + 1] = value;
}

export function writeUint32(buf: Buffer, at: number, value: number): void {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
}
