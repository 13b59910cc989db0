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
/** So many streams in a row go to one connection: what they send leaves in one piece, and nobody has to compare. */
const streamsInARow = 32;

/** Many streams on a connection (HTTP/2, Bolt, Dubbo): the one with the most room takes the next few streams. */
export class MultiplexPool extends ConnectionPool {
  readonly #uses = new Map<ClientCodec, Use>();
  /** Who takes the next streams, and how many of them. */
  #chosen: ClientCodec | null = null;
  #left = 0;

  constructor(setup: PoolSetup) {
    super(setup);
    this.begin();
  }

  protected select(): ClientCodec | null {
    const chosen = this.#chosen;
    if (chosen !== null && this.#left-- > 0 && chosen.room > 0 && !this.isSpent(chosen)) return chosen;
    const best = this.#roomiest();
    // One connection needs no comparing at all.
    const isOnly = this.usable.size === 1 && this.options.preconnect <= 1;
    this.#left = isOnly ? Number.MAX_SAFE_INTEGER : streamsInARow;
    this.#chosen = best;
    return best;
  }

  #roomiest(): ClientCodec | null {
    let best: ClientCodec | null = null;
    for (const codec of this.usable) {
      if (codec.room === 0 || this.isSpent(codec)) continue;
      if (best === null || codec.room > best.room) best = codec;
    }
    return best;
  }

  protected freed(): void {}

  protected forget(codec: ClientCodec): void {
    if (this.#chosen === codec) this.#chosen = null;
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
