import type { HeadView } from '../../../core/base/head-view.ts';
import type { TurnWrites } from '../../../core/contract/turn-writes.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { copyBytes, writeChunkSize, writeText } from './bytes.ts';
import { encodeRequest, encodeResponse, Framing, headBound } from './encode.ts';
import { encodeFields, fieldsBound } from './encode-fields.ts';

/** Owned body bytes up to this leave in the write of their head; above it the copy costs more than a second write. */
const mergedBytes = 16_384;
/** A message above this gets a buffer of its own, which comes back when it has left. */
const largeBytes = 32_768;
/** Size line, CR LF behind the data, last chunk. */
const chunkRoom = 32;
const lastChunk = '0\r\n\r\n';

/**
 * The write side of one connection: heads, bodies and trailers go through the slab that all connections share and
 * leave in one write a call, at the end of the loop turn where TurnWrites holds them. Two writes instead of one cost
 * 6 us, the largest single item of a proxied request.
 */
export class MessageWriter {
  readonly #wire: Wire;
  readonly #writes: TurnWrites;
  framing: number = Framing.none;
  /** Body bytes that Content-Length still promises. */
  left = 0;
  /** Where the message at hand is written. */
  #target: Buffer;
  /** The last turn in which something was written. */
  #heldTurn = 0;
  /** Large buffers on their way out. */
  #lent: Buffer[] | null = null;

  constructor(wire: Wire, writes: TurnWrites) {
    this.#wire = wire;
    this.#writes = writes;
    this.#target = writes.slab.buf;
  }

  /** Everything that was written has left. */
  drained(): void {
    if (this.#lent === null || this.#wire.pending > 0) return;
    for (const buf of this.#lent) this.#writes.slab.blocks.give(buf);
    this.#lent = null;
  }

  /** What the turn still holds of this connection leaves now: before its end, and before bytes that go another way. */
  leave(): void {
    if (this.#heldTurn === this.#writes.turn) this.#writes.flush();
  }

  /** Each method returns false when the wire is above its high-water mark. */
  request(
    head: HeadView,
    framing: number,
    lengthBytes: number,
    buf: Buffer | null,
    a: number,
    b: number,
    end: boolean,
    isOwned: boolean,
  ): boolean {
    const isMerged = this.#begin(framing, lengthBytes, b - a, isOwned);
    const start = this.#reserve(headBound(head) + (isMerged ? b - a : 0) + chunkRoom);
    const at = encodeRequest(head, this.#target, start, framing, lengthBytes);
    return this.#send(start, at, buf, a, b, end, isMerged);
  }

  response(
    head: HeadView,
    framing: number,
    lengthBytes: number,
    connection: string,
    buf: Buffer | null,
    a: number,
    b: number,
    end: boolean,
    isOwned: boolean,
  ): boolean {
    const isMerged = this.#begin(framing, lengthBytes, b - a, isOwned);
    const start = this.#reserve(headBound(head) + (isMerged ? b - a : 0) + chunkRoom);
    const at = encodeResponse(head, this.#target, start, framing, lengthBytes, connection);
    return this.#send(start, at, buf, a, b, end, isMerged);
  }

  data(buf: Buffer, a: number, b: number, end: boolean, isOwned: boolean): boolean {
    if (this.framing === Framing.none) return true;
    const isChunked = this.framing === Framing.chunked;
    if (a === b && !(isChunked && end)) return true;
    if (isOwned && !isChunked) return this.#view(buf, a, b);
    const start = this.#reserve(b - a + chunkRoom);
    return this.#send(start, start, buf, a, b, end, true);
  }

  /** Ends a chunked body; framings that have no trailers drop them. */
  trailers(trailers: HeadView): boolean {
    if (this.framing !== Framing.chunked) return true;
    const start = this.#reserve(fieldsBound(trailers) + chunkRoom);
    const target = this.#target;
    let at = writeText(target, start, '0\r\n');
    at = encodeFields(trailers, target, at, -1, false, -1);
    target[at++] = 13;
    target[at++] = 10;
    return this.#flush(start, at);
  }

  #begin(framing: number, lengthBytes: number, sizeBytes: number, isOwned: boolean): boolean {
    this.framing = framing;
    this.left = framing === Framing.length ? lengthBytes : 0;
    return !isOwned || sizeBytes <= mergedBytes || framing === Framing.chunked;
  }

  /** Appends the body bytes to what stands in the slab from `start` to `at` and writes it all. */
  #send(
    start: number,
    at: number,
    buf: Buffer | null,
    a: number,
    b: number,
    end: boolean,
    isMerged: boolean,
  ): boolean {
    if (buf === null || this.framing === Framing.none) b = a;
    const target = this.#target;
    if (this.framing === Framing.chunked) {
      if (b > a) {
        at = writeChunkSize(target, at, b - a);
        at = copyBytes(buf as Buffer, a, b, target, at);
        target[at++] = 13;
        target[at++] = 10;
      }
      if (end) at = writeText(target, at, lastChunk);
      return this.#flush(start, at);
    }
    if (!isMerged && b > a) {
      this.#flush(start, at);
      return this.#view(buf as Buffer, a, b);
    }
    const stop = this.#clip(a, b);
    if (stop > a) at = copyBytes(buf as Buffer, a, stop, target, at);
    return this.#flush(start, at);
  }

  #view(buf: Buffer, a: number, b: number): boolean {
    const stop = this.#clip(a, b);
    if (stop === a) return true;
    if (stop - a <= mergedBytes) {
      this.#heldTurn = this.#writes.turn;
      return this.#writes.write(this.#wire, buf, a, stop);
    }
    this.leave();
    return this.#wire.write(buf, a, stop);
  }

  /** More than Content-Length promised would be read as the next message: it never leaves. */
  #clip(a: number, b: number): number {
    if (this.framing !== Framing.length) return b;
    const stop = Math.min(b, a + this.left);
    this.left -= stop - a;
    return stop;
  }

  /** The offset of `sizeBytes` free bytes in `#target`. */
  #reserve(sizeBytes: number): number {
    if (sizeBytes > largeBytes) {
      this.#target = this.#writes.slab.blocks.take(sizeBytes);
      return 0;
    }
    const start = this.#writes.reserve(sizeBytes);
    this.#target = this.#writes.slab.buf;
    return start;
  }

  #flush(start: number, at: number): boolean {
    const writes = this.#writes;
    const target = this.#target;
    if (target !== writes.slab.buf) return this.#flushLarge(target, at);
    this.#heldTurn = writes.turn;
    return writes.commit(this.#wire, start, at);
  }

  #flushLarge(target: Buffer, end: number): boolean {
    this.leave();
    const isBelowMark = this.#wire.write(target, 0, end);
    if (this.#wire.pending === 0) this.#writes.slab.blocks.give(target);
    // A write that leaves the wire below its mark reports no drain: the collector has that one.
    else if (!isBelowMark) {
      if (this.#lent === null) this.#lent = [target];
      else this.#lent.push(target);
    }
    return isBelowMark;
  }
}
