import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDelta,
} from '../../core/contract/registry.ts';
import type { Health } from '../../core/contract/state.ts';
import { RegistryHealth } from '../../core/discovery/registry-health.ts';
import type { ServiceFeed } from '../../core/discovery/service-feed.ts';
import { type Keeping, KeptPublication } from './kept-publication.ts';

export const emptyList = 'the list is empty; allowEmpty would take that';

/** One list that somebody listens to. */
export interface PlainService {
  readonly feed: ServiceFeed;
  /** Ends feed and watch. */
  stop(): void;
}

/** How an endpoint is put at the registry; one that is given again under the same name with other facts replaces it. */
export interface Putting extends Pick<Keeping, 'what' | 'put' | 'remove' | 'onLost'> {
  /** All that is put. */
  readonly facts: string;
}

interface Kept {
  readonly facts: string;
  readonly publication: KeptPublication;
}

/**
 * What registries of plain lists share: a list a service as long as somebody listens, publications that are kept up, and
 * the health of both. Those who extend it say where a list comes from and where an endpoint goes.
 */
export abstract class PlainRegistry implements Registry {
  protected readonly context: RegistryContext;
  protected readonly troubles: RegistryHealth;
  readonly #services = new Map<string, PlainService>();
  readonly #published = new Map<string, Kept>();

  constructor(name: string, context: RegistryContext) {
    this.context = context;
    this.troubles = new RegistryHealth(name, context.clock, context.logger, context.metrics);
  }

  /** @throws HeddleError ERR_OPTION_INVALID for a name that the registry cannot have */
  protected abstract open(service: string): PlainService;
  /** @throws HeddleError ERR_REGISTRY_PUBLISH */
  protected abstract putting(publication: Publication): Putting;
  protected abstract serverHealth(): Health;
  /** Takes back what is published and ends the connection. */
  protected abstract leave(publications: readonly KeptPublication[]): Promise<void>;

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const known = this.#services.get(service) ?? this.#begin(service);
    const unsubscribe = known.feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (known.feed.listenerCount > 0 || this.#services.get(service) !== known) return;
      this.#services.delete(service);
      known.stop();
      this.troubles.forget(service);
    };
  }

  publish(publication: Publication): Published {
    const putting = this.putting(publication);
    const { what, facts } = putting;
    const before = this.#published.get(what);
    if (before?.publication.isOver === false) {
      if (before.facts === facts) return before.publication;
      before.publication.replace();
    }
    const kept = new KeptPublication(this.#keeping(putting), this.context, this.troubles);
    this.#published.set(what, { facts, publication: kept });
    return kept;
  }

  troubleOf(service: string): string {
    return this.troubles.reasonOf(service);
  }

  health(): Health {
    const own = this.troubles.toHealth();
    const server = this.serverHealth();
    if (server.status === 'ok' || own.status === 'failed') return own;
    const hasAll = [...this.#services.values()].every(({ feed }) => feed.hasList);
    return hasAll && this.#services.size + this.#published.size > 0
      ? { ...server, status: 'degraded' }
      : server;
  }

  async close(): Promise<void> {
    for (const service of this.#services.values()) service.stop();
    this.#services.clear();
    await this.leave([...this.#published.values()].map(({ publication }) => publication));
  }

  #begin(service: string): PlainService {
    const made = this.open(service);
    this.#services.set(service, made);
    return made;
  }

  #keeping({ what, put, remove, onLost }: Putting): Keeping {
    const isTaken = (): boolean => this.#published.get(what)?.publication.isOver === false;
    return {
      what,
      put,
      remove: () => {
        if (!isTaken()) this.#published.delete(what);
        return remove();
      },
      isTaken,
      onLost,
    };
  }
}
