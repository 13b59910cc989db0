/**
 * Frames of Thrift (apache/thrift doc/specs), big-endian. Behind the length stands a message, or THeader and a message:
 *
 *   u32 length | 80 01 00 type | i32 name length | name | i32 seqid | struct                   strict binary
 *   u32 length | 82 | type << 5 | 1 | varint seqid | varint name length | name | struct        compact
 *   u32 length | 0f ff | u16 flags | i32 seqid | u16 header size / 4 | header | message        THeader
 *   header: varint protocol | varint count, transforms | infos | zeros up to a multiple of 4
 *   info 1: varint count | (varint length, key, varint length, value) each
 */
export const lengthBytes = 4;
/** Both peers of the C++ library refuse more. */
export const maxLength = 0x3fffffff;
export const headerMagic = 0x0fff;
/** Length, magic, flags, seqid, header size. */
export const headerFixedBytes = 14;
export const binaryMagic = 0x8001;
export const compactMagic = 0x82;

/** Numbers of the inner protocols in THeader. */
export const Inner = { binary: 0, compact: 2 } as const;
export const keyValueInfo = 1;
export const MessageType = { call: 1, reply: 2, exception: 3, oneWay: 4 } as const;

/** TApplicationException; 11 and 12 are those of the C++ and Go libraries that have them. */
const Failure = {
  unknown: 0,
  unknownMethod: 1,
  internalError: 6,
  protocolError: 7,
  loadShedding: 11,
  timeout: 12,
} as const;

export function failureOf(httpStatus: number): number {
  switch (httpStatus) {
    case 404:
      return Failure.unknownMethod;
    case 429:
    case 503:
      return Failure.loadShedding;
    case 408:
    case 504:
      return Failure.timeout;
    default:
      return httpStatus >= 400 && httpStatus < 500 ? Failure.protocolError : Failure.internalError;
  }
}

export function httpStatusOf(failure: number): number {
  switch (failure) {
    case Failure.unknownMethod:
      return 404;
    case Failure.protocolError:
      return 400;
    case Failure.loadShedding:
      return 503;
    case Failure.timeout:
      return 504;
    default:
      return 500;
  }
}
