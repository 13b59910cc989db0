import type { Wire } from '../../core/contract/wire.ts';
import { Arrival } from '../network-filters/arrival.ts';
import type { ArrivalOwner, NetworkChain } from '../network-filters/chain.ts';

/** The connections of one listener that are accepted and on their way through its network filters. */
export class Arrivals {
  readonly #all = new Set<Arrival>();
  readonly #owner: ArrivalOwner;
  /** An example for V8, see Listener. */
  protected example: Arrival | null = null;

  constructor(owner: ArrivalOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#all.size;
  }

  begin(wire: Wire, chain: NetworkChain): void {
    const arrival = new Arrival(wire, chain, this.#owner);
    this.#all.add(arrival);
    arrival.begin();
  }

  remove(arrival: Arrival): void {
    this.#all.delete(arrival);
    this.example = arrival;
  }

  dropAll(code: number): void {
    for (const arrival of [...this.#all]) arrival.drop(code);
  }
}
