import type { Clock } from '../base/clock.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { Logger } from '../contract/logger.ts';
import type { RegistryDelta } from '../contract/registry.ts';
import { Debounce, type DebounceOptions, defaultDebounce } from './debounce.ts';
import { diffEndpoints, indexEndpoints } from './endpoint-diff.ts';
import { MetadataTable } from './metadata-table.ts';

type Listener = (delta: RegistryDelta) => void;

export interface FeedOptions {
  /** (100 ms, at most 1 s). */
  readonly debounce?: DebounceOptions | undefined;
  /** Take an empty list for what it says instead of refusing it while there is a good one (false). */
  readonly allowEmpty?: boolean | undefined;
}

/**
 * One service of a registry: whole lists in, deltas out. Every registry that learns whole lists turns them into deltas
 * here, once, at the edge; nothing behind it compares lists again.
 *
 *   publish(list) -> (first: at once | later: debounced) -> diff with the last list -> listeners
 *   subscribe     -> full delta as soon as a list is known, then deltas
 */
export class ServiceFeed {
  readonly service: string;
  readonly #logger: Logger;
  readonly #allowEmpty: boolean;
  readonly #debounce: Debounce;
  readonly #listeners = new Set<Listener>();
  readonly #metadata = new MetadataTable();
  #list: Map<string, Endpoint> | null = null;
  #next: readonly Endpoint[] | null = null;
  #version = 0;

  constructor(service: string, clock: Clock, logger: Logger, options: FeedOptions = {}) {
    this.service = service;
    this.#logger = logger;
    this.#allowEmpty = options.allowEmpty ?? false;
    this.#debounce = new Debounce(clock, options.debounce ?? defaultDebounce, () => this.flush());
  }

  /** A list is known, empty or not. */
  get hasList(): boolean {
    return this.#list !== null;
  }

  get size(): number {
    return this.#list?.size ?? 0;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** The list that serves now. */
  endpoints(): Endpoint[] {
    return this.#list === null ? [] : [...this.#list.values()];
  }

  subscribe(onDelta: Listener): () => void {
    // A wrapper of its own, so that one function may subscribe twice.
    const listener: Listener = (delta) => onDelta(delta);
    this.#listeners.add(listener);
    if (this.#list !== null) listener(this.#full(this.#list));
    return () => void this.#listeners.delete(listener);
  }

  /** @returns false when an empty list was refused because a good one serves */
  publish(list: readonly Endpoint[]): boolean {
    if (list.length === 0 && this.size > 0 && !this.#allowEmpty) return false;
    this.#next = list;
    if (this.#list === null) this.flush();
    else this.#debounce.call();
    return true;
  }

  /** Passes on at once what waits. */
  flush(): void {
    const next = this.#next;
    if (next === null) return;
    this.#next = null;
    this.#debounce.cancel();
    const before = this.#list;
    const shared = next.map((endpoint) => this.#metadata.share(endpoint));
    const after = indexEndpoints(shared, (address) => this.#warnDuplicate(address));
    if (before === null) {
      this.#list = after;
      this.#version++;
      this.#tell(this.#full(after));
      return;
    }
    const diff = diffEndpoints(before, after);
    if (diff === null) return;
    this.#list = after;
    this.#version++;
    this.#tell({ service: this.service, version: this.#version, full: false, ...diff });
  }

  close(): void {
    this.#debounce.cancel();
    this.#next = null;
    this.#listeners.clear();
  }

  #full(list: Map<string, Endpoint>): RegistryDelta {
    const added = [...list.values()];
    return { service: this.service, version: this.#version, full: true, added, removed: [], changed: [] };
  }

  #tell(delta: RegistryDelta): void {
    for (const listener of this.#listeners) listener(delta);
  }

  #warnDuplicate(address: string): void {
    this.#logger.warn('endpoint listed twice, the last entry counts', { service: this.service, address });
  }
}
