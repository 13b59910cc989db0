import { WriteSlab } from '../../../core/base/buffers.ts';
import type { Flushable } from '../../../core/contract/codec.ts';
import type { Wire } from '../../../core/contract/wire.ts';

/** A piece above this is written at once: it is worth a wake-up of its own. */
const largeBytes = 16 * 1024;

/**
 * The small writes of one loop turn: all sockets are read first, then all are written, so that who waits for the bytes
 * is woken once for many of them (1 KB exchanges against haproxy: 1.24 times its CPU instead of 1.48).
 */
export class TurnWrites implements Flushable {
  /** Grows with each flush. What was added in this turn is still held. */
  turn = 1;
  readonly #flushLater: (engine: Flushable) => void;
  readonly #slab = new WriteSlab();
  /** Where the slab stood when the turn began. */
  #firstBuf: Buffer | null = null;
  #firstAt = 0;
  readonly #targets: Wire[] = [];
  readonly #sources: Wire[] = [];
  readonly #views: Buffer[] = [];
  readonly #bounds: number[] = [];

  constructor(flushLater: (engine: Flushable) => void) {
    this.#flushLater = flushLater;
  }

  /**
   * Writes `buf[start, end)`, which `source` gave, to `target`: now or at the end of the turn. `source` is paused when
   * that fills `target`. @returns whether the bytes are held until then
   */
  write(target: Wire, source: Wire, buf: Buffer, start: number, end: number): boolean {
    const size = end - start;
    if (size > largeBytes) {
      if (this.#targets.length > 0) this.flush();
      if (source.ownsReads) this.#writeNow(target, source, buf, start, end);
      else this.#writeCopy(target, source, buf, start, end);
      return false;
    }
    if (this.#targets.length === 0) {
      this.#firstBuf = this.#slab.buf;
      this.#firstAt = this.#slab.at;
      this.#flushLater(this);
    }
    if (source.ownsReads) {
      this.#hold(target, source, buf, start, end);
      return true;
    }
    // Borrowed bytes are copied once.
    const at = this.#slab.reserve(size);
    const room = this.#slab.buf;
    buf.copy(room, at, start, end);
    this.#slab.commit(at + size);
    this.#hold(target, source, room, at, at + size);
    return true;
  }

  flush(): void {
    const targets = this.#targets;
    this.turn++;
    let isAllSent = true;
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i] as Wire;
      const start = this.#bounds[2 * i] as number;
      this.#writeNow(
        target,
        this.#sources[i] as Wire,
        this.#views[i] as Buffer,
        start,
        this.#bounds[2 * i + 1] as number,
      );
      if (target.pending !== 0) isAllSent = false;
    }
    targets.length = this.#sources.length = this.#views.length = this.#bounds.length = 0;
    // The kernel has them all: the same cache-warm bytes serve the next turn. What lies before may still be on its way.
    if (isAllSent) this.#slab.at = this.#slab.buf === this.#firstBuf ? this.#firstAt : 0;
  }

  #hold(target: Wire, source: Wire, buf: Buffer, start: number, end: number): void {
    this.#targets.push(target);
    this.#sources.push(source);
    this.#views.push(buf);
    this.#bounds.push(start, end);
  }

  #writeNow(target: Wire, source: Wire, buf: Buffer, start: number, end: number): void {
    if (!target.write(buf, start, end)) source.pause();
  }

  #writeCopy(target: Wire, source: Wire, buf: Buffer, start: number, end: number): void {
    const size = end - start;
    const at = this.#slab.reserve(size);
    const room = this.#slab.buf;
    buf.copy(room, at, start, end);
    this.#slab.commit(at + size);
    this.#writeNow(target, source, room, at, at + size);
    if (target.pending === 0) this.#slab.rewind(room, at);
  }
}
