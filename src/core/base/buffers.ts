/**
 * Bytes that are held because a reader is slow, over all connections and streams of one mesh. Above the limit new
 * streams are refused (`buffer_overflow`); reading is already paused by then on whatever is behind.
 */
export class BufferBudget {
  /** A reload may change it. */
  limitBytes: number;
  heldBytes = 0;

  /** @param limitBytes default 256 MiB in the configuration */
  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get isExhausted(): boolean {
    return this.heldBytes > this.limitBytes;
  }
}

const slabBytes = 64 * 1024;
const keptBlocks = 32;

/**
 * Buffers of 64 KiB that are somebody's for a loop turn at most: what a multiplexed connection collects before its
 * flush, a head that is being decoded. So connections that wait hold none.
 */
export class BlockPool {
  readonly #free: Buffer[] = [];

  /** At least `sizeBytes`; only blocks of the standard size are kept by `give`. */
  take(sizeBytes: number = slabBytes): Buffer {
    if (sizeBytes > slabBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
  }

  /** The caller has no view of it any more. */
  give(block: Buffer): void {
    if (block.length === slabBytes && this.#free.length < keptBlocks) this.#free.push(block);
  }
}

/**
 * Room for outgoing bytes, so that head and first body bytes leave in one write. A region is never written again
 * after it went to a socket, unless `rewind` says that the kernel has it: then the same cache-warm bytes serve the
 * next message and a busy proxy allocates no slabs.
 */
export class WriteSlab {
  readonly blocks: BlockPool = new BlockPool();
  buf: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  at = 0;

  /** The offset of `sizeBytes` free bytes in `buf`. Read `buf` after this call: it may be a new one. */
  reserve(sizeBytes: number): number {
    if (this.at + sizeBytes > this.buf.length) {
      this.buf = Buffer.allocUnsafeSlow(Math.max(slabBytes, sizeBytes));
      this.at = 0;
    }
    return this.at;
  }

  /** Marks everything up to `end` as given away. */
  commit(end: number): void {
    this.at = end;
  }

  /** The bytes from `start` on have left the process, nothing was reserved since: they may be used again. */
  rewind(buf: Buffer, start: number): void {
    if (buf === this.buf) this.at = start;
  }
}
