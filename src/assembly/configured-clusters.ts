import type { EffectiveConfig } from '../core/contract/config.ts';
import type { ClusterTable } from './clusters.ts';

/** How long a start or a reload waits for the first list of a registry. */
const warmLimitMs = 5000;

/** The clusters of a configuration: put into the table, taken back, or left to serve alone. */
export class ConfiguredClusters {
  readonly #table: ClusterTable;

  constructor(table: ClusterTable) {
    this.#table = table;
  }

  /** Puts all in; what did not change keeps its object. Waits for first lists, a bounded time. */
  async start(config: EffectiveConfig): Promise<void> {
    this.#putAll(config);
    await this.#table.warm(warmLimitMs);
  }

  /** Adds those of `next` to those of `before`, all or none. */
  async add(next: EffectiveConfig, before: EffectiveConfig): Promise<void> {
    try {
      this.#putAll(next);
    } catch (thrown) {
      this.restore(before);
      throw thrown;
    }
    await this.#table.warm(warmLimitMs);
  }

  /** As it was before `add`. */
  restore(before: EffectiveConfig): void {
    this.#putAll(before);
    this.keepOnly(before);
  }

  keepOnly(config: EffectiveConfig): void {
    this.#table.keepOnly(new Set(config.clusters.map((each) => each.name)));
  }

  #putAll(config: EffectiveConfig): void {
    this.#table.registries.lastGoodDirectory = config.lastGood?.directory ?? null;
    for (const cluster of config.clusters) this.#table.put(cluster);
  }
}
