import { ServiceListShard, type ShardOptions } from '../../sharding/index.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { Registry, RegistryDelta } from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';

/**
 * A registry of which each subscriber sees the part that falls to this client: service-list sharding. Everything behind
 * it (host sets, connections, memory) is as large as the part.
 */
export class ShardedRegistry implements Registry {
  readonly #inner: Registry;
  readonly #options: ShardOptions;
  /** By service, for what health checks say. */
  readonly #shards = new Map<string, Set<(address: string, isHealthy: boolean) => void>>();

  constructor(inner: Registry, options: ShardOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const shard = new ServiceListShard<Endpoint>(this.#options);
    let version = 0;
    const setHealth = (address: string, isHealthy: boolean): void => {
      const delta = shard.setHealth(address, isHealthy);
      if (delta.added.length + delta.removed.length === 0) return;
      onDelta({ service, version: ++version, full: false, ...delta });
    };
    const setters = this.#shards.get(service) ?? new Set();
    this.#shards.set(service, setters.add(setHealth));
    const unsubscribe = this.#inner.subscribe(service, (delta) => {
      const part = shard.apply(delta);
      if (delta.full) {
        const added = shard.members();
        onDelta({ service, version: ++version, full: true, added, removed: [], changed: [] });
      } else if (part.added.length + part.removed.length + part.changed.length > 0) {
        onDelta({ service, version: ++version, full: false, ...part });
      }
    });
    return () => {
      unsubscribe();
      setters.delete(setHealth);
      if (setters.size === 0) this.#shards.delete(service);
    };
  }

  /** A member that is unhealthy gets a stand-in until it is well again. */
  setHealth(service: string, address: string, isHealthy: boolean): void {
    for (const set of this.#shards.get(service) ?? []) set(address, isHealthy);
  }

  health(): Health {
    return this.#inner.health();
  }

  close(): Promise<void> {
    this.#shards.clear();
    return this.#inner.close();
  }
}
