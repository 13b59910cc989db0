import {
  createScheme,
  type Scheme,
  type SchemeName,
  type SchemeOptions,
  type ShardServer,
} from './scheme.ts';

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

interface Entry<T> {
  server: T;
  score: number;
  /** 0 the own zone, 1 others, 2 weight 0. */
  tier: number;
  isHealthy: boolean;
  isMember: boolean;
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
  readonly #entries = new Map<string, Entry<T>>();
  #order: Entry<T>[] = [];
  #members: Entry<T>[] = [];

  constructor(options: ShardOptions) {
    this.#options = options;
    const name = options.scheme ?? 'rendezvous';
    this.#schemes = [createScheme(name, options), createScheme(name, options)];
  }

  /** Servers in the whole list. */
  get total(): number {
    return this.#entries.size;
  }

  members(): T[] {
    return this.#members.map((entry) => entry.server);
  }

  /** @returns what changed for the members */
  apply(delta: ShardDelta<T> & { readonly full?: boolean }): ShardDelta<T> {
    const before = new Map<string, T>();
    const removed: string[] = [];
    const touched = [...delta.added, ...delta.changed];
    if (delta.full === true) {
      const kept = new Set(touched.map((server) => server.address));
      for (const address of this.#entries.keys()) if (!kept.has(address)) removed.push(address);
    } else removed.push(...delta.removed);
    for (const address of removed) this.#drop(address);
    for (const server of touched) {
      const known = this.#entries.get(server.address);
      if (known?.isMember === true) before.set(server.address, known.server);
      if (known !== undefined) known.server = server;
      else this.#entries.set(server.address, this.#entryOf(server));
    }
    this.#place(touched, removed.length);
    return this.#choose(
      touched.filter((server) => before.has(server.address) && before.get(server.address) !== server),
    );
  }

  /** A server's health as the client sees it; unknown addresses are ignored. */
  setHealth(address: string, isHealthy: boolean): ShardDelta<T> {
    const entry = this.#entries.get(address);
    if (entry === undefined || entry.isHealthy === isHealthy) return { added: [], removed: [], changed: [] };
    entry.isHealthy = isHealthy;
    return this.#choose([]);
  }

  #entryOf(server: T): Entry<T> {
    return { server, score: 0, tier: 0, isHealthy: true, isMember: false };
  }

  #drop(address: string): void {
    const entry = this.#entries.get(address);
    if (entry === undefined) return;
    this.#entries.delete(address);
    entry.tier = -1;
  }

  /** Puts what is new or changed where it belongs: a few by insertion, many or all by sorting anew. */
  #place(touched: readonly T[], removedCount: number): void {
    if (touched.length + removedCount === 0) return;
    for (const server of touched) this.#rank(this.#entries.get(server.address) as Entry<T>);
    if (this.#prepare() || touched.length > 16) {
      this.#order = [...this.#entries.values()];
      for (const entry of this.#order) this.#rate(entry);
      this.#order.sort(compare);
      return;
    }
    const moving = new Set(touched.map((server) => this.#entries.get(server.address) as Entry<T>));
    this.#order = this.#order.filter((entry) => entry.tier >= 0 && !moving.has(entry));
    for (const entry of moving) {
      this.#rate(entry);
      this.#order.splice(this.#placeOf(entry), 0, entry);
    }
  }

  /** Tells the schemes what they choose from. @returns whether every score must be made anew */
  #prepare(): boolean {
    const near: T[] = [];
    const far: T[] = [];
    for (const { server, tier } of this.#entries.values()) {
      if (tier === 0) near.push(server);
      else if (tier === 1) far.push(server);
    }
    const wanted = this.#size();
    const ofNear = Math.min(wanted, near.length);
    const isNearStale = this.#schemes[0].prepare(near, ofNear);
    return this.#schemes[1].prepare(far, Math.min(wanted - ofNear, far.length)) || isNearStale;
  }

  #rank(entry: Entry<T>): void {
    const { weight, zone } = entry.server;
    const own = this.#options.zone ?? '';
    entry.tier = weight <= 0 ? 2 : own === '' || zone === own ? 0 : 1;
  }

  #rate(entry: Entry<T>): void {
    entry.score = entry.tier === 2 ? 0 : (this.#schemes[entry.tier] as Scheme).score(entry.server);
  }

  #placeOf(entry: Entry<T>): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#order[middle] as Entry<T>, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first N, and spares for those of them that are unhealthy. */
  #choose(changed: readonly T[]): ShardDelta<T> {
    const before = this.#members;
    const wanted = this.#size();
    const members: Entry<T>[] = this.#order.slice(0, wanted);
    const unhealthy = members.reduce((count, entry) => count + (entry.isHealthy ? 0 : 1), 0);
    let spares = Math.min(unhealthy, this.#options.maxSpares ?? unhealthy);
    for (let at = wanted; spares > 0 && at < this.#order.length; at++) {
      const entry = this.#order[at] as Entry<T>;
      if (!entry.isHealthy || entry.tier === 2) continue;
      members.push(entry);
      spares--;
    }
    for (const entry of before) entry.isMember = false;
    const known = new Set(before);
    const added = members.filter((entry) => !known.has(entry)).map((entry) => entry.server);
    for (const entry of members) entry.isMember = true;
    const removed = before.filter((entry) => !entry.isMember).map((entry) => entry.server.address);
    this.#members = members;
    return {
      added,
      removed,
      changed: changed.filter((server) => this.#entries.get(server.address)?.isMember),
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

function compare<T extends ShardServer>(a: Entry<T>, b: Entry<T>): number {
  if (a.tier !== b.tier) return a.tier - b.tier;
  if (a.score !== b.score) return a.score - b.score;
  return a.server.address < b.server.address ? -1 : 1;
}
