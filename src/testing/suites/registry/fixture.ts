import type { Endpoint } from '../../../core/contract/cluster.ts';
import type { Registry, RegistryDelta } from '../../../core/contract/registry.ts';

/** A registry under test with a way to change what it knows. What a registry cannot do is left out, and not tested. */
export interface RegistryFixture {
  readonly registry: Registry;
  /** Makes `endpoints` the list of `service` at the source. */
  publish(service: string, endpoints: readonly Endpoint[]): void | Promise<void>;
  /** Returns once everything published has been delivered. */
  settle(): void | Promise<void>;
  close(): void | Promise<void>;
  /** The source cannot be reached, then it can again. `settle` must work in between. */
  readonly outage?: { begin(): void | Promise<void>; end(): void | Promise<void> };
  /** Puts something unreadable beside what the source has for the service. */
  garble?(service: string): void | Promise<void>;
  /** An empty list is what it says, as nobody but this process fills it. */
  readonly takesEmpty?: boolean;
  /** Adds endpoints to the list with one of them twice, with other facts. */
  duplicate?(service: string, endpoints: readonly Endpoint[]): void | Promise<void>;
  /** Whether another process, or this one, sees `address` listed for `service` at the source. */
  isListed?(service: string, address: string): boolean | Promise<boolean>;
  /** What is open now because of the registry: sockets, watches, timers. */
  open?(): number;
}

/** An endpoint with the defaults of a configuration. */
export function endpoint(address: string, facts: Partial<Endpoint> = {}): Endpoint {
  return { address, weight: 1, metadata: {}, zone: '', priority: 0, hostname: '', ...facts };
}

/** What a subscriber knows after the deltas it was given. */
export class Subscriber {
  readonly deltas: RegistryDelta[] = [];
  readonly known = new Map<string, Endpoint>();
  /** A delta that contradicts those before. */
  contradiction = '';

  readonly take = (delta: RegistryDelta): void => {
    const last = this.deltas.at(-1);
    if (last === undefined ? !delta.full : delta.version <= last.version && !delta.full) {
      this.contradiction = `version ${delta.version} after ${last?.version ?? 'nothing'}`;
    }
    this.deltas.push(delta);
    if (delta.full) this.known.clear();
    for (const each of delta.changed) if (!this.known.has(each.address)) this.#contradict('changed', each);
    for (const each of delta.added) if (this.known.has(each.address)) this.#contradict('added', each);
    for (const each of [...delta.added, ...delta.changed]) this.known.set(each.address, each);
    for (const address of delta.removed) {
      if (!this.known.delete(address)) this.#contradict('removed', { address });
    }
  };

  get addresses(): string[] {
    return [...this.known.keys()].toSorted();
  }

  #contradict(what: string, { address }: Pick<Endpoint, 'address'>): void {
    this.contradiction = `${what} ${address}`;
  }
}
