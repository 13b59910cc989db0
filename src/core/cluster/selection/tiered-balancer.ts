import type { Random } from '../../base/random.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { HostGroup } from './host-group.ts';
import { isHealthy, isSameShape, planTiers, type TierPlan, type TierSettings, tallyOf } from './tier-plan.ts';

/** A balancer with subsets: what stands in for a subset without hosts is asked only once no priority has one. */
export interface FallingBack extends Balancer {
  pickMatching(s: Stream | null): Host | null;
  pickFallback(s: Stream | null): Host | null;
}

type Inner = Balancer & Partial<FallingBack>;
type Group = HostGroup<Inner>;
type Pass = (balancer: Inner, s: Stream | null) => Host | null;

const whole: Pass = (balancer, s) => balancer.pick(s);
const matching: Pass = (balancer, s) => (balancer as FallingBack).pickMatching(s);
const fallback: Pass = (balancer, s) => (balancer as FallingBack).pickFallback(s);

/** A priority with the groups of its zones, or with one for all. */
interface Tier {
  readonly plan: TierPlan;
  /** In the order of `plan.shares`. */
  readonly groups: readonly Group[];
}

/**
 * Priorities, then zones, then the balancer of that group.
 *
 *   pick -> priority by load -> zone by share -> balancer
 *
 * As long as there is one priority and zones do not matter the balancer has the cluster's own host set, changes and all.
 * Otherwise a change costs one group its change, and all of them new shares: 10 us among 50,000 hosts in four zones. All
 * hosts are looked at when a level begins or ends to panic, and when a priority or zone comes or goes.
 */
export class TieredBalancer implements Balancer {
  readonly #settings: TierSettings;
  readonly #random: Random;
  readonly #createBalancer: () => Inner;
  readonly #single: Inner;
  readonly #groups = new Map<string, Group>();
  /** Where each host is that may be chosen, while there are tiers. */
  readonly #homes = new Map<Host, Group>();
  /** Null while one balancer serves all. */
  #tiers: Tier[] | null = null;
  #hasTiers = false;
  #firstPriority = -1;
  #version = -1;

  constructor(settings: TierSettings, random: Random, createBalancer: () => Inner) {
    this.#settings = settings;
    this.#random = random;
    this.#createBalancer = createBalancer;
    this.#single = createBalancer();
  }

  update(set: HostSet): void {
    this.#look(set);
    if (this.#hasTiers) {
      const plans = planTiers(set.tally ?? tallyOf(set.all), this.#settings);
      if (!this.#apply(set, plans)) this.#build(set, plans);
    } else {
      this.#tiers = null;
      this.#groups.clear();
      this.#homes.clear();
      this.#single.update(set);
    }
    this.#version = set.version;
  }

  get isPreparing(): boolean {
    if (this.#tiers === null) return this.#single.isPreparing === true;
    for (const { balancer } of this.#groups.values()) if (balancer.isPreparing === true) return true;
    return false;
  }

  pick(s: Stream | null): Host | null {
    if (this.#tiers === null) return this.#single.pick(s);
    if (this.#single.pickMatching === undefined) return this.#pickTier(this.#tiers, s, whole);
    return this.#pickTier(this.#tiers, s, matching) ?? this.#pickTier(this.#tiers, s, fallback);
  }

  #pickTier(tiers: readonly Tier[], s: Stream | null, pass: Pass): Host | null {
    const first = this.#drawTier(tiers);
    const host = first === null ? null : this.#pickIn(first, s, pass);
    if (host !== null) return host;
    // A subset may be empty in one level and not in the next, even one that gets no traffic otherwise.
    for (const tier of tiers) {
      const isIdle = tier.plan.load === 0 && pass !== matching;
      const other = tier === first || isIdle ? null : this.#pickIn(tier, s, pass);
      if (other !== null) return other;
    }
    return null;
  }

  /** One level serves all until a host of another priority shows up, or where zones matter. */
  #look(set: HostSet): void {
    const changes = set.changes;
    if (this.#settings.locality !== null) this.#hasTiers = true;
    else if (set.hasOnePriority !== undefined) this.#hasTiers = !set.hasOnePriority;
    else if (changes === null || changes.from !== this.#version || this.#hasTiers) {
      this.#firstPriority = -1;
      this.#hasTiers = false;
      this.#lookAt(set.all);
    } else {
      this.#lookAt(changes.added);
      this.#lookAt(changes.changed);
    }
  }

  #lookAt(hosts: Iterable<Host>): void {
    for (const { priority } of hosts) {
      if (this.#firstPriority < 0) this.#firstPriority = priority;
      else if (priority !== this.#firstPriority) this.#hasTiers = true;
    }
  }

  /** Moves the hosts that changed. @returns false when they would not fit: the tiers are to be built */
  #apply({ changes }: HostSet, plans: readonly TierPlan[]): boolean {
    const before = this.#tiers?.map((tier) => tier.plan);
    if (before === undefined || changes === null || changes.from !== this.#version) return false;
    if (!isSameShape(before, plans)) return false;
    const touched = new Set<Group>();
    for (const host of changes.removed) this.#move(host, null, touched);
    for (const host of changes.changed) this.#move(host, this.#homeOf(host, plans), touched);
    for (const host of changes.added) this.#move(host, this.#homeOf(host, plans), touched);
    this.#tiers = plans.map((plan) => this.#tierOf(plan));
    for (const group of touched) group.flush();
    return true;
  }

  #build(set: HostSet, plans: readonly TierPlan[]): void {
    const members = new Map<Group, Host[]>();
    const tiers = plans.map((plan) => this.#tierOf(plan));
    for (const { groups } of tiers) for (const group of groups) members.set(group, []);
    for (const [name, group] of this.#groups) if (!members.has(group)) this.#groups.delete(name);
    const panicking = new Set(plans.filter((plan) => plan.isPanic).map((plan) => plan.priority));
    this.#homes.clear();
    for (const host of set.all) {
      if (host.weight <= 0 || !(isHealthy(host) || panicking.has(host.priority))) continue;
      const group = this.#homeOf(host, plans);
      if (group === null) continue;
      this.#homes.set(host, group);
      members.get(group)?.push(host);
    }
    this.#tiers = tiers;
    for (const [group, hosts] of members) {
      group.replace(hosts);
      group.flush();
    }
  }

  #move(host: Host, to: Group | null, touched: Set<Group>): void {
    const from = this.#homes.get(host);
    if (from !== undefined && from !== to) {
      from.drop(host);
      touched.add(from);
      this.#homes.delete(host);
    }
    if (to === null) return;
    to.put(host);
    touched.add(to);
    this.#homes.set(host, to);
  }

  #homeOf({ priority, zone }: Host, plans: readonly TierPlan[]): Group | null {
    const plan = plans.find((each) => each.priority === priority);
    return plan === undefined ? null : this.#groupOf(plan, zone);
  }

  #tierOf(plan: TierPlan): Tier {
    const zones = plan.zones ?? [''];
    return { plan, groups: zones.map((zone) => this.#groupOf(plan, zone)) };
  }

  #groupOf({ priority, zones }: TierPlan, zone: string): Group {
    const name = zones === null ? `${priority}` : `${priority}/${zone}`;
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new HostGroup(this.#createBalancer());
      this.#groups.set(name, group);
    }
    return group;
  }

  #drawTier(tiers: readonly Tier[]): Tier | null {
    let rest = this.#random.next() * 100;
    let last: Tier | null = null;
    for (const tier of tiers) {
      if (tier.plan.load === 0) continue;
      last = tier;
      rest -= tier.plan.load;
      if (rest < 0) return tier;
    }
    return last;
  }

  #pickIn({ plan, groups }: Tier, s: Stream | null, pass: Pass): Host | null {
    let rest = groups.length === 1 ? 0 : this.#random.next();
    for (let i = 0; i < groups.length; i++) {
      const share = plan.shares[i] as number;
      rest -= share;
      if (rest > 0 || share === 0) continue;
      const host = pass((groups[i] as Group).balancer, s);
      if (host !== null) return host;
    }
    for (const group of groups) {
      const host = pass(group.balancer, s);
      if (host !== null) return host;
    }
    return null;
  }
}
