import { join } from 'node:path';
import { canonicalJson } from '../../core/config/canonical-json.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { ExtensionConfig } from '../../core/contract/extension.ts';
import type { Registry } from '../../core/contract/registry.ts';
import { LocalRegistry, memoryRegistry, type PublishPlace } from '../../core/discovery/local/index.ts';
import { ConfiguredPublications } from '../configured-publications.ts';
import type { Registries } from '../registries.ts';
import type { Runtime } from '../runtime.ts';

const fileName = 'local-registry.json';

/** What a mesh publishes: for applications (see `LocalRegistry`), and what its configuration says. */
export class LocalRegistrySide {
  readonly registry: LocalRegistry;
  readonly #registries: Registries;
  readonly #configured: ConfiguredPublications;
  /** What stays in a reload keeps its object, and with it all that was said there. */
  #places = new Map<string, PublishPlace>();

  constructor(runtime: Runtime, registries: Registries) {
    this.registry = new LocalRegistry(runtime);
    this.#registries = registries;
    this.#configured = new ConfiguredPublications(runtime, registries);
  }

  /** Takes up what was said before a restart and says it again: before the clusters, so that their first lists have it. */
  async start(config: EffectiveConfig): Promise<void> {
    this.#registries.lastGoodDirectory = config.lastGood?.directory ?? null;
    this.#configure(config);
    await this.registry.load();
    this.#follow(config);
  }

  /** The listeners are open: what the configuration says may be published. */
  publish(config: EffectiveConfig): void {
    this.#configured.follow(config);
  }

  reload(config: EffectiveConfig): void {
    this.#configure(config);
    this.#follow(config);
    this.#configured.follow(config);
  }

  async close(): Promise<void> {
    await this.registry.close();
  }

  #configure({ localRegistry }: EffectiveConfig): void {
    const { maxPublications, maxSubscriptions, stateDirectory } = localRegistry;
    const statePath = stateDirectory === undefined ? null : join(stateDirectory, fileName);
    this.registry.configure({ maxPublications, maxSubscriptions, statePath });
  }

  /** Clusters of this mesh see everything by the registry "memory", whether others see it or not. */
  #follow(config: EffectiveConfig): void {
    const outside = this.#registriesOf(config).filter(({ name }) => name !== memoryRegistry.name);
    const before = this.#places;
    this.#places = new Map();
    for (const at of [...outside, { name: memoryRegistry.name }]) {
      const key = canonicalJson([at.name, at.config ?? {}]);
      this.#places.set(key, before.get(key) ?? { name: at.name, registry: this.#shared(at) });
    }
    const places = [...this.#places.values()];
    const sources = places.slice(0, Math.max(1, outside.length)).map(({ registry }) => registry);
    this.registry.follow(places, sources);
  }

  #registriesOf({ localRegistry, clusters }: EffectiveConfig): readonly ExtensionConfig[] {
    if (localRegistry.registries !== undefined) return localRegistry.registries;
    const used = clusters.flatMap(({ discovery }) => (discovery === undefined ? [] : [discovery]));
    const distinct = new Map(used.map((each) => [canonicalJson([each.name, each.config ?? {}]), each]));
    return [...distinct.values()].filter((each) => this.#registries.takesPublications(each));
  }

  /** The one that the clusters use. It is opened while something is said or asked there. */
  #shared(at: ExtensionConfig): Registry {
    const registries = this.#registries;
    return {
      subscribe: (service, onDelta) => registries.subscribe({ ...at, service }, onDelta),
      publish: (publication) => registries.publish(at, publication),
      health: () => ({ status: 'ok', reason: '', sinceMs: 0 }),
      close: async () => {},
    };
  }
}
