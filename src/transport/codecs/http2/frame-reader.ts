import { Flag, FrameType, frameHeaderBytes, maxFrameBytes } from './constants.ts';

const nothing: Buffer = Buffer.alloc(0);

/** What a connection does with frames. Bytes are borrowed unless `reader.isOwned`. */
export interface FrameHandler {
  /** Frames are not wanted any more. */
  readonly isClosing: boolean;
  /** False: this frame may not come now, the connection is over. */
  begins(type: number, flags: number, id: number, length: number): boolean;
  /** A whole frame but DATA without padding; `buf[start, end)` is its payload. */
  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): void;
  /**
   * Body bytes of a DATA frame, whole or in pieces as they come.
   * @param counted what flow control counts with this piece: all of the frame with the first, 0 with others
   * @param isLast the frame ends here
   */
  data(
    id: number,
    flags: number,
    buf: Buffer,
    start: number,
    end: number,
    counted: number,
    isLast: boolean,
  ): void;
}

/**
 * Cuts a byte stream into frames (RFC 9113 §4.1). DATA passes through in the pieces that the network made; any other
 * frame is kept until it is complete. Holds no buffer between frames.
 */
export class FrameReader {
  /** The bytes at hand, for a look at the frame behind the one that is being handled. */
  buf: Buffer = nothing;
  next = 0;
  end = 0;
  isOwned = false;
  /** Frames begun so far. */
  frames = 0;
  /** Body bytes that `takeData` found. */
  dataStart = 0;
  dataEnd = 0;
  #part: Buffer | null = null;
  #partBytes = 0;
  #dataId = 0;
  #dataFlags = 0;
  #dataLeft = 0;

  get partBytes(): number {
    return this.#partBytes;
  }

  /** In the middle of a DATA frame: such a connection cannot be moved. */
  get isInData(): boolean {
    return this.#dataLeft > 0;
  }

  takePart(): Buffer {
    const part = this.#part === null ? nothing : Buffer.from(this.#part.subarray(0, this.#partBytes));
    this.clear();
    return part;
  }

  clear(): void {
    this.#part = null;
    this.#partBytes = this.#dataLeft = 0;
  }

  read(buf: Buffer, start: number, end: number, isOwned: boolean, handler: FrameHandler): void {
    let at = start;
    if (this.#part !== null) at = this.#completePart(buf, at, end, handler);
    this.isOwned = isOwned;
    while (at < end && !handler.isClosing) {
      const before = at;
      at = this.#dataLeft > 0 ? this.#moreData(buf, at, end, handler) : this.#frame(buf, at, end, handler);
      if (at === before) break;
    }
    this.buf = nothing;
    if (at < end && !handler.isClosing) this.#keep(buf, at, end);
  }

  /**
   * Does a whole DATA frame of that stream stand behind the frame at hand? Then its bytes are taken: they leave with
   * the head.
   * @returns its flags, -1 when there is none
   */
  takeData(id: number): number {
    const { buf, next: at, end } = this;
    if (end - at < frameHeaderBytes || buf[at + 3] !== FrameType.data) return -1;
    const length = lengthAt(buf, at);
    const flags = buf[at + 4] as number;
    const next = at + frameHeaderBytes + length;
    if (next > end || length > maxFrameBytes || (flags & Flag.padded) !== 0 || idAt(buf, at) !== id)
      return -1;
    this.dataStart = at + frameHeaderBytes;
    this.dataEnd = this.next = next;
    return flags;
  }

  #frame(buf: Buffer, at: number, end: number, handler: FrameHandler): number {
    if (end - at < frameHeaderBytes) return at;
    const length = lengthAt(buf, at);
    const type = buf[at + 3] as number;
    const flags = buf[at + 4] as number;
    const id = idAt(buf, at);
    const start = at + frameHeaderBytes;
    const isPlainData = type === FrameType.data && (flags & Flag.padded) === 0;
    if (!isPlainData && start + length > end && length <= maxFrameBytes) return at;
    this.frames++;
    if (!handler.begins(type, flags, id, length)) return end;
    if (!isPlainData) {
      this.buf = buf;
      this.next = start + length;
      this.end = end;
      handler.frame(type, flags, id, buf, start, start + length);
      return this.next;
    }
    const stop = Math.min(end, start + length);
    this.#dataId = id;
    this.#dataFlags = flags;
    this.#dataLeft = start + length - stop;
    handler.data(id, flags, buf, start, stop, length, this.#dataLeft === 0);
    return stop;
  }

  #moreData(buf: Buffer, at: number, end: number, handler: FrameHandler): number {
    const stop = Math.min(end, at + this.#dataLeft);
    this.#dataLeft -= stop - at;
    handler.data(this.#dataId, this.#dataFlags, buf, at, stop, 0, this.#dataLeft === 0);
    return stop;
  }

  /** The rest is the beginning of a frame: room for all of it as soon as its length is known. */
  #keep(buf: Buffer, at: number, end: number): void {
    const have = end - at;
    const needed = have < frameHeaderBytes ? frameHeaderBytes : frameHeaderBytes + lengthAt(buf, at);
    this.#part = Buffer.allocUnsafe(needed);
    buf.copy(this.#part, 0, at, end);
    this.#partBytes = have;
  }

  /** Adds to the frame that is held; returns the offset behind what was taken. */
  #completePart(buf: Buffer, at: number, end: number, handler: FrameHandler): number {
    let part = this.#part as Buffer;
    while (at < end) {
      const count = Math.min(end - at, part.length - this.#partBytes);
      buf.copy(part, this.#partBytes, at, at + count);
      this.#partBytes += count;
      at += count;
      if (this.#partBytes < part.length) return at;
      const length = lengthAt(part, 0);
      const isWhole = part.length === frameHeaderBytes + length;
      const isData = part[3] === FrameType.data && ((part[4] as number) & Flag.padded) === 0;
      if (isWhole || isData || length > maxFrameBytes) {
        this.#part = null;
        this.#partBytes = 0;
        this.isOwned = true;
        this.#frame(part, 0, part.length, handler);
        return at;
      }
      const larger = Buffer.allocUnsafe(frameHeaderBytes + length);
      part.copy(larger, 0, 0, frameHeaderBytes);
      this.#part = part = larger;
    }
    return at;
  }
}

function lengthAt(buf: Buffer, at: number): number {
  return ((buf[at] as number) << 16) | ((buf[at + 1] as number) << 8) | (buf[at + 2] as number);
}

/** The reserved bit is ignored. */
function idAt(buf: Buffer, at: number): number {
  return (
    (((buf[at + 5] as number) & 127) << 24) |
    ((buf[at + 6] as number) << 16) |
    ((buf[at + 7] as number) << 8) |
    (buf[at + 8] as number)
  );
}
