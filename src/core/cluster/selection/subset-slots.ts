import { SubsetIndex } from '../../../sharding/index.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';
import type { ClusterHost } from '../host.ts';

/** So many slots given to another host, or hosts changed in place, may a subset miss before it is built anew. */
const horizon = 1024;

/** A slot that got another host. */
export interface Reuse {
  readonly slot: number;
  readonly before: Host;
}

/** The last events of a kind, with a count of all that ever were. */
class EventLog<T> {
  count = 0;
  readonly #last: T[] = [];

  push(event: T): void {
    this.count++;
    this.#last.push(event);
    if (this.#last.length > horizon * 2) this.#last.splice(0, horizon);
  }

  /** What came after the first `count` events; null when that is too much. */
  since(count: number): readonly T[] | null {
    const missed = this.count - count;
    if (missed > this.#last.length) return null;
    return missed === 0 ? [] : this.#last.slice(-missed);
  }
}

/**
 * Available hosts indexed by metadata under the slots that the host list gave them. A host that is gone stays named by its
 * slot until another gets it, so that a subset that catches up can tell from its bits and the log who came and went.
 */
export class SubsetSlots {
  readonly index: SubsetIndex;
  /** By slot. */
  readonly hosts: Host[] = [];
  readonly reuses = new EventLog<Reuse>();
  /** Hosts with other weight or metadata than before. */
  readonly changes = new EventLog<Host>();
  hasEqualWeights = false;
  /** By slot: 1 while its host may be chosen. */
  #isIn = new Uint8Array(64);
  #version = -1;

  constructor(keys: readonly string[]) {
    this.index = new SubsetIndex(keys);
  }

  update(set: HostSet): void {
    const changes = set.changes;
    if (changes !== null && changes.from === this.#version) {
      for (const host of changes.removed) this.#remove(host);
      for (const host of changes.changed) this.#change(host);
      for (const host of changes.added) this.#add(host);
    } else this.#replace(set);
    this.hasEqualWeights = set.hasEqualWeights === true;
    this.#version = set.version;
  }

  #replace(set: HostSet): void {
    const now = set.availableView ?? set.available;
    if (this.hosts.length === 0) {
      for (const host of now) this.#add(host);
      return;
    }
    const kept = new Set(now);
    this.hosts.forEach((host, slot) => {
      if (this.#isIn[slot] === 1 && !kept.has(host)) this.#remove(host);
    });
    for (const host of kept) {
      if (this.#has(host)) this.#change(host);
      else this.#add(host);
    }
  }

  #has(host: Host): boolean {
    const slot = slotOf(host);
    return this.#isIn[slot] === 1 && this.hosts[slot] === host;
  }

  #add(host: Host): void {
    const slot = slotOf(host);
    while (this.hosts.length <= slot) this.hosts.push(host);
    if (slot >= this.#isIn.length) this.#grow(slot);
    const before = this.hosts[slot] as Host;
    if (before !== host) this.reuses.push({ slot, before });
    this.hosts[slot] = host;
    this.#isIn[slot] = 1;
    this.index.put(slot, host.metadata);
  }

  #grow(slot: number): void {
    const larger = new Uint8Array(Math.max(slot + 1, this.#isIn.length * 2));
    larger.set(this.#isIn);
    this.#isIn = larger;
  }

  #remove(host: Host): void {
    if (!this.#has(host)) return;
    const slot = slotOf(host);
    this.#isIn[slot] = 0;
    this.index.remove(slot);
  }

  #change(host: Host): void {
    if (!this.#has(host)) return;
    this.index.put(slotOf(host), host.metadata);
    this.changes.push(host);
  }
}

/** Kept by the host list. */
export function slotOf(host: Host): number {
  return (host as ClusterHost).slot;
}
