import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { DiscoveryConfig } from '../core/contract/config.ts';
import type { Registry, RegistryDelta } from '../core/contract/registry.ts';
import type { Health } from '../core/contract/state.ts';
import type { Runtime } from './runtime.ts';

interface Shared {
  readonly name: string;
  readonly registry: Registry;
  users: number;
}

/** Registries by name and configuration: clusters that name the same one share it; the last to leave closes it. */
export class Registries {
  readonly #runtime: Runtime;
  readonly #shared = new Map<string, Shared>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws HeddleError ERR_CONFIG_INVALID */
  subscribe(discovery: DiscoveryConfig, onDelta: (delta: RegistryDelta) => void): () => void {
    const key = canonicalJson([discovery.name, discovery.config ?? {}]);
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
      shared.registry.close().catch((thrown: unknown) => {
        this.#runtime.logger.warn('a registry did not close', {
          registry: shared.name,
          error: String(thrown),
        });
      });
    };
  }

  /** One entry a registry. */
  health(): { readonly name: string; readonly health: Health }[] {
    return [...this.#shared.values()].map((each) => ({ name: each.name, health: each.registry.health() }));
  }

  async close(): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.allSettled(all.map((each) => each.registry.close()));
  }

  #create(key: string, discovery: DiscoveryConfig): Shared {
    const definition = this.#runtime.extensions.registries.find((each) => each.name === discovery.name);
    if (definition === undefined) {
      throw new HeddleError('ERR_CONFIG_INVALID', `no registry is named ${JSON.stringify(discovery.name)}`);
    }
    const registry = definition.create(discovery.config ?? {}, this.#runtime);
    const shared: Shared = { name: discovery.name, registry, users: 0 };
    this.#shared.set(key, shared);
    return shared;
  }
}
