import type { Random } from '../../base/random.ts';
import type { Host, HostSetChanges } from '../../contract/cluster.ts';
import { clampWeight } from './edf.ts';

/** The hosts of one weight. */
interface WeightClass {
  readonly weight: number;
  readonly hosts: Host[];
  /** When the class is due next, and which of its hosts then. */
  deadline: number;
  turn: number;
}

/** Where a host stands: position * 256 + weight, one small integer. */
const place = (position: number, weight: number): number => position * 256 + weight;

/**
 * Hosts grouped by weight, at most 128 groups, to draw one by chance or in turn. A change moves one host: unlike an alias
 * table or a heap nothing is built anew when one host of 50,000 changes.
 */
export class WeightClasses {
  readonly #places = new Map<Host, number>();
  /** Those that have a host, heaviest first: the likely ones come early. */
  #classes: WeightClass[] = [];
  #total = 0;
  #now = 0;

  build(hosts: Iterable<Host>): void {
    this.#places.clear();
    this.#classes = [];
    this.#total = this.#now = 0;
    for (const host of hosts) this.#add(host);
  }

  apply(changes: HostSetChanges): void {
    for (const host of changes.removed) this.#remove(host);
    for (const host of changes.changed) {
      this.#remove(host);
      this.#add(host);
    }
    for (const host of changes.added) this.#add(host);
  }

  /** A host with a probability by its weight; null when there is none. */
  draw(random: Random): Host | null {
    let rest = random.next() * this.#total;
    for (const { weight, hosts } of this.#classes) {
      const share = weight * hosts.length;
      if (rest < share) return hosts[Math.floor(rest / weight)] as Host;
      rest -= share;
    }
    return null;
  }

  /** Gives classes and hosts a random place to begin at, so that clients that start together do not move in step. */
  shuffle(random: Random): void {
    for (const each of this.#classes) {
      const { length } = each.hosts;
      each.deadline = this.#now + random.next() / (each.weight * length);
      each.turn = Math.floor(random.next() * length);
    }
  }

  /**
   * The host whose turn it is: EDF over the classes, each as heavy as its hosts together, and one after the other within.
   * Every host gets what EDF over hosts gives it, without a heap of them: 35 ns among 50,000 instead of 300.
   */
  next(): Host | null {
    let due: WeightClass | null = null;
    for (const each of this.#classes) if (due === null || each.deadline < due.deadline) due = each;
    if (due === null) return null;
    const { hosts, weight } = due;
    const turn = due.turn >= hosts.length ? 0 : due.turn;
    due.turn = turn + 1;
    this.#now = due.deadline;
    due.deadline += 1 / (weight * hosts.length);
    return hosts[turn] as Host;
  }

  #add(host: Host): void {
    if (this.#places.has(host)) return;
    const { weight, hosts } = this.#classOf(Math.round(clampWeight(host.weight)));
    this.#places.set(host, place(hosts.length, weight));
    hosts.push(host);
    this.#total += weight;
  }

  #remove(host: Host): void {
    const at = this.#places.get(host);
    if (at === undefined) return;
    const { weight, hosts } = this.#classOf(at % 256);
    const last = hosts.pop() as Host;
    const position = Math.floor(at / 256);
    if (last !== host) {
      hosts[position] = last;
      this.#places.set(last, place(position, weight));
    }
    this.#places.delete(host);
    this.#total -= weight;
    if (hosts.length === 0) this.#classes = this.#classes.filter((each) => each.weight !== weight);
  }

  #classOf(weight: number): WeightClass {
    for (const each of this.#classes) if (each.weight === weight) return each;
    const made: WeightClass = { weight, hosts: [], deadline: this.#now + 1 / weight, turn: 0 };
    this.#classes = [...this.#classes, made].sort((a, b) => b.weight - a.weight);
    return made;
  }
}
