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

/**
 * Room for outgoing bytes, so that head and first body bytes leave in one write. A region is never written again
 * after it went to a socket, unless `rewind` says that the kernel has it: then the same cache-warm bytes serve the
 * next message and a busy proxy allocates no slabs.
 */
export class WriteSlab {
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
