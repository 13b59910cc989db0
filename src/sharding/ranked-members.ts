/** One of a list that is kept in order of preference. */
export interface Ranked {
  readonly server: { readonly address: string };
  score: number;
  /** 0 the own zone, 1 others, 2 weight 0. */
  tier: number;
  isHealthy: boolean;
  /** Among the first N. */
  isCore: boolean;
  /** Stands in for one of those. */
  isSpare: boolean;
}

export interface MemberChange<E> {
  readonly added: readonly E[];
  readonly removed: readonly E[];
}

/**
 * A list in order of preference, and which of it are members: the first N, and as many of the next healthy ones as stand in
 * for unhealthy ones among them. A change costs what it moves over the border between members and the rest, and a few
 * microseconds to open or close a gap in the order: 20 us among 50,000, where looking at all takes 26 ms.
 */
export class RankedMembers<E extends Ranked> {
  #order: E[] = [];
  #coreCount = 0;
  #spares: E[] = [];
  readonly #ill = new Set<E>();
  /** Put in since the members were last chosen. */
  #inserted: E[] = [];
  /** Touched since then, and whether they were members. */
  #before = new Map<E, boolean>();

  /** In order of preference. */
  members(): E[] {
    return [...this.#order.slice(0, this.#coreCount), ...this.#spares];
  }

  /** Takes one in whose score and tier are set. */
  insert(entry: E): void {
    this.#note(entry);
    entry.isCore = false;
    this.#order.splice(this.#placeOf(entry), 0, entry);
    this.#inserted.push(entry);
    if (!entry.isHealthy) this.#ill.add(entry);
  }

  /** Takes one out; its score and tier are still those it was put in with. */
  remove(entry: E): void {
    this.#note(entry);
    this.#order.splice(this.#placeOf(entry), 1);
    if (entry.isCore) this.#coreCount--;
    entry.isCore = false;
    entry.isSpare = false;
    this.#ill.delete(entry);
  }

  /** Puts all in order anew, with other scores; those that are gone are given as well. */
  replace(all: Iterable<E>, gone: Iterable<E>): void {
    for (const entry of this.#order) this.#note(entry);
    for (const entry of gone) this.#reset(entry);
    this.#order = [...all].sort(compare);
    this.#ill.clear();
    for (const entry of this.#order) {
      this.#reset(entry);
      if (!entry.isHealthy) this.#ill.add(entry);
    }
    this.#coreCount = 0;
    this.#spares = [];
    this.#inserted = [];
  }

  setHealth(entry: E, isHealthy: boolean): void {
    entry.isHealthy = isHealthy;
    if (isHealthy) this.#ill.delete(entry);
    else this.#ill.add(entry);
  }

  /** @returns who became a member and who no longer is one, since the last time */
  choose(wanted: number, maxSpares: number): MemberChange<E> {
    this.#chooseCore(wanted);
    this.#chooseSpares(wanted, maxSpares);
    const added: E[] = [];
    const removed: E[] = [];
    for (const [entry, was] of this.#before) {
      const is = entry.isCore || entry.isSpare;
      if (is && !was) added.push(entry);
      else if (was && !is) removed.push(entry);
    }
    this.#before = new Map();
    return { added, removed };
  }

  /**
   * All that were core come before all that were not, but for what was put in since: once those are put right, there are
   * too many or too few at the border, and nowhere else.
   */
  #chooseCore(wanted: number): void {
    for (const entry of this.#inserted) {
      const at = this.#placeOf(entry);
      if (at < wanted && this.#order[at] === entry && !entry.isCore) this.#setCore(entry, true);
    }
    this.#inserted = [];
    for (let at = wanted; this.#coreCount > wanted; at++) {
      const entry = this.#order[at] as E;
      if (entry.isCore) this.#setCore(entry, false);
    }
    for (let at = wanted - 1; this.#coreCount < wanted; at--) {
      const entry = this.#order[at] as E;
      if (!entry.isCore) this.#setCore(entry, true);
    }
  }

  #chooseSpares(wanted: number, maxSpares: number): void {
    for (const entry of this.#spares) {
      this.#note(entry);
      entry.isSpare = false;
    }
    let needed = 0;
    for (const entry of this.#ill) if (entry.isCore) needed++;
    needed = Math.min(needed, maxSpares);
    this.#spares = [];
    for (let at = wanted; this.#spares.length < needed && at < this.#order.length; at++) {
      const entry = this.#order[at] as E;
      if (!entry.isHealthy || entry.tier === 2) continue;
      this.#note(entry);
      entry.isSpare = true;
      this.#spares.push(entry);
    }
  }

  #setCore(entry: E, isCore: boolean): void {
    this.#note(entry);
    entry.isCore = isCore;
    this.#coreCount += isCore ? 1 : -1;
  }

  #note(entry: E): void {
    if (!this.#before.has(entry)) this.#before.set(entry, entry.isCore || entry.isSpare);
  }

  #reset(entry: E): void {
    this.#note(entry);
    entry.isCore = false;
    entry.isSpare = false;
  }

  /** Where it stands, or would. */
  #placeOf(entry: E): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#order[middle] as E, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(a: Ranked, b: Ranked): number {
  if (a.tier !== b.tier) return a.tier - b.tier;
  if (a.score !== b.score) return a.score - b.score;
  if (a.server.address === b.server.address) return 0;
  return a.server.address < b.server.address ? -1 : 1;
}
