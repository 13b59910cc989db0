import type { ZooKeeperClient } from '../client/client.ts';
import { EventType, ZkCode } from '../wire/protocol.ts';
import type { WatchEvent } from '../wire/records.ts';
import { Watched } from './watched.ts';

export interface DirectoryListener {
  /** Everything there is, after a connect; empty, too, when there is no such directory. Valid until it returns. */
  onList(entries: ReadonlyMap<string, Buffer>): void;
  /** One entry came, changed or (null) went. */
  onChange(name: string, data: Buffer | null): void;
  onTrouble(reason: string): void;
}

export interface DirectoryOptions {
  /** Data of the entries, too; otherwise names alone and empty data. */
  readonly withData: boolean;
  /** Larger data count as none: the entry is left out. */
  readonly maxDataBytes: number;
}

const nothing: Buffer = Buffer.alloc(0);
/** Reads of entries in flight: servers hold a client back that asks for thousands at once. */
const maxReads = 256;

/** The entries of one directory. */
export class WatchedDirectory extends Watched {
  readonly #listener: DirectoryListener;
  readonly #options: DirectoryOptions;
  readonly #entries = new Map<string, Buffer>();
  #names = new Set<string>();
  /** Waiting to be read, then in flight. */
  readonly #queue = new Set<string>();
  #reads = 0;
  /** The whole list was told since the last connect. */
  #isTold = false;

  constructor(client: ZooKeeperClient, path: string, options: DirectoryOptions, listener: DirectoryListener) {
    super(client, path, (reason) => listener.onTrouble(reason));
    this.#listener = listener;
    this.#options = options;
  }

  protected override read(): void {
    this.#isTold = false;
    this.#queue.clear();
    this.#list();
  }

  protected override onEvent({ type, path }: WatchEvent): void {
    if (path !== this.path) this.#entryEvent(type, path.slice(path.lastIndexOf('/') + 1));
    else if (type === EventType.deleted) this.#gone(!this.isRecursive);
    else if (type === EventType.childrenChanged) this.#list();
    else if (type === EventType.created && !this.isRecursive) this.#list();
  }

  #entryEvent(type: number, name: string): void {
    if (type === EventType.deleted) this.#drop(name);
    else if (type === EventType.created || this.#names.has(name)) {
      this.#names.add(name);
      this.#want(name);
    }
  }

  #list(): void {
    const isOneShot = !this.isRecursive;
    this.client.children(this.path, isOneShot, (error, names) => {
      if (error?.zkCode === ZkCode.noNode) this.#gone(isOneShot);
      else if (this.isFine(error)) this.#listed(names ?? []);
    });
  }

  #listed(names: readonly string[]): void {
    const before = this.#names;
    this.#names = new Set(names);
    for (const name of before) if (!this.#names.has(name)) this.#drop(name);
    for (const name of names) if (!this.#isTold || !before.has(name)) this.#want(name);
    this.#settle();
  }

  /** There is no directory (any more); where watches fire once, its creation has to be watched for. */
  #gone(isOneShot: boolean): void {
    if (this.isStopped) return;
    this.#names.clear();
    this.#entries.clear();
    this.#queue.clear();
    this.#isTold = true;
    this.#listener.onList(this.#entries);
    if (!isOneShot) return;
    this.client.exists(this.path, true, (error, stat) => {
      if (stat !== null) this.#list();
      else if (error?.zkCode !== ZkCode.noNode) this.isFine(error);
    });
  }

  #want(name: string): void {
    if (!this.#options.withData) {
      this.#put(name, nothing);
      return;
    }
    this.#queue.add(name);
    this.#fetch();
  }

  #fetch(): void {
    for (const name of this.#queue) {
      if (this.#reads >= maxReads) return;
      this.#queue.delete(name);
      this.#reads++;
      this.client.data(`${this.path}/${name}`, !this.isRecursive, (error, node) => {
        this.#reads--;
        if (error?.zkCode === ZkCode.connectionLoss) this.#queue.clear();
        else if (error?.zkCode === ZkCode.noNode) this.#fetched(name, null);
        else this.#fetched(name, this.isFine(error) ? (node?.data ?? null) : undefined);
      });
    }
  }

  /** @param data null: there is none; undefined: it cannot be read, what was read before stays */
  #fetched(name: string, data: Buffer | null | undefined): void {
    if (this.isStopped) return;
    if (data === null) this.#drop(name);
    else if (data !== undefined && this.#names.has(name)) {
      if (data.length > this.#options.maxDataBytes) this.#drop(name);
      else this.#put(name, data);
    }
    this.#fetch();
    this.#settle();
  }

  #put(name: string, data: Buffer): void {
    this.#entries.set(name, data);
    if (this.#isTold) this.#listener.onChange(name, data);
  }

  #drop(name: string): void {
    this.#names.delete(name);
    this.#queue.delete(name);
    if (this.#entries.delete(name) && this.#isTold) this.#listener.onChange(name, null);
  }

  /** Tells the whole list once every entry of it has been read. */
  #settle(): void {
    if (this.#isTold || this.isStopped || this.#reads > 0 || this.#queue.size > 0) return;
    this.#isTold = true;
    this.#listener.onList(this.#entries);
  }
}
