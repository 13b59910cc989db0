import type { ClientCodec } from '../../core/contract/codec.ts';
import { ConnectionPool } from './connection-pool.ts';
import { IdleAges } from './idle-ages.ts';
import type { PoolSetup } from './setup.ts';

/** One stream at a time on a connection (HTTP/1.1). The connection used last is taken first: it is warm, the others age. */
export class PingPongPool extends ConnectionPool {
  readonly #idle: ClientCodec[] = [];
  readonly #ages = new IdleAges();

  constructor(setup: PoolSetup) {
    super(setup);
    this.begin();
  }

  protected select(): ClientCodec | null {
    const codec = this.#idle.pop();
    if (codec === undefined) return null;
    this.#ages.popped(this.#idle.length);
    return codec;
  }

  protected freed(codec: ClientCodec): void {
    // One that still connects goes to the bottom: an established one answers sooner.
    if (codec.wire.isConnecting) this.#idle.unshift(codec);
    else this.#idle.push(codec);
  }

  protected forget(codec: ClientCodec): void {
    const at = this.#idle.indexOf(codec);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#ages.removed();
  }

  protected evict(): void {
    const old = this.#ages.turn(this.#idle.length);
    if (this.options.idleTimeoutMs === 0) return;
    for (const codec of this.#idle.slice(0, old)) if (!this.evictOne(codec)) return;
  }
}
