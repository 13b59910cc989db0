import { type Ranked, RankedMembers } from './ranked-members.ts';
import {
  createScheme,
  type Scheme,
  type SchemeName,
  type SchemeOptions,
  type ServerSource,
  type ShardServer,
} from './scheme.ts';

/** So many changes, or one in so many of all, are put in one by one. */
const few = 16;
const fewOf = 64;

/** How many servers a client gets: a share of all, a number, or so many that each server has about that many connections. */
export type ShardSize =
  | { readonly fraction: number }
  | { readonly count: number }
  | { readonly connectionsPerServer: number; readonly clients: number };

export interface ShardOptions extends SchemeOptions {
  /** ("rendezvous"). */
  readonly scheme?: SchemeName | undefined;
  readonly size: ShardSize;
  /** However small the share, so many if there are so many (1). */
  readonly minSize?: number | undefined;
  /** The client's zone: its servers come first; "" = zones do not matter (""). */
  readonly zone?: string | undefined;
  /** At most so many next ranks stand in for members that are unhealthy (as many as are unhealthy). */
  readonly maxSpares?: number | undefined;
}

export interface ShardDelta<T> {
  readonly added: readonly T[];
  /** Addresses. */
  readonly removed: readonly string[];
  readonly changed: readonly T[];
}

interface Entry<T extends ShardServer> extends Ranked {
  server: T;
}

/** What schemes are told of the servers of one tier. */
class TierServers<T extends ShardServer> implements ServerSource {
  readonly weights = new Map<number, number>();
  count = 0;
  readonly #all: () => T[];

  constructor(all: () => T[]) {
    this.#all = all;
  }

  add(weight: number, change: 1 | -1): void {
    this.count += change;
    const now = (this.weights.get(weight) ?? 0) + change;
    if (now === 0) this.weights.delete(weight);
    else this.weights.set(weight, now);
  }

  servers(): T[] {
    return this.#all();
  }
}

/**
 * The part of one service's list that one client uses. All servers are kept in the client's order of preference; the
 * first N are its members, and the next healthy ones stand in for members that are not. Deltas in, deltas out.
 *
 *   order:   s7  s2  s9  s4  s1  s8 ...          N = 3, s2 is unhealthy
 *   members: s7  s2  s9  s4
 */
export class ServiceListShard<T extends ShardServer> {
  readonly #options: ShardOptions;
  /** One for the own zone, one for the rest: each orders its own servers. */
  readonly #schemes: readonly [Scheme, Scheme];
  readonly #tiers: readonly [TierServers<T>, TierServers<T>];
  readonly #entries = new Map<string, Entry<T>>();
  readonly #ranked = new RankedMembers<Entry<T>>();

  constructor(options: ShardOptions) {
    this.#options = options;
    const name = options.scheme ?? 'rendezvous';
    this.#schemes = [createScheme(name, options), createScheme(name, options)];
    this.#tiers = [new TierServers(() => this.#serversOf(0)), new TierServers(() => this.#serversOf(1))];
  }

  /** Servers in the whole list. */
  get total(): number {
    return this.#entries.size;
  }

  members(): T[] {
    return this.#ranked.members().map((entry) => entry.server);
  }

  /** @returns what changed for the members */
  apply(delta: ShardDelta<T> & { readonly full?: boolean }): ShardDelta<T> {
    const touched = [...delta.added, ...delta.changed];
    const gone = this.#drop(delta.full === true ? this.#missingFrom(touched) : delta.removed);
    const changed = new Set<Entry<T>>();
    const entries = new Set<Entry<T>>();
    for (const server of touched) {
      const entry = this.#entries.get(server.address) ?? this.#enter(server);
      if ((entry.isCore || entry.isSpare) && entry.server !== server) changed.add(entry);
      entries.add(entry);
    }
    this.#place(touched, gone, entries);
    return this.#choose(changed);
  }

  /** A server's health as the client sees it; unknown addresses are ignored. */
  setHealth(address: string, isHealthy: boolean): ShardDelta<T> {
    const entry = this.#entries.get(address);
    if (entry === undefined || entry.isHealthy === isHealthy) return { added: [], removed: [], changed: [] };
    this.#ranked.setHealth(entry, isHealthy);
    return this.#choose(new Set());
  }

  #missingFrom(servers: readonly T[]): string[] {
    const kept = new Set(servers.map((server) => server.address));
    return [...this.#entries.keys()].filter((address) => !kept.has(address));
  }

  #enter(server: T): Entry<T> {
    const entry = { server, score: 0, tier: -1, isHealthy: true, isCore: false, isSpare: false };
    this.#entries.set(server.address, entry);
    return entry;
  }

  #drop(addresses: readonly string[]): Entry<T>[] {
    const gone: Entry<T>[] = [];
    for (const address of addresses) {
      const entry = this.#entries.get(address);
      if (entry === undefined) continue;
      this.#entries.delete(address);
      this.#count(entry, -1);
      gone.push(entry);
    }
    return gone;
  }

  /** Puts what is new or changed where it belongs: a few by insertion, many or all by sorting anew. */
  #place(touched: readonly T[], gone: readonly Entry<T>[], entries: ReadonlySet<Entry<T>>): void {
    const changes = entries.size + gone.length;
    if (changes === 0) return;
    const isFew = changes <= few || changes * fewOf < this.#entries.size;
    const known = [...entries].filter((entry) => entry.tier >= 0);
    if (isFew) for (const entry of [...gone, ...known]) this.#ranked.remove(entry);
    for (const entry of known) this.#count(entry, -1);
    for (const server of touched) (this.#entries.get(server.address) as Entry<T>).server = server;
    for (const entry of entries) {
      entry.tier = this.#tierOf(entry.server);
      this.#count(entry, 1);
    }
    if (this.#prepare() || !isFew) {
      for (const entry of this.#entries.values()) this.#rate(entry);
      this.#ranked.replace(this.#entries.values(), gone);
      return;
    }
    for (const entry of entries) {
      this.#rate(entry);
      this.#ranked.insert(entry);
    }
  }

  #count(entry: Entry<T>, change: 1 | -1): void {
    if (entry.tier === 0 || entry.tier === 1) this.#tiers[entry.tier].add(entry.server.weight, change);
  }

  /** Tells the schemes what they choose from. @returns whether every score must be made anew */
  #prepare(): boolean {
    const [near, far] = this.#tiers;
    const wanted = this.#size();
    const ofNear = Math.min(wanted, near.count);
    const isNearStale = this.#schemes[0].prepare(near, ofNear);
    return this.#schemes[1].prepare(far, Math.min(wanted - ofNear, far.count)) || isNearStale;
  }

  #serversOf(tier: number): T[] {
    const servers: T[] = [];
    for (const entry of this.#entries.values()) if (entry.tier === tier) servers.push(entry.server);
    return servers;
  }

  #tierOf({ weight, zone }: T): number {
    const own = this.#options.zone ?? '';
    return weight <= 0 ? 2 : own === '' || zone === own ? 0 : 1;
  }

  #rate(entry: Entry<T>): void {
    entry.score = entry.tier === 2 ? 0 : (this.#schemes[entry.tier] as Scheme).score(entry.server);
  }

  /** The first N, and spares for those of them that are unhealthy. */
  #choose(changed: ReadonlySet<Entry<T>>): ShardDelta<T> {
    const { added, removed } = this.#ranked.choose(
      this.#size(),
      this.#options.maxSpares ?? Number.POSITIVE_INFINITY,
    );
    const fresh = new Set(added);
    return {
      added: added.map((entry) => entry.server),
      removed: removed.map((entry) => entry.server.address),
      changed: [...changed]
        .filter((entry) => (entry.isCore || entry.isSpare) && !fresh.has(entry))
        .map((entry) => entry.server),
    };
  }

  #size(): number {
    const { size, minSize = 1 } = this.#options;
    const total = this.#entries.size;
    let wanted: number;
    if ('fraction' in size) wanted = Math.ceil(total * size.fraction - 1e-9);
    else if ('count' in size) wanted = size.count;
    else wanted = Math.ceil((size.connectionsPerServer * total) / Math.max(1, size.clients));
    return Math.min(total, Math.max(minSize, wanted));
  }
}
