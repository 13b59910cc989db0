import { ServiceListShard, type ShardDelta, type ShardOptions } from '../../sharding/index.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { Registry, RegistryDelta } from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';

/** A stand-in that was unhealthy left the part, where nobody checks it: after this long it may stand in again. */
const forgiveMs = 60_000;

/**
 * A registry of which each subscriber sees the part that falls to this client: service-list sharding. Everything behind
 * it (host sets, connections, memory) is as large as the part.
 */
export class ShardedRegistry implements Registry {
  readonly #inner: Registry;
  readonly #options: ShardOptions;
  readonly #clock: Clock;
  /** By service, for what health checks say. */
  readonly #parts = new Map<string, Set<Part>>();

  constructor(inner: Registry, options: ShardOptions, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
    this.#options = options;
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const part = new Part(service, this.#options, this.#clock, onDelta);
    const parts = this.#parts.get(service) ?? new Set();
    this.#parts.set(service, parts.add(part));
    const unsubscribe = this.#inner.subscribe(service, (delta) => part.apply(delta));
    return () => {
      unsubscribe();
      part.close();
      parts.delete(part);
      if (parts.size === 0) this.#parts.delete(service);
    };
  }

  /** A member that is unhealthy gets a stand-in until it is well again. */
  setHealth(service: string, address: string, isHealthy: boolean): void {
    for (const part of this.#parts.get(service) ?? []) part.setHealth(address, isHealthy);
  }

  health(): Health {
    return this.#inner.health();
  }

  close(): Promise<void> {
    for (const parts of this.#parts.values()) for (const part of parts) part.close();
    this.#parts.clear();
    return this.#inner.close();
  }
}

/** What one subscriber sees. */
class Part {
  readonly #service: string;
  readonly #shard: ServiceListShard<Endpoint>;
  readonly #clock: Clock;
  readonly #onDelta: (delta: RegistryDelta) => void;
  readonly #ill = new Set<string>();
  readonly #forgiving = new Set<Timer>();
  #version = 0;

  constructor(service: string, options: ShardOptions, clock: Clock, onDelta: (delta: RegistryDelta) => void) {
    this.#service = service;
    this.#shard = new ServiceListShard(options);
    this.#clock = clock;
    this.#onDelta = onDelta;
  }

  apply(delta: RegistryDelta): void {
    const part = this.#shard.apply(delta);
    if (delta.full) this.#tell({ added: this.#shard.members(), removed: [], changed: [] }, true);
    else this.#tell(part, false);
    this.#forgiveLater(part.removed);
  }

  setHealth(address: string, isHealthy: boolean): void {
    if (isHealthy) this.#ill.delete(address);
    else this.#ill.add(address);
    const part = this.#shard.setHealth(address, isHealthy);
    this.#tell(part, false);
    this.#forgiveLater(part.removed);
  }

  close(): void {
    for (const timer of this.#forgiving) timer.cancel();
    this.#forgiving.clear();
  }

  #tell(part: ShardDelta<Endpoint>, full: boolean): void {
    if (!full && part.added.length + part.removed.length + part.changed.length === 0) return;
    this.#onDelta({ service: this.#service, version: ++this.#version, full, ...part });
  }

  #forgiveLater(removed: readonly string[]): void {
    for (const address of removed) {
      if (!this.#ill.delete(address)) continue;
      const timer = this.#clock.setTimer(forgiveMs, () => {
        this.#forgiving.delete(timer);
        if (!this.#ill.has(address)) this.setHealth(address, true);
      });
      this.#forgiving.add(timer);
    }
  }
}
