import { type FramedProtocol, needsMore, notAFrame } from './protocol.ts';

/** Frames up to this are made one piece when they came in several; larger ones keep their body as a list of views. */
const joinedBytes = 16_384;
/** `sizeOf` can tell with this many. */
const prefixBytes = 64;
/** Shorter reads are copied together: a peer that sends byte by byte must not cost a Buffer each. */
const smallReadBytes = 2048;
const nothing: Buffer = Buffer.alloc(0);

/** What a connection does with its frames. False: it is over, nothing more is read. */
export interface FrameHandler {
  /** `buf[start, end)` is one frame. */
  onFrame(buf: Buffer, start: number, end: number): boolean;
  /** A large frame: its first `headBytesOf` bytes, and the rest in order. */
  onLargeFrame(head: Buffer, body: readonly Buffer[], sizeBytes: number): boolean;
  /** `isTooLarge`: a frame beyond the cap; else bytes that are no frame. */
  onBadFrame(isTooLarge: boolean): void;
}

/**
 * Cuts a byte stream into frames. Whole frames are passed on where they stand; an unfinished one waits as a list of
 * views and is never copied on each read. Between frames it holds nothing.
 */
export class FrameReader {
  readonly #protocol: FramedProtocol;
  readonly #maxFrameBytes: number;
  #views: Buffer[] = [];
  #partBytes = 0;
  /** Of the unfinished frame; 0 while that is unknown. */
  #frameBytes = 0;
  /** The last view, where short reads are copied together. */
  #tail: Buffer | null = null;
  #tailUsed = 0;

  constructor(protocol: FramedProtocol, maxFrameBytes: number) {
    this.#protocol = protocol;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes of the unfinished frame. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** Gives the unfinished frame away. */
  takePart(): Buffer {
    this.#closeTail();
    const part = this.#views.length === 1 ? (this.#views[0] as Buffer) : Buffer.concat(this.#views);
    this.#clear();
    return part;
  }

  /** Bytes are the reader's from now on. */
  read(buf: Buffer, start: number, end: number, handler: FrameHandler): void {
    if (this.#partBytes > 0) {
      start = this.#continue(buf, start, end, handler);
      if (start < 0) return;
    }
    const protocol = this.#protocol;
    while (start < end) {
      const size = protocol.sizeOf(buf, start, end);
      if (size === needsMore) break;
      if (size === notAFrame || size > this.#maxFrameBytes) {
        handler.onBadFrame(size !== notAFrame);
        return;
      }
      const next = start + size;
      if (next > end) {
        this.#frameBytes = size;
        break;
      }
      if (!handler.onFrame(buf, start, next)) return;
      start = next;
    }
    if (start < end) this.#keep(buf, start, end);
  }

  /** Adds to the unfinished frame. Returns where the next one begins, or -1 when there is no more to do. */
  #continue(buf: Buffer, start: number, end: number, handler: FrameHandler): number {
    if (this.#frameBytes === 0) {
      start = this.#readPrefix(buf, start, end);
      const prefix = this.#views[0] as Buffer;
      const size = this.#protocol.sizeOf(prefix, 0, this.#partBytes);
      if (size === needsMore && start === end && this.#partBytes < prefixBytes) return -1;
      if (size <= 0 || size > this.#maxFrameBytes) {
        this.#clear();
        handler.onBadFrame(size > 0);
        return -1;
      }
      this.#frameBytes = size;
      // A prefix that reached beyond its frame: what is behind it begins the next ones.
      if (size <= this.#partBytes) return this.#splitPrefix(buf, start, end, handler);
    }
    const wanted = this.#frameBytes - this.#partBytes;
    if (end - start < wanted) {
      this.#keep(buf, start, end);
      return -1;
    }
    this.#keep(buf, start, start + wanted);
    return this.#finish(handler) ? start + wanted : -1;
  }

  /** Completes the first view to as many bytes as `sizeOf` may ask for. */
  #readPrefix(buf: Buffer, start: number, end: number): number {
    this.#closeTail();
    const have = this.#partBytes;
    const more = Math.min(end - start, prefixBytes - have);
    const prefix = Buffer.allocUnsafe(have + more);
    let at = 0;
    for (const view of this.#views) at += view.copy(prefix, at);
    buf.copy(prefix, at, start, start + more);
    this.#views = [prefix];
    this.#partBytes = have + more;
    return start + more;
  }

  #splitPrefix(buf: Buffer, start: number, end: number, handler: FrameHandler): number {
    const rest = [...this.#views, buf.subarray(start, end)];
    this.#clear();
    const joined = Buffer.concat(rest);
    this.read(joined, 0, joined.length, handler);
    return -1;
  }

  #keep(buf: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size === 0) return;
    this.#partBytes += size;
    if (size > smallReadBytes) {
      this.#closeTail();
      this.#views.push(start === 0 && end === buf.length ? buf : buf.subarray(start, end));
      return;
    }
    while (start < end) {
      if (this.#tail === null) {
        this.#tail = Buffer.allocUnsafe(this.#views.length === 0 ? Math.max(256, size) : smallReadBytes * 2);
        this.#tailUsed = 0;
      }
      const count = buf.copy(this.#tail, this.#tailUsed, start, end);
      this.#tailUsed += count;
      start += count;
      if (this.#tailUsed === this.#tail.length) this.#closeTail();
    }
  }

  #closeTail(): void {
    if (this.#tail !== null && this.#tailUsed > 0) this.#views.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = null;
    this.#tailUsed = 0;
  }

  #finish(handler: FrameHandler): boolean {
    this.#closeTail();
    const views = this.#views;
    const size = this.#frameBytes;
    this.#clear();
    if (size > joinedBytes) {
      const first = upTo(views, prefixBytes);
      const headBytes = this.#protocol.headBytesOf(first, 0, size);
      if (headBytes < size) {
        const head = upTo(views, headBytes);
        return handler.onLargeFrame(head.subarray(0, headBytes), from(views, headBytes), size);
      }
    }
    const frame = views.length === 1 ? (views[0] as Buffer) : Buffer.concat(views, size);
    return handler.onFrame(frame, 0, size);
  }

  #clear(): void {
    this.#views = [];
    this.#partBytes = 0;
    this.#frameBytes = 0;
    this.#tail = null;
    this.#tailUsed = 0;
  }
}

/** The first `count` bytes, or more, in one piece. */
function upTo(views: readonly Buffer[], count: number): Buffer {
  const first = views[0] ?? nothing;
  if (first.length >= count) return first;
  const taken: Buffer[] = [];
  let size = 0;
  for (const view of views) {
    if (size >= count) break;
    taken.push(view);
    size += view.length;
  }
  return Buffer.concat(taken);
}

/** The views without their first `count` bytes. */
function from(views: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = [];
  for (const view of views) {
    if (count >= view.length) count -= view.length;
    else {
      rest.push(count === 0 ? view : view.subarray(count));
      count = 0;
    }
  }
  return rest;
}
