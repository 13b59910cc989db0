import type { Endpoint } from '../../contract/cluster.ts';
import type { MappingSource, SourceChange } from '../../contract/service-source.ts';
import type { ServiceName } from '../dubbo/service-name.ts';
import type { FactsTable } from '../facts-table.ts';
import { HostTable } from '../host-table.ts';
import type { FeedChange } from '../service-feed.ts';
import type { ApplicationList } from './application-list.ts';
import type { ViewListener } from './application-view.ts';
import type { Level, LevelListener } from './level.ts';

/** Lists of applications, shared by all services of a registry. */
export interface ApplicationLists {
  /** As `ApplicationList.view`; the list is made for the first view and goes with the last. */
  view(
    application: string,
    asked: ServiceName,
    listener: ViewListener,
  ): { readonly list: ApplicationList; close(): void };
}

interface Part {
  readonly list: ApplicationList;
  /** Its own hosts, while there is more than one application: another one may have the same address. */
  readonly hosts: HostTable;
  close(): void;
}

export interface ApplicationLevelOptions {
  /** Applications that are known to provide it: the mapping is not asked. */
  readonly applications: readonly string[];
  readonly mapping: MappingSource | null;
}

/** The application-level list of one service: the applications that provide it, and their instances that do. */
export class ApplicationLevel implements Level {
  readonly hosts = new HostTable();
  readonly #asked: ServiceName;
  readonly #lists: ApplicationLists;
  readonly #facts: FactsTable;
  readonly #listener: LevelListener;
  readonly #parts = new Map<string, Part>();
  readonly #unwatch: () => void;
  #hasMapping = false;

  constructor(
    asked: ServiceName,
    options: ApplicationLevelOptions,
    lists: ApplicationLists,
    facts: FactsTable,
    listener: LevelListener,
  ) {
    this.#asked = asked;
    this.#lists = lists;
    this.#facts = facts;
    this.#listener = listener;
    const { applications, mapping } = options;
    if (asked.isApplication || applications.length > 0 || mapping === null) {
      this.#unwatch = () => {};
      this.#hasMapping = true;
      for (const name of asked.isApplication ? [asked.interfaceName] : applications) this.#join(name);
    } else {
      this.#unwatch = mapping.watch(asked.interfaceName, {
        change: (change) => this.#applyMapping(change),
        trouble: (reason) => listener.onTrouble('mapping', reason),
      });
    }
  }

  get applications(): readonly string[] {
    return [...this.#parts.keys()];
  }

  get isReady(): boolean {
    if (!this.#hasMapping) return false;
    for (const { list } of this.#parts.values()) if (!list.isReady) return false;
    return true;
  }

  close(): void {
    this.#unwatch();
    for (const part of this.#parts.values()) part.close();
    this.#parts.clear();
  }

  /** Nobody is taken out because a mapping came back empty: it only ever grows. */
  #applyMapping(change: SourceChange<string>): void {
    this.#hasMapping = true;
    for (const name of change.put) if (name !== '' && !this.#parts.has(name)) this.#join(name);
    const gone = change.full
      ? this.applications.filter((name) => !change.put.includes(name))
      : change.removed;
    if (gone.length < this.#parts.size) for (const name of gone) this.#leave(name);
    this.#listener.onTrouble('mapping', '');
    this.#listener.onChange({ put: [], removed: [] });
  }

  #join(name: string): void {
    const hosts = new HostTable();
    const early: FeedChange[] = [];
    let isJoined = false;
    const { list, close } = this.#lists.view(name, this.#asked, {
      onChange: (change) => {
        if (isJoined) this.#apply(hosts, change);
        else early.push(change);
      },
      onTrouble: (application, reason) => this.#listener.onTrouble(`application ${application}`, reason),
      onAnswer: () => {
        if (isJoined) this.#listener.onChange({ put: [], removed: [] });
      },
    });
    this.#parts.set(name, { list, hosts, close });
    isJoined = true;
    for (const change of early) this.#apply(hosts, change);
  }

  #leave(name: string): void {
    const part = this.#parts.get(name);
    if (part === undefined) return;
    this.#parts.delete(name);
    part.close();
    this.#listener.onTrouble(`application ${name}`, '');
    this.#apply(part.hosts, { put: [], removed: [...part.hosts.addresses()] });
  }

  #apply(own: HostTable, change: FeedChange): void {
    const removed = change.removed.filter((address) => own.delete(address) && this.#remove(address));
    const put: Endpoint[] = [];
    for (const endpoint of change.put) {
      const facts = this.#facts.share(endpoint);
      own.put(endpoint.address, facts);
      if (this.hosts.put(endpoint.address, facts) !== 'same')
        put.push({ address: endpoint.address, ...facts });
    }
    this.#listener.onChange({ put, removed, isEmptyMeant: change.isEmptyMeant });
  }

  /** @returns false when another application has the address as well */
  #remove(address: string): boolean {
    for (const { hosts } of this.#parts.values()) if (hosts.has(address)) return false;
    return this.hosts.delete(address);
  }
}
