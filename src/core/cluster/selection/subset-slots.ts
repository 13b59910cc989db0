import { SubsetIndex } from '../../../sharding/index.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';

/** Removals and changes that a subset may have missed before it is built anew instead of caught up. */
export const horizon = 1024;

/**
 * Available hosts in stable slots, indexed by metadata. A freed slot is not given out again within the horizon, so that a
 * subset that catches up can tell by its bits alone which hosts came and went.
 */
export class SubsetSlots {
  readonly index: SubsetIndex;
  /** By slot; a freed one still names its last host. */
  readonly hosts: Host[] = [];
  /** Slots freed so far. */
  freed = 0;
  /** Hosts changed in place so far, and the last of them, oldest first. */
  changed = 0;
  hasEqualWeights = false;
  readonly #changedHosts: Host[] = [];
  readonly #slotOf = new Map<Host, number>();
  readonly #freeSlots: { slot: number; freedAs: number }[] = [];
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

  slotOf(host: Host): number {
    return this.#slotOf.get(host) ?? -1;
  }

  /** Hosts changed in place since the count was `since`; null when that is too long ago. */
  changedSince(since: number): readonly Host[] | null {
    const count = this.changed - since;
    if (count > this.#changedHosts.length) return null;
    return count === 0 ? [] : this.#changedHosts.slice(-count);
  }

  #replace(set: HostSet): void {
    if (this.#slotOf.size === 0) {
      for (const host of set.availableView ?? set.available) this.#add(host);
      return;
    }
    const now = new Set(set.availableView ?? set.available);
    for (const host of [...this.#slotOf.keys()]) if (!now.has(host)) this.#remove(host);
    for (const host of now) {
      if (this.#slotOf.has(host)) this.#change(host);
      else this.#add(host);
    }
  }

  #add(host: Host): void {
    if (this.#slotOf.has(host)) return;
    const oldest = this.#freeSlots[0];
    let slot = this.hosts.length;
    if (oldest !== undefined && this.freed - oldest.freedAs > horizon) {
      this.#freeSlots.shift();
      slot = oldest.slot;
    }
    this.hosts[slot] = host;
    this.#slotOf.set(host, slot);
    this.index.put(slot, host.metadata);
  }

  #remove(host: Host): void {
    const slot = this.#slotOf.get(host);
    if (slot === undefined) return;
    this.#slotOf.delete(host);
    this.index.remove(slot);
    this.#freeSlots.push({ slot, freedAs: ++this.freed });
  }

  #change(host: Host): void {
    const slot = this.#slotOf.get(host);
    if (slot === undefined) return;
    this.index.put(slot, host.metadata);
    this.changed++;
    this.#changedHosts.push(host);
    if (this.#changedHosts.length > horizon * 2) this.#changedHosts.splice(0, horizon);
  }
}
