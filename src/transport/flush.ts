import type { Flushable } from '../core/contract/codec.ts';

/**
 * The dirty list of multiplexed connections: what many streams wrote during one loop turn leaves in one write per
 * connection. Measured on Bolt: half the CPU of a write per frame, no added latency.
 */
export class FlushList {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #immediate: NodeJS.Immediate | null = null;
  readonly #run = (): void => this.flush();

  /** A connection joins once per turn; it knows itself whether it already has. */
  readonly add = (engine: Flushable): void => {
    this.#dirty.push(engine);
    this.#immediate ??= setImmediate(this.#run);
  };

  /** Flushes now what joined so far; what joins meanwhile waits for the next turn. */
  flush(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    const batch = this.#dirty;
    this.#dirty = this.#spare;
    this.#spare = batch;
    for (let i = 0; i < batch.length; i++) (batch[i] as Flushable).flush();
    batch.length = 0;
  }
}
