import type { WriteSlab } from '../../../core/base/buffers.ts';
import { copyBytes } from '../../../core/base/bytes.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { frameHeaderBytes } from './constants.ts';

const nothing: Buffer = Buffer.alloc(0);

/**
 * What a connection sends in one loop turn, collected in a block that it holds until the flush: all frames of all
 * streams leave in one write. A turn that fills the block sends it early.
 */
export class Output {
  buf: Buffer = nothing;
  at = 0;
  /** The wire is above its mark: no DATA until it has drained. */
  isFull = false;
  readonly #wire: Wire;
  readonly #slab: WriteSlab;

  constructor(wire: Wire, slab: WriteSlab) {
    this.#wire = wire;
    this.#slab = slab;
  }

  /** Free bytes at `at`; `buf` may be another one afterwards. */
  reserve(sizeBytes: number): void {
    if (this.at + sizeBytes <= this.buf.length) return;
    this.send();
    if (sizeBytes <= this.buf.length) return;
    this.#slab.blocks.give(this.buf);
    this.buf = this.#slab.blocks.take(sizeBytes);
  }

  /** Room for the frame is reserved here. */
  frameHeader(length: number, type: number, flags: number, id: number): void {
    this.reserve(frameHeaderBytes + length);
    writeFrameHeader(this.buf, this.at, length, type, flags, id);
    this.at += frameHeaderBytes;
  }

  /** Room must be there. */
  uint32(value: number): void {
    const { buf } = this;
    buf[this.at++] = value >>> 24;
    buf[this.at++] = (value >>> 16) & 255;
    buf[this.at++] = (value >>> 8) & 255;
    buf[this.at++] = value & 255;
  }

  copy(from: Buffer, start: number, end: number): void {
    this.at = copyBytes(from, start, end, this.buf, this.at);
  }

  /** Gives to the wire what is there. */
  send(): void {
    const { buf, at } = this;
    if (at === 0) return;
    this.at = 0;
    // A connection that does not take its bytes waits with a buffer of their size, not with a block.
    if (this.#wire.pending > 0) {
      const copy = Buffer.allocUnsafe(at);
      buf.copy(copy, 0, 0, at);
      if (!this.#wire.write(copy, 0, at)) this.isFull = true;
      return;
    }
    if (!this.#wire.write(buf, 0, at)) this.isFull = true;
    if (this.#wire.pending > 0) this.buf = nothing;
  }

  /** The turn is over: the block goes back. */
  release(): void {
    this.#slab.blocks.give(this.buf);
    this.buf = nothing;
  }

  /** Nothing more will be sent. */
  drop(): void {
    this.at = 0;
    this.release();
  }
}

export function writeFrameHeader(
  buf: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): void {
  buf[at] = length >>> 16;
  buf[at + 1] = (length >>> 8) & 255;
  buf[at + 2] = length & 255;
  buf[at + 3] = type;
  buf[at + 4] = flags;
  buf[at + 5] = id >>> 24;
  buf[at + 6] = (id >>> 16) & 255;
  buf[at + 7] = (id >>> 8) & 255;
  buf[at + 8] = id & 255;
}
