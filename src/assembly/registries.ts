import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { DiscoveryConfig } from '../core/contract/config.ts';
import type { ExtensionConfig } from '../core/contract/extension.ts';
import type { Publication, Published, Registry, RegistryDelta } from '../core/contract/registry.ts';
import type { Health } from '../core/contract/state.ts';
import { LastGoodRegistry } from '../core/discovery/index.ts';
import type { Runtime } from './runtime.ts';

interface Shared {
  readonly name: string;
  readonly registry: Registry;
  users: number;
}

/** How long a drain waits for registries to take back what was published. */
const withdrawLimitMs = 3000;

/** Registries by name and configuration: clusters that name the same one share it; the last to leave closes it. */
export class Registries {
  /** Where last good lists are kept, for registries made from now on; null = nowhere. */
  lastGoodDirectory: string | null = null;
  readonly #runtime: Runtime;
  readonly #shared = new Map<string, Shared>();
  readonly #ending = new Set<Promise<void>>();
  readonly #published = new Set<Published>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws HeddleError ERR_CONFIG_INVALID */
  subscribe(discovery: DiscoveryConfig, onDelta: (delta: RegistryDelta) => void): () => void {
    const { registry, leave } = this.#join(discovery);
    try {
      const unsubscribe = registry.subscribe(discovery.service, onDelta);
      return () => {
        unsubscribe();
        leave();
      };
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  /** @throws HeddleError ERR_CONFIG_INVALID, ERR_REGISTRY_PUBLISH */
  publish(at: ExtensionConfig, publication: Publication): Published {
    const { registry, leave } = this.#join(at);
    try {
      if (registry.publish === undefined) {
        throw new HeddleError('ERR_REGISTRY_PUBLISH', `the registry ${JSON.stringify(at.name)} only lists`);
      }
      const inner = registry.publish(publication);
      let withdrawn: Promise<void> | null = null;
      const published: Published = {
        ready: inner.ready,
        withdraw: () => {
          withdrawn ??= inner.withdraw().finally(() => {
            this.#published.delete(published);
            leave();
          });
          return withdrawn;
        },
      };
      this.#published.add(published);
      return published;
    } catch (thrown) {
      leave();
      throw thrown;
    }
  }

  /** Whether `publish` there makes sense. @throws HeddleError ERR_CONFIG_INVALID */
  takesPublications(at: ExtensionConfig): boolean {
    const { registry, leave } = this.#join(at);
    leave();
    return registry.publish !== undefined;
  }

  /** Takes back all that this mesh published, for a drain; waits no longer than `deadlineMs`, and not long. */
  async withdrawAll(deadlineMs: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.clock.setTimer(Math.min(withdrawLimitMs, deadlineMs), resolve);
    await Promise.race([Promise.allSettled([...this.#published].map((each) => each.withdraw())), late]);
    timer.cancel();
  }

  /** Why a cluster's list may not be the newest; "" = it is. */
  troubleOf(discovery: DiscoveryConfig): string {
    const registry = this.#shared.get(this.#keyOf(discovery))?.registry;
    if (registry?.troubleOf !== undefined) return registry.troubleOf(discovery.service);
    return registry?.health().reason ?? '';
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

  /** `leave` counts once. */
  #join(at: ExtensionConfig): { readonly registry: Registry; readonly leave: () => void } {
    const key = this.#keyOf(at);
    const shared = this.#shared.get(key) ?? this.#create(key, at);
    shared.users++;
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      if (--shared.users > 0 || this.#shared.get(key) !== shared) return;
      this.#shared.delete(key);
      this.#end(shared);
    };
    return { registry: shared.registry, leave };
  }

  #keyOf({ name, config }: ExtensionConfig): string {
    return canonicalJson([name, config ?? {}, this.lastGoodDirectory]);
  }

  #create(key: string, at: ExtensionConfig): Shared {
    const definition = this.#runtime.extensions.registries.find((each) => each.name === at.name);
    if (definition === undefined) {
      throw new HeddleError('ERR_CONFIG_INVALID', `no registry is named ${JSON.stringify(at.name)}`);
    }
    const made = definition.create(at.config ?? {}, this.#runtime);
    const registry = definition.isFixed === true ? made : this.#remembering(made, at);
    const shared: Shared = { name: at.name, registry, users: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #remembering(registry: Registry, { name, config }: ExtensionConfig): Registry {
    if (this.lastGoodDirectory === null) return registry;
    // Configurations hold addresses and passwords: the file is named by a hash of them.
    const hash = createHash('sha256')
      .update(canonicalJson([name, config ?? {}]))
      .digest('hex');
    const path = join(this.lastGoodDirectory, `${name}-${hash.slice(0, 16)}.json`);
    return new LastGoodRegistry(registry, path, this.#runtime);
  }
}
