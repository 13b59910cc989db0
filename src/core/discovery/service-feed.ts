import type { Clock } from '../base/clock.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { Logger } from '../contract/logger.ts';
import type { RegistryDelta } from '../contract/registry.ts';
import { Debounce, type DebounceOptions, defaultDebounce } from './debounce.ts';
import { FactsTable } from './facts-table.ts';
import { HostTable } from './host-table.ts';

type Listener = (delta: RegistryDelta) => void;

export interface FeedOptions {
  /** (100 ms, at most 1 s). */
  readonly debounce?: DebounceOptions | undefined;
  /** Take an empty list for what it says instead of refusing it while there is a good one (false). */
  readonly allowEmpty?: boolean | undefined;
  /** Shared by the services of one registry: their hosts are the same processes (one of its own). */
  readonly facts?: FactsTable | undefined;
  /** An empty list was refused after all changes that were joined. */
  readonly onRefused?: (() => void) | undefined;
}

/** What became of a list, for those who know only what changed. */
export interface FeedChange {
  /** New or changed. */
  readonly put: readonly Endpoint[];
  /** Addresses. */
  readonly removed: readonly string[];
  /** An empty list is what the source means. */
  readonly isEmptyMeant?: boolean | undefined;
}

/**
 * One service of a registry: whole lists or changes in, deltas out. Lists are turned into deltas here, once, at the edge;
 * nothing behind it compares lists again.
 *
 *   publish(list) | apply(change) -> (first: at once | later: debounced) -> hosts that differ -> listeners
 *   subscribe                     -> full delta as soon as a list is known, then deltas
 */
export class ServiceFeed {
  readonly service: string;
  readonly #logger: Logger;
  readonly #options: FeedOptions;
  readonly #debounce: Debounce;
  readonly #listeners = new Set<Listener>();
  readonly #facts: FactsTable;
  readonly #list = new HostTable();
  #hasList = false;
  /** A whole list that waits, and changes that came after it, or without it. */
  #next: readonly Endpoint[] | null = null;
  #pending = new Map<string, Endpoint | null>();
  #isEmptyMeant = false;
  /** An empty list was refused: what serves is not what the source has, the next change starts from nothing. */
  #isStale = false;
  #version = 0;

  constructor(service: string, clock: Clock, logger: Logger, options: FeedOptions = {}) {
    this.service = service;
    this.#logger = logger;
    this.#options = options;
    this.#facts = options.facts ?? new FactsTable();
    this.#debounce = new Debounce(clock, options.debounce ?? defaultDebounce, () => this.flush());
  }

  /** A list is known, empty or not. */
  get hasList(): boolean {
    return this.#hasList;
  }

  get size(): number {
    return this.#list.size;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** The list that serves now. */
  endpoints(): Endpoint[] {
    return [...this.#list];
  }

  subscribe(onDelta: Listener): () => void {
    // A wrapper of its own, so that one function may subscribe twice.
    const listener: Listener = (delta) => onDelta(delta);
    this.#listeners.add(listener);
    if (this.#hasList) listener(this.#full());
    return () => void this.#listeners.delete(listener);
  }

  /** @returns false when an empty list was refused because a good one serves */
  publish(list: readonly Endpoint[]): boolean {
    if (list.length === 0 && this.size > 0 && this.#options.allowEmpty !== true) {
      this.#isStale = true;
      return false;
    }
    this.#next = list;
    this.#pending.clear();
    this.#isEmptyMeant = true;
    this.#passOn();
    return true;
  }

  /** Without a list before, `put` is the list. */
  apply(change: FeedChange): void {
    for (const address of change.removed) this.#pending.set(address, null);
    for (const endpoint of change.put) this.#pending.set(endpoint.address, endpoint);
    this.#isEmptyMeant = change.isEmptyMeant === true;
    this.#passOn();
  }

  /** Passes on at once what waits. */
  flush(): void {
    this.#debounce.cancel();
    const pending = this.#pending;
    const next = this.#next ?? (this.#isStale && pending.size > 0 ? [] : null);
    if (next === null && pending.size === 0 && this.#hasList) return;
    this.#next = null;
    this.#pending = new Map();
    if (next !== null) this.#replace(next, pending);
    else if (this.#wouldEmpty(pending)) this.#refuse();
    else this.#change(pending);
  }

  close(): void {
    this.#debounce.cancel();
    this.#next = null;
    this.#pending.clear();
    this.#listeners.clear();
  }

  #passOn(): void {
    if (this.#hasList) this.#debounce.call();
    else this.flush();
  }

  #replace(next: readonly Endpoint[], pending: ReadonlyMap<string, Endpoint | null>): void {
    const after = new Map<string, Endpoint | null>();
    for (const endpoint of next) {
      if (after.has(endpoint.address)) this.#warnDuplicate(endpoint.address);
      after.set(endpoint.address, endpoint);
    }
    for (const [address, endpoint] of pending) {
      if (endpoint === null) after.delete(address);
      else after.set(address, endpoint);
    }
    const isEmptyRefused = !this.#isEmptyMeant && this.#options.allowEmpty !== true;
    if (after.size === 0 && this.size > 0 && isEmptyRefused) {
      this.#refuse();
      return;
    }
    for (const address of this.#list.addresses()) if (!after.has(address)) after.set(address, null);
    this.#change(after);
  }

  #change(changes: ReadonlyMap<string, Endpoint | null>): void {
    const added: Endpoint[] = [];
    const changed: Endpoint[] = [];
    const removed: string[] = [];
    for (const [address, endpoint] of changes) {
      if (endpoint === null) {
        if (this.#list.delete(address)) removed.push(address);
        continue;
      }
      const facts = this.#facts.share(endpoint);
      const result = this.#list.put(address, facts);
      if (result !== 'same') (result === 'added' ? added : changed).push({ address, ...facts });
    }
    this.#isStale = false;
    const isFirst = !this.#hasList;
    this.#hasList = true;
    if (!isFirst && added.length + changed.length + removed.length === 0) return;
    const version = ++this.#version;
    this.#tell({ service: this.service, version, full: isFirst, added, removed, changed });
  }

  #wouldEmpty(pending: ReadonlyMap<string, Endpoint | null>): boolean {
    if (this.#isEmptyMeant || this.#options.allowEmpty === true || this.size === 0) return false;
    let left = this.size;
    for (const [address, endpoint] of pending) {
      if (endpoint !== null) return false;
      if (this.#list.has(address)) left--;
    }
    return left === 0;
  }

  #refuse(): void {
    this.#isStale = true;
    this.#options.onRefused?.();
  }

  #full(): RegistryDelta {
    const added = this.endpoints();
    return { service: this.service, version: this.#version, full: true, added, removed: [], changed: [] };
  }

  #tell(delta: RegistryDelta): void {
    for (const listener of this.#listeners) listener(delta);
  }

  #warnDuplicate(address: string): void {
    this.#logger.warn('endpoint listed twice, the last entry counts', { service: this.service, address });
  }
}
