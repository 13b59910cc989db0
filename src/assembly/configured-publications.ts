import { HeddleError, messageOf } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { EffectiveConfig, PublicationConfig } from '../core/contract/config.ts';
import type { Published } from '../core/contract/registry.ts';
import type { Registries } from './registries.ts';
import type { Runtime } from './runtime.ts';

/** What the configuration says that this mesh publishes; what stays over a reload is not published anew. */
export class ConfiguredPublications {
  readonly #runtime: Runtime;
  readonly #registries: Registries;
  #published = new Map<string, Published>();

  constructor(runtime: Runtime, registries: Registries) {
    this.#runtime = runtime;
    this.#registries = registries;
  }

  /** A publication that is refused is said in the log: the mesh serves without it. */
  follow({ publications, node }: EffectiveConfig): void {
    const before = this.#published;
    this.#published = new Map();
    for (const each of publications) {
      const publication = { ...each, zone: each.zone ?? node.zone };
      const key = canonicalJson(publication);
      const published = before.get(key) ?? this.#publish(publication);
      before.delete(key);
      if (published !== null) this.#published.set(key, published);
    }
    for (const published of before.values()) void published.withdraw();
  }

  #publish({ registry, ...said }: PublicationConfig & { readonly zone: string }): Published | null {
    const { service, address, protocol, weight, metadata, zone } = said;
    const endpoint = { address, weight, metadata, zone, priority: 0, hostname: '' };
    try {
      const published = this.#registries.publish(registry, { service, endpoint, protocol });
      // A withdrawal before the registry had it is no news to anybody.
      published.ready.catch(() => undefined);
      return published;
    } catch (thrown) {
      const reason = thrown instanceof HeddleError ? thrown.message : messageOf(thrown);
      this.#runtime.logger.error('not published', { service, address, registry: registry.name, reason });
      return null;
    }
  }
}
