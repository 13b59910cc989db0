import type { ClientCodec } from '../../core/contract/codec.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { PoolSetup } from './setup.ts';

interface Use {
  served: number;
  /** Ticks without a stream. */
  quiet: number;
}

/** Ticks are half the idle limit long. */
const quietTicksAllowed = 2;

/** Many streams on a connection (HTTP/2, Bolt, Dubbo): the one with the most room takes the next stream. */
export class MultiplexPool extends ConnectionPool {
  readonly #uses = new Map<ClientCodec, Use>();

  constructor(setup: PoolSetup) {
    super(setup);
    this.begin();
  }

  protected select(): ClientCodec | null {
    let best: ClientCodec | null = null;
    for (const codec of this.usable) {
      if (codec.room === 0 || this.isSpent(codec)) continue;
      if (best === null || codec.room > best.room) best = codec;
    }
    return best;
  }

  protected freed(): void {}

  protected forget(codec: ClientCodec): void {
    this.#uses.delete(codec);
  }

  protected evict(): void {
    if (this.options.idleTimeoutMs === 0) return;
    for (const codec of [...this.usable]) {
      const use = this.#uses.get(codec);
      if (use === undefined) {
        this.#uses.set(codec, { served: codec.served, quiet: 0 });
      } else if (codec.active > 0 || codec.served !== use.served) {
        use.served = codec.served;
        use.quiet = 0;
      } else if (++use.quiet >= quietTicksAllowed) {
        this.evictOne(codec);
      }
    }
  }
}
