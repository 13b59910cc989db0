import type { HeadView } from '../../../core/base/head-view.ts';
import { Chunked, ChunkReader } from './chunked.ts';
import type { HeadLimits } from './limits.ts';

const nothing: Buffer = Buffer.alloc(0);
const Kind = { length: 0, chunked: 1, untilClose: 2 } as const;

/** What `feed` ends with, besides a Refusal. */
export const Body = Chunked;

/** Reads one message body, however it is framed. The results of `feed` stand in the fields until the next call. */
export class BodyReader {
  /** Offset behind what was taken. */
  at = 0;
  /** The body bytes, empty when `start === end`. */
  buf: Buffer = nothing;
  start = 0;
  end = 0;
  isOwned = false;
  trailers: HeadView | null = null;
  /** Bytes that Content-Length still announces. */
  left = 0;
  #kind: number = Kind.length;
  #chunks: ChunkReader | null = null;

  beginLength(sizeBytes: number): void {
    this.#kind = Kind.length;
    this.left = sizeBytes;
  }

  beginChunked(): void {
    this.#kind = Kind.chunked;
    this.left = 0;
    this.#chunks ??= new ChunkReader();
    this.#chunks.reset();
  }

  beginUntilClose(): void {
    this.#kind = Kind.untilClose;
    this.left = 0;
  }

  get isUntilClose(): boolean {
    return this.#kind === Kind.untilClose;
  }

  /** Takes bytes up to the end of the body. @returns Body or a Refusal */
  feed(buf: Buffer, start: number, end: number, isOwned: boolean, limits: HeadLimits): number {
    this.isOwned = isOwned;
    if (this.#kind === Kind.chunked) return this.#feedChunks(buf, start, end, limits);
    this.buf = buf;
    this.start = start;
    if (this.#kind === Kind.untilClose) {
      this.at = this.end = end;
      return Body.more;
    }
    const size = Math.min(end - start, this.left);
    this.left -= size;
    this.at = this.end = start + size;
    return this.left === 0 ? Body.end : Body.more;
  }

  /** Lets go of all buffers. */
  clear(): void {
    this.buf = nothing;
    this.trailers = null;
    this.#chunks?.reset();
  }

  #feedChunks(buf: Buffer, start: number, end: number, limits: HeadLimits): number {
    const chunks = this.#chunks as ChunkReader;
    const result = chunks.feed(buf, start, end, limits);
    this.at = chunks.at;
    this.buf = chunks.buf;
    this.start = chunks.start;
    this.end = chunks.end;
    this.isOwned ||= chunks.isGathered;
    this.trailers = chunks.trailers;
    return result;
  }
}
