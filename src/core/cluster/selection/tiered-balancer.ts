import { ChunkedList } from '../../base/chunked-list.ts';
import type { Random } from '../../base/random.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { LocalityConfig } from '../../contract/cluster-config.ts';
import type { Stream } from '../../contract/stream.ts';
import { zoneLoads } from './locality-load.ts';
import { priorityLoads } from './priority-load.ts';

export interface TierSettings {
  /** Per cent by which a level is taken to have more hosts than it needs (140). */
  readonly overprovisioningPercent: number;
  /** Share of healthy hosts of a level below which all of them get traffic, 0 to 1. */
  readonly panicThreshold: number;
  readonly locality: LocalityConfig | null;
}

/** A balancer with subsets: what stands in for a subset without hosts is asked only once no priority has one. */
export interface FallingBack extends Balancer {
  pickMatching(s: Stream | null): Host | null;
  pickFallback(s: Stream | null): Host | null;
}

type Inner = Balancer & Partial<FallingBack>;
type Pass = (balancer: Inner, s: Stream | null) => Host | null;

const whole: Pass = (balancer, s) => balancer.pick(s);
const matching: Pass = (balancer, s) => (balancer as FallingBack).pickMatching(s);
const fallback: Pass = (balancer, s) => (balancer as FallingBack).pickFallback(s);

/** Hosts of one priority and zone (or of all its zones) with a balancer of their own. */
interface Group {
  readonly balancer: Inner;
  hosts: Host[];
  version: number;
}

interface Tier {
  readonly load: number;
  readonly groups: readonly Group[];
  /** One per group, adding up to 1. */
  readonly shares: readonly number[];
}

/**
 * Priorities, then zones, then the balancer of that group.
 *
 *   pick -> priority by load -> zone by share -> balancer
 *
 * As long as there is one priority and zones do not matter the balancer has the cluster's own host set, changes and all.
 */
export class TieredBalancer implements Balancer {
  readonly #settings: TierSettings;
  readonly #random: Random;
  readonly #createBalancer: () => Inner;
  readonly #single: Inner;
  readonly #groups = new Map<string, Group>();
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
    if (this.#hasTiers) this.#build(set);
    else {
      this.#tiers = null;
      this.#groups.clear();
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
      const other =
        tier === first || (tier.load === 0 && pass !== matching) ? null : this.#pickIn(tier, s, pass);
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

  #build(set: HostSet): void {
    const factor = this.#settings.overprovisioningPercent / 100;
    const byPriority = groupBy(
      set.all.filter((host) => host.weight > 0),
      (host) => host.priority,
    );
    const priorities = [...byPriority.keys()].sort((a, b) => a - b);
    const health = priorities.map((priority) => healthOf(byPriority.get(priority) as Host[]));
    const loads = priorityLoads(health, factor, this.#settings.panicThreshold);
    const used = new Set<string>();
    this.#tiers = priorities.map((priority, i) => {
      const { load, isPanic } = loads[i] as (typeof loads)[number];
      return this.#buildTier(priority, byPriority.get(priority) as Host[], load, isPanic, set, used);
    });
    for (const name of [...this.#groups.keys()]) if (!used.has(name)) this.#groups.delete(name);
  }

  #buildTier(
    priority: number,
    hosts: readonly Host[],
    load: number,
    isPanic: boolean,
    set: HostSet,
    used: Set<string>,
  ): Tier {
    const byZone = groupBy(hosts, (host) => host.zone);
    const zones = [...byZone].map(([zone, all]) => ({ zone, ...healthOf(all) }));
    const { locality, overprovisioningPercent } = this.#settings;
    const isPlain = locality === null || isPanic;
    const shares = isPlain ? null : zoneLoads(zones, locality, overprovisioningPercent / 100);
    const sum = shares?.reduce((all, each) => all + each, 0) ?? 0;
    const group = (name: string, of: readonly Host[]): Group => {
      used.add(name);
      return this.#updateGroup(name, isPanic ? [...of] : of.filter(isHealthy), set);
    };
    if (shares === null || sum === 0) return { load, groups: [group(`${priority}`, hosts)], shares: [1] };
    return {
      load,
      groups: zones.map(({ zone }) => group(`${priority}/${zone}`, byZone.get(zone) as Host[])),
      shares: shares.map((each) => each / sum),
    };
  }

  #updateGroup(name: string, hosts: Host[], set: HostSet): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { balancer: this.#createBalancer(), hosts: [], version: 0 };
      this.#groups.set(name, group);
    }
    const isSame = hosts.length === group.hosts.length && hosts.every((host, i) => group.hosts[i] === host);
    // Weights or metadata of hosts that stay may have changed, unless the set says that none did.
    if (isSame && group.version > 0 && set.changes !== null && set.changes.changed.length === 0) return group;
    group.hosts = hosts;
    group.version++;
    const availableView = ChunkedList.from(hosts);
    const { version } = group;
    group.balancer.update({
      version,
      all: hosts,
      available: hosts,
      availableView,
      isPanic: false,
      changes: null,
    });
    return group;
  }

  #drawTier(tiers: readonly Tier[]): Tier | null {
    let rest = this.#random.next() * 100;
    let last: Tier | null = null;
    for (const tier of tiers) {
      if (tier.load === 0) continue;
      last = tier;
      rest -= tier.load;
      if (rest < 0) return tier;
    }
    return last;
  }

  #pickIn(tier: Tier, s: Stream | null, pass: Pass): Host | null {
    let rest = tier.groups.length === 1 ? 0 : this.#random.next();
    for (let i = 0; i < tier.groups.length; i++) {
      rest -= tier.shares[i] as number;
      if (rest > 0 || tier.shares[i] === 0) continue;
      const host = pass((tier.groups[i] as Group).balancer, s);
      if (host !== null) return host;
    }
    for (const group of tier.groups) {
      const host = pass(group.balancer, s);
      if (host !== null) return host;
    }
    return null;
  }
}

function isHealthy(host: Host): boolean {
  return !host.isUnhealthy && host.ejectedUntilMs === 0;
}

function healthOf(hosts: readonly Host[]): { total: number; healthy: number } {
  let healthy = 0;
  for (const host of hosts) if (isHealthy(host)) healthy++;
  return { total: hosts.length, healthy };
}

function groupBy<K>(hosts: readonly Host[], keyOf: (host: Host) => K): Map<K, Host[]> {
  const groups = new Map<K, Host[]>();
  for (const host of hosts) {
    const key = keyOf(host);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return groups;
}
