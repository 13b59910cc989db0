import type {
  ApplicationMetadata,
  InstanceSource,
  InterfaceSource,
  MappingSource,
  MetadataSource,
  PublishTarget,
  RuleSource,
  ServiceInstance,
  ServiceSources,
  SourceChange,
  SourceWatcher,
} from '../core/contract/service-source.ts';
import type { Health } from '../core/contract/state.ts';
import { formatCuratorInstance } from '../core/discovery/dubbo/instance.ts';
import { encodeJava } from '../core/discovery/dubbo/java-encoding.ts';
import { formatMetadataInfo } from '../core/discovery/dubbo/metadata-info.ts';

/** One folder of the registry: items by key and who watches. */
class Folder<Item> {
  readonly items = new Map<string, Item>();
  readonly watchers = new Set<SourceWatcher<Item>>();
}

type Kind = 'instances' | 'mapping' | 'interfaces' | 'rules';

/**
 * A service framework's registry in memory: what is put is seen by who watches, as deltas. For tests of the model and of
 * what is built on it: it can be cut off, slow, forgetful, and counts what a real one would send over its wire.
 */
export class MemorySources implements ServiceSources {
  readonly instances: InstanceSource;
  readonly mapping: MappingSource;
  readonly interfaces: InterfaceSource;
  readonly rules: RuleSource;
  readonly metadata: MetadataSource;
  readonly target: PublishTarget;
  /** Bytes that subscribers were sent, in ZooKeeper's layout. */
  sentBytes = 0;
  /** Calls of `metadata.fetch`. */
  fetches = 0;
  /** Calls of the target that changed something. */
  puts = 0;
  isClosed = false;
  /** Why nothing can be asked or put now; "" = all is well. */
  outage = '';
  /** Why metadata cannot be had; "" = it can. */
  metadataOutage = '';
  readonly #folders = new Map<string, Folder<unknown>>();
  readonly #metadata = new Map<string, ApplicationMetadata>();
  readonly #lost = new Set<() => void>();

  constructor() {
    this.instances = { watch: (name, watcher) => this.#watch('instances', name, watcher) };
    this.mapping = { watch: (name, watcher) => this.#watch('mapping', name, watcher) };
    this.interfaces = { watch: (name, watcher) => this.#watch('interfaces', name, watcher) };
    this.rules = { watch: (name, watcher) => this.#watch('rules', name, watcher) };
    this.metadata = { fetch: (application, revision) => this.#fetch(application, revision) };
    this.target = this.#createTarget();
  }

  /** Watches that exist now, those of a kind or all; one of the mapping is one of its whole folder. */
  watches(kind?: Kind): number {
    let count = 0;
    let hasMapping = false;
    for (const [key, folder] of this.#folders) {
      if (kind !== undefined && !key.startsWith(`${kind} `)) continue;
      if (key.startsWith('mapping ')) hasMapping ||= folder.watchers.size > 0;
      else count += folder.watchers.size;
    }
    return count + (hasMapping ? 1 : 0);
  }

  /** Publication listeners included: 0 once everything is closed. */
  get listeners(): number {
    return this.watches() + this.#lost.size;
  }

  list(kind: Kind, name: string): unknown[] {
    return [...this.#folder(kind, name).items.values()];
  }

  put<Item>(kind: Kind, name: string, key: string, item: Item): void {
    this.#folder(kind, name).items.set(key, item);
    this.#tell(kind, name, { full: false, put: [item], removed: [] });
  }

  remove(kind: Kind, name: string, key: string, isEmptyMeant = false): void {
    if (!this.#folder(kind, name).items.delete(key)) return;
    this.#tell(kind, name, { full: false, put: [], removed: [key], isEmptyMeant });
  }

  /** As a registry that tells whole lists does. */
  replace(kind: Kind, name: string, items: ReadonlyMap<string, unknown>): void {
    const folder = this.#folder(kind, name);
    folder.items.clear();
    for (const [key, item] of items) folder.items.set(key, item);
    this.#tell(kind, name, { full: true, put: [...items.values()], removed: [] });
  }

  putInstance(instance: ServiceInstance): void {
    this.put('instances', instance.application, instance.address, instance);
  }

  putMetadata(metadata: ApplicationMetadata): void {
    this.#metadata.set(`${metadata.application} ${metadata.revision}`, metadata);
  }

  /** Everybody who watches is told. */
  cutOff(reason: string): void {
    this.outage = reason;
    for (const { watchers } of this.#folders.values()) for (const each of watchers) each.trouble(reason);
  }

  /** Everybody gets whole lists again. */
  reconnect(): void {
    this.outage = '';
    for (const [key, folder] of this.#folders) {
      const [kind = '', name = ''] = key.split(' ');
      this.#tell(kind as Kind, name, { full: true, put: [...folder.items.values()], removed: [] });
    }
  }

  /** A session expired: what was put for as long as it lasts is gone, and who put it is told. */
  expire(): void {
    for (const kind of ['instances', 'interfaces'] as const) {
      for (const [key, folder] of this.#folders) {
        if (key.startsWith(`${kind} `)) folder.items.clear();
      }
    }
    for (const listener of [...this.#lost]) listener();
  }

  health(): Health {
    return { status: this.outage === '' ? 'ok' : 'degraded', reason: this.outage, sinceMs: 0 };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #folder(kind: Kind, name: string): Folder<unknown> {
    const key = `${kind} ${name}`;
    let folder = this.#folders.get(key);
    if (folder === undefined) {
      folder = new Folder();
      this.#folders.set(key, folder);
    }
    return folder;
  }

  #watch<Item>(kind: Kind, name: string, watcher: SourceWatcher<Item>): () => void {
    const folder = this.#folder(kind, name) as Folder<Item>;
    const own: SourceWatcher<Item> = {
      change: (change) => watcher.change(change),
      trouble: (reason) => watcher.trouble(reason),
    };
    folder.watchers.add(own);
    queueMicrotask(() => {
      if (!folder.watchers.has(own)) return;
      if (this.outage !== '') own.trouble(this.outage);
      else this.#send(kind, name, own, { full: true, put: [...folder.items.values()], removed: [] });
    });
    return () => void folder.watchers.delete(own);
  }

  #tell(kind: Kind, name: string, change: SourceChange<unknown>): void {
    if (this.outage !== '') return;
    for (const watcher of this.#folder(kind, name).watchers) this.#send(kind, name, watcher, change);
  }

  #send<Item>(kind: Kind, name: string, watcher: SourceWatcher<Item>, change: SourceChange<Item>): void {
    for (const item of change.put) this.sentBytes += sizeOf(kind, name, item);
    for (const key of change.removed) this.sentBytes += name.length + key.length;
    watcher.change(change);
  }

  async #fetch(application: string, revision: string): Promise<ApplicationMetadata | null> {
    this.fetches++;
    const reason = this.outage === '' ? this.metadataOutage : this.outage;
    if (reason !== '') throw new Error(reason);
    const found = this.#metadata.get(`${application} ${revision}`) ?? null;
    if (found !== null) this.sentBytes += formatMetadataInfo(found).length;
    return found;
  }

  #createTarget(): PublishTarget {
    const doing =
      <Args extends unknown[]>(run: (...args: Args) => void) =>
      async (...args: Args): Promise<void> => {
        if (this.outage !== '') throw new Error(this.outage);
        this.puts++;
        run(...args);
      };
    return {
      putInstance: doing((instance) => this.putInstance(instance)),
      removeInstance: doing(({ application, address }) => this.remove('instances', application, address)),
      putMetadata: doing((metadata) => this.putMetadata(metadata)),
      putMapping: doing((name, application) => this.put('mapping', name, application, application)),
      putProvider: doing((name, url) => this.put('interfaces', name, url, url)),
      removeProvider: doing((name, url) => this.remove('interfaces', name, url)),
      onLost: (listener) => {
        this.#lost.add(listener);
        return () => void this.#lost.delete(listener);
      },
    };
  }
}

/** Characters of an item with its path, as ZooKeeper would send them. */
function sizeOf(kind: Kind, name: string, item: unknown): number {
  if (kind === 'instances') {
    const instance = item as ServiceInstance;
    return name.length + instance.address.length + formatCuratorInstance(instance, 0).length;
  }
  return name.length + encodeJava(String(item)).length;
}
