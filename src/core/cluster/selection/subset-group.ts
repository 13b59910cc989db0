import type { Subset } from '../../../sharding/index.ts';
import type { ListView } from '../../base/chunked-list.ts';
import type { Balancer, Host, HostSet, HostSetChanges } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { horizon, type SubsetSlots } from './subset-slots.ts';

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
  #freed = 0;
  #changed = 0;

  constructor(slots: SubsetSlots, subset: Subset, balancer: Balancer) {
    this.#slots = slots;
    this.#subset = subset;
    this.#balancer = balancer;
    this.#view = new SubsetHosts(subset, slots.hosts);
    this.#freed = slots.freed;
    this.#changed = slots.changed;
    this.#tell(null);
  }

  /** To be replaced by a new look-up. */
  get isDead(): boolean {
    return this.#subset.isDead;
  }

  pick(s: Stream | null): Host | null {
    if (this.#subset.isStale || this.#changed !== this.#slots.changed) this.#catchUp();
    return this.#subset.slots.count === 0 ? null : this.#balancer.pick(s);
  }

  #catchUp(): void {
    const { index, freed, changed } = this.#slots;
    const touched = this.#slots.changedSince(this.#changed);
    const isLate = touched === null || freed - this.#freed > horizon;
    this.#freed = freed;
    this.#changed = changed;
    const isOther = index.refresh(this.#subset);
    if (isLate) this.#tell(null);
    else this.#tellChanges(isOther, touched);
  }

  #tellChanges(isOther: boolean, touched: readonly Host[]): void {
    const added: Host[] = [];
    const removed: Host[] = [];
    if (isOther) {
      // A freed slot still names its last host: it is not given out again within the horizon.
      this.#subset.slots.forEachChange((slot, isSet) => {
        (isSet ? added : removed).push(this.#slots.hosts[slot] as Host);
      });
    }
    const changed = touched.filter((host) => this.#subset.slots.has(this.#slots.slotOf(host)));
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
