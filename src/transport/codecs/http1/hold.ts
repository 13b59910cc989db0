const nothing: Buffer = Buffer.alloc(0);
const firstBytes = 1024;

/**
 * Bytes kept for later: an unfinished head, or what a client sent ahead of its turn. Holds no buffer while empty.
 * Bytes that are ours to keep are held as a view, borrowed ones are copied; appending doubles the room, so that a
 * head sent byte by byte costs linear time.
 */
export class ByteHold {
  buf: Buffer = nothing;
  start = 0;
  end = 0;
  /** `buf` was made here, so the bytes behind `end` are free. */
  #isOurs = false;

  get sizeBytes(): number {
    return this.end - this.start;
  }

  /** Appends a copy. */
  append(buf: Buffer, start: number, end: number): void {
    const needed = end - start;
    if (!this.#isOurs || this.end + needed > this.buf.length) this.#grow(needed);
    buf.copy(this.buf, this.end, start, end);
    this.end += needed;
  }

  /** Puts `buf[start, end)`, the rest of what `take` gave or of a fresh read, back in front of what is held. */
  keep(buf: Buffer, start: number, end: number, isOwned: boolean): void {
    if (this.sizeBytes > 0) {
      const both = Buffer.allocUnsafe(end - start + this.sizeBytes);
      buf.copy(both, 0, start, end);
      this.buf.copy(both, end - start, this.start, this.end);
      this.#set(both, 0, both.length, true);
    } else if (buf === this.buf) {
      this.start = start;
      this.end = end;
    } else if (isOwned) {
      this.#set(buf, start, end, false);
    } else {
      const copy = Buffer.allocUnsafe(end - start);
      buf.copy(copy, 0, start, end);
      this.#set(copy, 0, copy.length, true);
    }
  }

  /** Empties it for the caller, who has read `buf`, `start` and `end`; `keep` may put the rest back. */
  take(): void {
    this.start = this.end;
  }

  clear(): void {
    this.#set(nothing, 0, 0, false);
  }

  #set(buf: Buffer, start: number, end: number, isOurs: boolean): void {
    this.buf = buf;
    this.start = start;
    this.end = end;
    this.#isOurs = isOurs;
  }

  #grow(needed: number): void {
    const held = this.sizeBytes;
    const larger = Buffer.allocUnsafe(Math.max(firstBytes, (held + needed) * 2));
    this.buf.copy(larger, 0, this.start, this.end);
    this.#set(larger, 0, held, true);
  }
}
