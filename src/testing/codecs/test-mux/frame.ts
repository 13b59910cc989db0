/**
 * Frames of the test protocol "mux", big-endian:
 *
 *   0x9d | type u8 | flags u8 | 0 | id u32 | length u32 | payload
 */
export const magic = 0x9d;
export const headerBytes = 12;
export const maxPayloadBytes = 64 * 1024;

export const FrameType = {
  head: 1,
  data: 2,
  trailers: 3,
  informational: 4,
  credit: 5,
  reset: 6,
  ping: 7,
  pong: 8,
  goAway: 9,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const Flag = { end: 1 } as const;

/** What a connection does with a frame; `buf[start, end)` is its payload, borrowed. False: a protocol error. */
export interface FrameHandler {
  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): boolean;
}

/** Cuts a byte stream into frames and keeps the unfinished one. Holds no buffer between frames. */
export class FrameReader {
  #part: Buffer | null = null;

  get partBytes(): number {
    return this.#part?.length ?? 0;
  }

  takePart(): Buffer {
    const part = this.#part ?? Buffer.alloc(0);
    this.#part = null;
    return part;
  }

  /** False: what came is not this protocol. Frames before it were handled. */
  read(buf: Buffer, start: number, end: number, handler: FrameHandler): boolean {
    if (this.#part !== null) {
      buf = Buffer.concat([this.#part, buf.subarray(start, end)]);
      start = 0;
      end = buf.length;
      this.#part = null;
    }
    while (end - start >= headerBytes) {
      const length = buf.readUInt32BE(start + 8);
      const type = buf[start + 1] as number;
      if (buf[start] !== magic || buf[start + 3] !== 0 || length > maxPayloadBytes) return false;
      if (type < FrameType.head || type > FrameType.goAway) return false;
      const next = start + headerBytes + length;
      if (next > end) break;
      const flags = buf[start + 2] as number;
      if (!handler.frame(type, flags, buf.readUInt32BE(start + 4), buf, start + headerBytes, next))
        return false;
      start = next;
    }
    if (start === end) return true;
    if (buf[start] !== magic) return false;
    this.#part = Buffer.from(buf.subarray(start, end));
    return true;
  }
}

export function writeFrame(type: FrameType, flags: number, id: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  frame[0] = magic;
  frame[1] = type;
  frame[2] = flags;
  frame[3] = 0;
  frame.writeUInt32BE(id, 4);
  frame.writeUInt32BE(payload.length, 8);
  payload.copy(frame, headerBytes);
  return frame;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
