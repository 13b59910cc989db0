import { sortSteps } from '../../../sharding/index.ts';
import type { ListView } from '../../base/chunked-list.ts';
import type { Clock } from '../../base/clock.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { availableHosts, noHosts, wasTried } from './host-choice.ts';
import { SlicedBuild } from './sliced-build.ts';

/** A look-up table over a list of owners, walked from where a hash falls. */
export interface LookUpTable {
  /** 0 when it has no owner. */
  readonly size: number;
  start(hash: number): number;
  /** @param position as `start` gave it, or any later one: it goes round */
  ownerAt(position: number): number;
}

/** How the table of a balancer is made. Keys come in the order of addresses, so that every proxy builds the same. */
export interface TableKind {
  readonly empty: LookUpTable;
  build(keys: readonly string[], weights: readonly number[]): Generator<void, LookUpTable>;
  /** Whether a build holds the loop up for too long to be done at once. */
  isLong(weights: readonly number[]): boolean;
}

/** Of a long build: not again before this long after the last one, so that a list that never rests costs a fifth of a core at most. */
const restMs = 1000;
/** A share of hosts that are out above which the table is made without them. */
const maxOutShare = 0.25;

interface Built {
  readonly table: LookUpTable;
  readonly hosts: readonly Host[];
  /** By the weight they were built with. */
  readonly weights: ReadonlyMap<Host, number>;
}

/**
 * A balancer by hash over a table. Hosts that leave or become unhealthy are skipped at once, by walking on from their
 * place, and cost no build: a flap among 50,000 hosts changes one set entry. Hosts that join, and weights, take a build:
 * at once in small clusters, in slices of 2 ms between other work in large ones while the table that is there serves.
 * 50,000 hosts: maglev 117 ms, ringHash 88 ms of CPU in 30 to 70 slices, the longest 6 ms with what the collector takes;
 * a flap and the next pick 2.5 us.
 */
export class TableBalancer implements Balancer {
  readonly #kind: TableKind;
  readonly #hash: (s: Stream | null) => number;
  readonly #clock: Clock;
  #hosts: ListView<Host> = noHosts;
  #version = -1;
  #built: Built;
  /** Hosts of the table that may not be chosen now. */
  readonly #out = new Set<Host>();
  /** The table lacks hosts or weights. */
  #isStale = false;
  #building: SlicedBuild<Built> | null = null;
  #buildVersion = -1;
  #builtMs = Number.NEGATIVE_INFINITY;

  constructor(kind: TableKind, hash: (s: Stream | null) => number, clock: Clock) {
    this.#kind = kind;
    this.#hash = hash;
    this.#clock = clock;
    this.#built = { table: kind.empty, hosts: [], weights: new Map() };
  }

  get isPreparing(): boolean {
    return this.#building !== null && this.#built.table.size === 0;
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
    const { changes } = set;
    if (changes !== null && changes.from === this.#version) {
      for (const host of changes.removed) this.#leave(host);
      for (const host of changes.added) this.#join(host);
      for (const host of changes.changed) this.#join(host);
    } else this.#compare();
    this.#version = set.version;
    if (this.#out.size > maxOutShare * this.#built.hosts.length) this.#isStale = true;
    if (this.#isStale && this.#building === null) this.#schedule();
  }

  pick(s: Stream | null): Host | null {
    if (this.#hosts.length === 0) return null;
    if (this.#isStale && (this.#building === null || this.#out.size === this.#built.hosts.length)) {
      this.#buildNow();
    }
    const { table, hosts } = this.#built;
    const start = table.start(this.#hash(s));
    const isAnyOut = this.#out.size > 0;
    let tried: Host | null = null;
    for (let step = 0; step < table.size; step++) {
      const host = hosts[table.ownerAt(start + step)] as Host;
      if (isAnyOut && this.#out.has(host)) continue;
      if (!wasTried(s, host)) return host;
      tried ??= host;
    }
    return tried;
  }

  #leave(host: Host): void {
    if (this.#built.weights.has(host)) this.#out.add(host);
    // A table for good without it: the share of who comes after it must not stay doubled.
    if (host.isRemoved) this.#isStale = true;
  }

  #join(host: Host): void {
    if (this.#built.weights.get(host) === clampWeight(host.weight)) this.#out.delete(host);
    else this.#isStale = true;
  }

  /** The set says not what changed: looks at all of it. */
  #compare(): void {
    const now = new Set(this.#hosts);
    this.#out.clear();
    this.#isStale = false;
    for (const host of now) this.#join(host);
    for (const host of this.#built.hosts) if (!now.has(host)) this.#leave(host);
  }

  #schedule(): void {
    // A short build waits for the next pick: several updates in a row make one.
    if (!this.#isLong()) return;
    const restLeftMs = Math.max(0, this.#builtMs + restMs - this.#clock.now());
    this.#building = new SlicedBuild(this.#steps(), this.#clock, restLeftMs, (built) => this.#adopt(built));
  }

  #isLong(): boolean {
    if (this.#hosts.length < 500) return false;
    const weights: number[] = [];
    for (const host of this.#hosts) weights.push(clampWeight(host.weight));
    return this.#kind.isLong(weights);
  }

  #buildNow(): void {
    if (this.#building === null) {
      this.#building = new SlicedBuild(this.#steps(), this.#clock, 0, (built) => this.#adopt(built));
    }
    // What came after a build began may be missing in it.
    while (this.#building !== null) this.#building.finish();
  }

  *#steps(): Generator<void, Built> {
    this.#buildVersion = this.#version;
    const listed = [...this.#hosts];
    yield;
    const hosts = yield* sortSteps(listed, (a, b) => a.address < b.address);
    const weights = new Map<Host, number>();
    for (const host of hosts) {
      weights.set(host, clampWeight(host.weight));
      if (weights.size % 4096 === 0) yield;
    }
    const keys = hosts.map((host) => host.address);
    yield;
    const table = yield* this.#kind.build(keys, [...weights.values()]);
    return { table, hosts, weights };
  }

  #adopt(built: Built): void {
    this.#building = null;
    this.#builtMs = this.#clock.now();
    this.#built = built;
    this.#out.clear();
    this.#isStale = false;
    if (this.#buildVersion === this.#version) return;
    this.#compare();
    if (this.#isStale) this.#schedule();
  }
}
