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

const nothing: Buffer = Buffer.alloc(0);
const slabBytes = 64 * 1024;
/** A socket's read of 64 KiB and what a codec writes around it. */
const blockBytes = 68 * 1024;
const keptBlocks = 32;

/**
 * Buffers of 68 KiB that are somebody's for a short time: what a multiplexed connection collects before its flush, a
 * head that is being decoded, a large piece of a body on its way out. So connections that wait hold none, and a
 * download of 1 GiB makes no garbage.
 */
export class BlockPool {
  readonly #free: Buffer[] = [];

  /** At least `sizeBytes`; only blocks of the standard size are kept by `give`. */
  take(sizeBytes: number = blockBytes): Buffer {
    if (sizeBytes > blockBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  /** The caller has no view of it any more. */
  give(block: Buffer): void {
    if (block.length === blockBytes && this.#free.length < keptBlocks) this.#free.push(block);
  }
}

/**
 * Room for outgoing bytes, so that head and first body bytes leave in one write. A region is never written again
 * after it went to a socket, unless `rewind` says that the kernel has it: then the same cache-warm bytes serve the
 * next message and a busy proxy allocates no slabs.
 */
export class WriteSlab {
  readonly blocks: BlockPool = new BlockPool();
  /** None before it is used: not every protocol writes here. */
  buf: Buffer = nothing;
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
