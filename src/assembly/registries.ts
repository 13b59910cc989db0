import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { DiscoveryConfig } from '../core/contract/config.ts';
import type { Registry, RegistryDelta } from '../core/contract/registry.ts';
import type { Health } from '../core/contract/state.ts';
import { LastGoodRegistry } from '../core/discovery/index.ts';
import type { Runtime } from './runtime.ts';

interface Shared {
  readonly name: string;
  readonly registry: Registry;
  users: number;
}

/** Registries by name and configuration: clusters that name the same one share it; the last to leave closes it. */
export class Registries {
  /** Where last good lists are kept, for registries made from now on; null = nowhere. */
  lastGoodDirectory: string | null = null;
  readonly #runtime: Runtime;
  readonly #shared = new Map<string, Shared>();
  readonly #ending = new Set<Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws HeddleError ERR_CONFIG_INVALID */
  subscribe(discovery: DiscoveryConfig, onDelta: (delta: RegistryDelta) => void): () => void {
    const key = canonicalJson([discovery.name, discovery.config ?? {}, this.lastGoodDirectory]);
    const shared = this.#shared.get(key) ?? this.#create(key, discovery);
    shared.users++;
    const unsubscribe = shared.registry.subscribe(discovery.service, onDelta);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      unsubscribe();
      if (--shared.users > 0) return;
      this.#shared.delete(key);
      this.#end(shared);
    };
  }

  /** One entry a registry. */
  health(): { readonly name: string; readonly health: Health }[] {
    return [...this.#shared.values()].map((each) => ({ name: each.name, health: each.registry.health() }));
  }

  async close(): Promise<void> {
    for (const shared of this.#shared.values()) this.#end(shared);
    this.#shared.clear();
    await Promise.all(this.#ending);
  }

  /** A registry may have something to write at its end. */
  #end(shared: Shared): void {
    const ending = shared.registry
      .close()
      .catch((thrown: unknown) => {
        const fields = { registry: shared.name, error: String(thrown) };
        this.#runtime.logger.warn('a registry did not close', fields);
      })
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #create(key: string, discovery: DiscoveryConfig): Shared {
    const definition = this.#runtime.extensions.registries.find((each) => each.name === discovery.name);
    if (definition === undefined) {
      throw new HeddleError('ERR_CONFIG_INVALID', `no registry is named ${JSON.stringify(discovery.name)}`);
    }
    const made = definition.create(discovery.config ?? {}, this.#runtime);
    const registry = definition.isFixed === true ? made : this.#remembering(made, discovery);
    const shared: Shared = { name: discovery.name, registry, users: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #remembering(registry: Registry, { name, config }: DiscoveryConfig): Registry {
    if (this.lastGoodDirectory === null) return registry;
    // Configurations hold addresses and passwords: the file is named by a hash of them.
    const hash = createHash('sha256')
      .update(canonicalJson([name, config ?? {}]))
      .digest('hex');
    const path = join(this.lastGoodDirectory, `${name}-${hash.slice(0, 16)}.json`);
    return new LastGoodRegistry(registry, path, this.#runtime);
  }
}
