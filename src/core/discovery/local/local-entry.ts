import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Logger } from '../../contract/logger.ts';
import type { Published, Registry } from '../../contract/registry.ts';
import type { LocalPublication } from './state-file.ts';

/** A registry that publications go to. */
export interface PublishPlace {
  readonly name: string;
  readonly registry: Registry;
}

/** How one publication stands at one registry. */
export interface PlaceState {
  readonly registry: string;
  readonly state: 'published' | 'pending' | 'refused';
  /** Why it is refused, "" otherwise. */
  readonly reason: string;
}

interface Said {
  readonly place: PublishPlace;
  published: Published | null;
  state: PlaceState['state'];
  reason: string;
}

/** One publication of an application, at every registry that takes it. */
export class LocalEntry {
  publication: LocalPublication;
  readonly #said = new Map<Registry, Said>();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onExpired: () => void;
  #lease: Timer | null = null;

  /** @param onExpired its lease ran out */
  constructor(publication: LocalPublication, clock: Clock, logger: Logger, onExpired: () => void) {
    this.publication = publication;
    this.#clock = clock;
    this.#logger = logger;
    this.#onExpired = onExpired;
  }

  /** The lease begins anew. */
  renew(): void {
    this.#lease?.cancel();
    const { ttlMs } = this.publication;
    this.#lease = ttlMs === 0 ? null : this.#clock.setTimer(ttlMs, this.#onExpired);
  }

  /** Other facts about the same service and address, told to every registry that has it. */
  replace(publication: LocalPublication): void {
    this.publication = publication;
    for (const { place, published } of [...this.#said.values()]) {
      this.#say(place);
      // The new one has taken its place; this only lets go.
      void published?.withdraw();
    }
  }

  /** Says it at these registries; where it was said before and is no more among them, it is withdrawn. */
  follow(places: readonly PublishPlace[]): void {
    const gone = new Map(this.#said);
    for (const place of places) {
      if (!gone.delete(place.registry)) this.#say(place);
    }
    for (const [registry, { published }] of gone) {
      this.#said.delete(registry);
      void published?.withdraw();
    }
  }

  /** Resolves when each registry has it or has refused it. */
  async ready(): Promise<void> {
    await Promise.allSettled([...this.#said.values()].map(({ published }) => published?.ready));
  }

  /** Resolves when no registry lists it, as far as they answer. */
  async withdraw(): Promise<void> {
    this.#lease?.cancel();
    const all = [...this.#said.values()];
    this.#said.clear();
    await Promise.allSettled(all.map(({ published }) => published?.withdraw()));
  }

  /** No lease ends it any more; registries withdraw it when they close. */
  close(): void {
    this.#lease?.cancel();
    this.#said.clear();
  }

  states(): PlaceState[] {
    return [...this.#said.values()].map(({ place, state, reason }) => ({
      registry: place.name,
      state,
      reason,
    }));
  }

  #say(place: PublishPlace): void {
    const { service, endpoint, protocol } = this.publication;
    const said: Said = { place, published: null, state: 'pending', reason: '' };
    this.#said.set(place.registry, said);
    try {
      said.published = place.registry.publish?.({ service, endpoint, protocol }) ?? null;
      said.published?.ready.then(
        () => {
          said.state = 'published';
        },
        // Withdrawn before it was there: who withdrew it knows.
        () => {},
      );
    } catch (thrown) {
      said.state = 'refused';
      said.reason = messageOf(thrown);
      const { reason } = said;
      this.#logger.warn('a registry refuses a publication', { registry: place.name, service, reason });
    }
  }
}
