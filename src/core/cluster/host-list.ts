import { ChunkedList, type ListView } from '../base/chunked-list.ts';
import type { Host, HostSet, HostSetChanges, TierTally } from '../contract/cluster.ts';
import type { ClusterHost } from './host.ts';
import { TierCounts } from './host-tally.ts';

/** The lists of one version; arrays of them are made when somebody asks. */
export class Snapshot implements HostSet {
  readonly version: number;
  readonly allView: ChunkedList<ClusterHost>;
  readonly availableView: ChunkedList<ClusterHost>;
  readonly isPanic: boolean;
  readonly changes: HostSetChanges | null;
  readonly hasEqualWeights: boolean;
  readonly hasOnePriority: boolean;
  readonly tally: TierTally;
  #all: readonly Host[] | null = null;
  #available: readonly Host[] | null = null;

  constructor(
    version: number,
    all: ChunkedList<ClusterHost>,
    available: ChunkedList<ClusterHost>,
    isPanic: boolean,
    changes: HostSetChanges | null,
    hasEqualWeights: boolean,
    hasOnePriority: boolean,
    tally: TierTally,
  ) {
    this.tally = tally;
    this.hasOnePriority = hasOnePriority;
    this.hasEqualWeights = hasEqualWeights;
    this.version = version;
    this.allView = all;
    this.availableView = available;
    this.isPanic = isPanic;
    this.changes = changes;
  }

  get all(): readonly Host[] {
    this.#all ??= this.allView.toArray();
    return this.#all;
  }

  get available(): readonly Host[] {
    this.#available ??= this.availableView.toArray();
    return this.#available;
  }
}

/**
 * The hosts of a cluster as they are now, and the immutable sets made of them.
 *
 *   add / remove / change / refresh   O(1) each: positions are kept in the hosts, removal swaps the last one in
 *   snapshot                          two copies that share their chunks, once for however many changes came before
 *
 * One delta among 50,000 hosts so costs no look at the other 49,999.
 */
export class HostList {
  readonly #byAddress = new Map<string, ClusterHost>();
  readonly #all = new ChunkedList<ClusterHost>();
  readonly #healthy = new ChunkedList<ClusterHost>();
  #panicThreshold: number;
  readonly #counts = new TierCounts();
  #set: Snapshot;
  /** Slots below the highest in use that no host has. */
  readonly #freeSlots: number[] = [];
  /** Hosts with a weight above 0. */
  #eligible = 0;
  #unhealthy = 0;
  #allChanged = false;
  #dirty = false;
  /** How many hosts have each priority. */
  readonly #priorities = new Map<number, number>();
  /** How many healthy hosts have each weight. */
  readonly #weights = new Map<number, number>();
  /** Hosts touched since the last snapshot, with whether they were available then. */
  readonly #touched = new Map<ClusterHost, boolean>();

  /** @param panicThreshold share of healthy hosts, 0 to 1, below which all are available; 0 = never */
  constructor(panicThreshold: number) {
    this.#panicThreshold = panicThreshold;
    const none = (): ChunkedList<ClusterHost> => new ChunkedList();
    this.#set = new Snapshot(0, none(), none(), false, null, true, true, this.#counts.tally);
  }

  /** All hosts, also those that are not in a snapshot yet. Do not keep it. */
  get hosts(): ListView<ClusterHost> {
    return this.#all;
  }

  get size(): number {
    return this.#all.length;
  }

  get healthyCount(): number {
    return this.#healthy.length;
  }

  /** Hosts with a weight above 0, healthy or not. */
  get eligibleCount(): number {
    return this.#eligible;
  }

  /** Hosts that failed active checks, or wait for their first. */
  get unhealthyCount(): number {
    return this.#unhealthy;
  }

  get isDirty(): boolean {
    return this.#dirty;
  }

  set panicThreshold(share: number) {
    if (share !== this.#panicThreshold) this.#dirty = true;
    this.#panicThreshold = share;
  }

  get(address: string): ClusterHost | undefined {
    return this.#byAddress.get(address);
  }

  add(host: ClusterHost): void {
    this.#byAddress.set(host.address, host);
    host.index = this.#all.length;
    host.slot = this.#freeSlots.pop() ?? this.#all.length;
    this.#all.push(host);
    this.#allChanged = true;
    this.refresh(host);
  }

  remove(host: ClusterHost): void {
    this.#touch(host);
    this.#byAddress.delete(host.address);
    this.#freeSlots.push(host.slot);
    const last = this.#all.pop();
    if (last !== host) {
      this.#all.set(host.index, last);
      last.index = host.index;
    }
    host.index = -1;
    this.#allChanged = true;
    this.#countPriority(host, -1);
    this.#setEligible(host, false);
    this.#countUnhealthy(host, false);
    this.#counts.count(host, false);
    this.#setHealthy(host, false);
  }

  /** To be called after weight, facts, health or ejection of a host changed. */
  refresh(host: ClusterHost): void {
    this.#touch(host);
    this.#countPriority(host, host.priority);
    this.#setEligible(host, host.weight > 0);
    this.#countUnhealthy(host, host.isUnhealthy);
    this.#counts.count(host, true);
    this.#setHealthy(host, host.isHealthy && host.weight > 0);
  }

  /** The set as of now; the same object as long as nothing changed. */
  snapshot(): Snapshot {
    if (!this.#dirty) return this.#set;
    const before = this.#set;
    const all = this.#allChanged ? this.#all.copy() : before.allView;
    const isPanic = this.#inPanic();
    const available = isPanic ? this.#eligibleHosts() : this.#healthy.copy();
    const version = before.version + 1;
    const changes = isPanic || before.isPanic ? null : this.#changes(before.version);
    const hasEqualWeights = !isPanic && this.#weights.size <= 1;
    const hasOnePriority = this.#priorities.size <= 1;
    const { tally } = this.#counts;
    this.#set = new Snapshot(
      version,
      all,
      available,
      isPanic,
      changes,
      hasEqualWeights,
      hasOnePriority,
      tally,
    );
    this.#allChanged = this.#dirty = false;
    this.#touched.clear();
    return this.#set;
  }

  #eligibleHosts(): ChunkedList<ClusterHost> {
    const eligible = new ChunkedList<ClusterHost>();
    for (const host of this.#all) if (host.isEligible) eligible.push(host);
    return eligible;
  }

  #inPanic(): boolean {
    if (this.#panicThreshold === 0) return false;
    return this.#healthy.length < this.#eligible * this.#panicThreshold;
  }

  #changes(from: number): HostSetChanges {
    const added: ClusterHost[] = [];
    const removed: ClusterHost[] = [];
    const changed: ClusterHost[] = [];
    for (const [host, was] of this.#touched) {
      const is = host.availableIndex >= 0;
      if (is && was) changed.push(host);
      else if (is) added.push(host);
      else if (was) removed.push(host);
    }
    return { from, added, removed, changed };
  }

  #touch(host: ClusterHost): void {
    this.#dirty = true;
    if (!this.#touched.has(host)) this.#touched.set(host, host.availableIndex >= 0);
  }

  #setEligible(host: ClusterHost, isEligible: boolean): void {
    if (isEligible === host.isEligible) return;
    host.isEligible = isEligible;
    this.#eligible += isEligible ? 1 : -1;
  }

  #countUnhealthy(host: ClusterHost, isUnhealthy: boolean): void {
    if (isUnhealthy === host.isCountedUnhealthy) return;
    host.isCountedUnhealthy = isUnhealthy;
    this.#unhealthy += isUnhealthy ? 1 : -1;
  }

  #countPriority(host: ClusterHost, priority: number): void {
    const before = host.countedPriority;
    if (before === priority) return;
    host.countedPriority = priority;
    if (priority >= 0) count(this.#priorities, priority, 1);
    if (before >= 0) count(this.#priorities, before, -1);
  }

  #countWeight(host: ClusterHost, weight: number): void {
    const before = host.countedWeight;
    if (before === weight) return;
    host.countedWeight = weight;
    if (weight > 0) count(this.#weights, weight, 1);
    if (before > 0) count(this.#weights, before, -1);
  }

  #setHealthy(host: ClusterHost, isHealthy: boolean): void {
    this.#countWeight(host, isHealthy ? host.weight : 0);
    if (isHealthy === host.availableIndex >= 0) return;
    if (isHealthy) {
      host.availableIndex = this.#healthy.length;
      this.#healthy.push(host);
      return;
    }
    const last = this.#healthy.pop();
    if (last !== host) {
      this.#healthy.set(host.availableIndex, last);
      last.availableIndex = host.availableIndex;
    }
    host.availableIndex = -1;
  }
}

function count(counts: Map<number, number>, key: number, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
