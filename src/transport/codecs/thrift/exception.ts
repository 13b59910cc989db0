import { Inner } from './constants.ts';
import { readVarint, skipVarint, varintBytes, writeVarint } from './varint.ts';

/** A TApplicationException: its number and where its message stands. */
export interface ApplicationException {
  readonly failure: number;
  readonly messageStart: number;
  readonly messageEnd: number;
}

const Binary = { stop: 0, i32: 8, string: 11 } as const;
const Compact = { stop: 0, i32: 0x15, string: 0x18 } as const;

/** What can be read of the struct at `at`; unknown fields end it. */
export function readException(buf: Buffer, at: number, end: number, inner: number): ApplicationException {
  return inner === Inner.compact ? readCompact(buf, at, end) : readBinary(buf, at, end);
}

function readBinary(buf: Buffer, at: number, end: number): ApplicationException {
  const found = { failure: 0, messageStart: at, messageEnd: at };
  while (at + 7 <= end) {
    const kind = buf[at];
    const number = buf.readUInt16BE(at + 1);
    const word = buf.readUInt32BE(at + 3);
    at += 7;
    if (kind === Binary.string && number === 1 && word <= end - at) {
      found.messageStart = at;
      found.messageEnd = at = at + word;
    } else if (kind === Binary.i32 && number === 2) found.failure = word | 0;
    else break;
  }
  return found;
}

function readCompact(buf: Buffer, at: number, end: number): ApplicationException {
  const found = { failure: 0, messageStart: at, messageEnd: at };
  while (at < end) {
    const kind = buf[at++];
    const word = kind === Compact.string || kind === Compact.i32 ? readVarint(buf, at, end) : -1;
    if (word < 0) break;
    at = skipVarint(buf, at);
    if (kind === Compact.i32) found.failure = (word >>> 1) ^ -(word & 1);
    else if (word > end - at) break;
    else {
      found.messageStart = at;
      found.messageEnd = at = at + word;
    }
  }
  return found;
}

/** The struct of a TApplicationException. */
export function writeException(failure: number, message: Buffer, inner: number): Buffer {
  if (inner === Inner.compact) {
    const number = ((failure << 1) ^ (failure >> 31)) >>> 0;
    const size = 3 + varintBytes(message.length) + message.length + varintBytes(number);
    const struct = Buffer.alloc(size);
    struct[0] = Compact.string;
    let at = writeVarint(struct, 1, message.length);
    at += message.copy(struct, at);
    struct[at] = Compact.i32;
    writeVarint(struct, at + 1, number);
    return struct;
  }
  const struct = Buffer.alloc(15 + message.length);
  struct[0] = Binary.string;
  struct.writeUInt16BE(1, 1);
  struct.writeUInt32BE(message.length, 3);
  message.copy(struct, 7);
  const at = 7 + message.length;
  struct[at] = Binary.i32;
  struct.writeUInt16BE(2, at + 1);
  struct.writeInt32BE(failure, at + 3);
  return struct;
}
