import * as v from 'valibot';
import type { Endpoint } from '../../contract/cluster.ts';
import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDefinition,
  RegistryDelta,
} from '../../contract/registry.ts';
import type { Health } from '../../contract/state.ts';
import { ServiceFeed } from '../service-feed.ts';

const config = v.strictObject({});
type Config = v.InferOutput<typeof config>;

/**
 * A registry of this process: what is published here is listed here. It knows everything there is to know, so a service
 * that nobody publishes has an empty list and not none.
 */
class MemoryRegistry implements Registry {
  readonly #context: RegistryContext;
  readonly #sinceMs: number;
  readonly #published = new Map<string, Map<string, { readonly endpoint: Endpoint }>>();
  readonly #feeds = new Map<string, ServiceFeed>();

  constructor(context: RegistryContext) {
    this.#context = context;
    this.#sinceMs = context.clock.wallNow();
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const feed = this.#feeds.get(service) ?? this.#addFeed(service);
    const unsubscribe = feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (feed.listenerCount > 0 || this.#feeds.get(service) !== feed) return;
      this.#feeds.delete(service);
      feed.close();
    };
  }

  publish({ service, endpoint }: Publication): Published {
    const said = { endpoint };
    const list = this.#published.get(service) ?? new Map<string, typeof said>();
    this.#published.set(service, list);
    list.set(endpoint.address, said);
    this.#feeds.get(service)?.apply({ put: [endpoint], removed: [] });
    return {
      ready: Promise.resolve(),
      withdraw: async () => {
        // Facts that were replaced are no longer this one's to take back.
        if (list.get(endpoint.address) !== said) return;
        list.delete(endpoint.address);
        if (list.size === 0 && this.#published.get(service) === list) this.#published.delete(service);
        this.#feeds.get(service)?.apply({ put: [], removed: [endpoint.address] });
      },
    };
  }

  health(): Health {
    return { status: 'ok', reason: '', sinceMs: this.#sinceMs };
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.#published.clear();
  }

  #addFeed(service: string): ServiceFeed {
    const { clock, logger } = this.#context;
    const feed = new ServiceFeed(service, clock, logger, { allowEmpty: true });
    this.#feeds.set(service, feed);
    feed.publish(this.#listOf(service));
    return feed;
  }

  #listOf(service: string): Endpoint[] {
    return [...(this.#published.get(service)?.values() ?? [])].map(({ endpoint }) => endpoint);
  }
}

export const memoryRegistry: RegistryDefinition<Config> = {
  name: 'memory',
  config,
  isFixed: true,
  create: (_given, context) => new MemoryRegistry(context),
};
