import type { Subset } from '../../../sharding/index.ts';
import type { ListView } from '../../base/chunked-list.ts';
import type { Balancer, Host, HostSet, HostSetChanges } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { type Reuse, type SubsetSlots, slotOf } from './subset-slots.ts';

/** The hosts of one subset, found by position among its bits. */
class SubsetHosts implements ListView<Host> {
  readonly #subset: Subset;
  readonly #hosts: readonly Host[];

  constructor(subset: Subset, hosts: readonly Host[]) {
    this.#subset = subset;
    this.#hosts = hosts;
  }

  get length(): number {
    return this.#subset.slots.count;
  }

  get(index: number): Host {
    return this.#hosts[this.#subset.slots.select(index)] as Host;
  }

  *[Symbol.iterator](): Iterator<Host> {
    for (const slot of this.#subset.slots) yield this.#hosts[slot] as Host;
  }
}

/** One subset with a balancer of its own, which learns of changes when the subset is used. */
export class SubsetGroup {
  readonly #slots: SubsetSlots;
  readonly #subset: Subset;
  readonly #balancer: Balancer;
  readonly #view: SubsetHosts;
  #version = 0;
  #reuses = 0;
  #changes = 0;

  constructor(slots: SubsetSlots, subset: Subset, balancer: Balancer) {
    this.#slots = slots;
    this.#subset = subset;
    this.#balancer = balancer;
    this.#view = new SubsetHosts(subset, slots.hosts);
    this.#reuses = slots.reuses.count;
    this.#changes = slots.changes.count;
    this.#tell(null);
  }

  /** To be replaced by a new look-up. */
  get isDead(): boolean {
    return this.#subset.isDead;
  }

  pick(s: Stream | null): Host | null {
    if (this.#subset.isStale || this.#changes !== this.#slots.changes.count) this.#catchUp();
    return this.#subset.slots.count === 0 ? null : this.#balancer.pick(s);
  }

  #catchUp(): void {
    const { index, reuses, changes } = this.#slots;
    const reused = reuses.since(this.#reuses);
    const touched = changes.since(this.#changes);
    this.#reuses = reuses.count;
    this.#changes = changes.count;
    const isOther = index.refresh(this.#subset);
    if (reused === null || touched === null) this.#tell(null);
    else this.#tellChanges(isOther, reused, touched);
  }

  #tellChanges(isOther: boolean, reused: readonly Reuse[], touched: readonly Host[]): void {
    const { slots } = this.#subset;
    const hosts = this.#slots.hosts;
    const added: Host[] = [];
    const removed: Host[] = [];
    if (isOther) {
      // The first host that a slot had since then is the one this subset knew.
      const before = new Map<number, Host>();
      for (const each of reused) if (!before.has(each.slot)) before.set(each.slot, each.before);
      slots.forEachChange((slot, isSet) => {
        if (isSet) added.push(hosts[slot] as Host);
        else removed.push(before.get(slot) ?? (hosts[slot] as Host));
      });
      for (const [slot, host] of before) {
        if (!slots.hadAndHas(slot) || hosts[slot] === host) continue;
        removed.push(host);
        added.push(hosts[slot] as Host);
      }
    }
    const changed = touched.filter((host) => slots.has(slotOf(host)) && hosts[slotOf(host)] === host);
    if (added.length + removed.length + changed.length === 0) return;
    this.#tell({ from: this.#version, added, removed, changed });
  }

  #tell(changes: HostSetChanges | null): void {
    const view = this.#view;
    this.#version++;
    const set: HostSet = {
      version: this.#version,
      get all() {
        return [...view];
      },
      get available() {
        return [...view];
      },
      availableView: view,
      hasEqualWeights: this.#slots.hasEqualWeights ? true : undefined,
      isPanic: false,
      changes,
    };
    this.#balancer.update(set);
  }
}
