import { hashText } from '../../../sharding/index.ts';
import type { Endpoint } from '../../contract/cluster.ts';
import type { InterfaceSource, SourceChange } from '../../contract/service-source.ts';
import { addressOf, type ProviderUrl, parseProviderUrl } from '../dubbo/provider-url.ts';
import type { ServiceName } from '../dubbo/service-name.ts';
import type { FactsTable } from '../facts-table.ts';
import { HostTable } from '../host-table.ts';
import type { Level, LevelListener } from './level.ts';

/** How a framework's provider URLs become hosts; null = not what was asked for. */
export type UrlDialect = (url: ProviderUrl, asked: ServiceName) => Endpoint | null;

/**
 * The interface-level list of one service: its provider URLs. Of a URL only a hash is kept, beside the host that it stands
 * for: a process that starts again says another URL (another time, another pid) before the old one goes, and must not lose
 * its host to that. A URL whose hash is known is not read again.
 */
export class ProviderList implements Level {
  readonly hosts = new HostTable();
  readonly #asked: ServiceName;
  readonly #dialect: UrlDialect;
  readonly #facts: FactsTable;
  readonly #listener: LevelListener;
  /** Hashes of further URLs of one address, newest last; the newest of all is its tag. */
  readonly #older = new Map<string, number[]>();
  readonly #unwatch: () => void;
  #hasAnswer = false;
  #put = new Map<string, Endpoint>();
  #removed = new Set<string>();
  #unreadable = 0;

  constructor(
    source: InterfaceSource,
    asked: ServiceName,
    dialect: UrlDialect,
    facts: FactsTable,
    listener: LevelListener,
  ) {
    this.#asked = asked;
    this.#dialect = dialect;
    this.#facts = facts;
    this.#listener = listener;
    const watcher = {
      change: (change: SourceChange<string>) => this.#apply(change),
      trouble: (reason: string) => listener.onTrouble('interface', reason),
    };
    this.#unwatch = source.watch(asked.interfaceName, watcher, asked);
  }

  get isReady(): boolean {
    return this.#hasAnswer;
  }

  close(): void {
    this.#unwatch();
  }

  #apply(change: SourceChange<string>): void {
    this.#hasAnswer = true;
    this.#unreadable = 0;
    if (change.full) this.#replace(change.put);
    else {
      for (const text of change.removed) this.#drop(text);
      for (const text of change.put) this.#add(text);
    }
    const put = [...this.#put.values()];
    const removed = [...this.#removed];
    this.#put = new Map();
    this.#removed = new Set();
    const trouble = this.#unreadable === 0 ? '' : `${this.#unreadable} provider URLs cannot be read`;
    this.#listener.onTrouble('interface', trouble);
    this.#listener.onChange({ put, removed, isEmptyMeant: change.isEmptyMeant });
  }

  #replace(texts: readonly string[]): void {
    const now = new Map<string, string[]>();
    for (const text of texts) {
      const address = placeOf(text);
      if (address === null) this.#unreadable++;
      else now.set(address, [...(now.get(address) ?? []), text]);
    }
    for (const address of [...this.hosts.addresses()]) {
      const hashes = now.get(address)?.map((text) => hashText(text)) ?? [];
      for (const hash of this.#hashesOf(address)) if (!hashes.includes(hash)) this.#unclaim(address, hash);
    }
    for (const same of now.values()) for (const text of same) this.#add(text);
  }

  #add(text: string): void {
    const address = placeOf(text);
    const hash = hashText(text);
    if (address !== null && this.#hashesOf(address).includes(hash)) return;
    const url = parseProviderUrl(text);
    if (url === null) {
      this.#unreadable++;
      return;
    }
    const endpoint = this.#dialect(url, this.#asked);
    if (endpoint === null) return;
    this.#claim(endpoint, hash);
  }

  #claim(endpoint: Endpoint, hash: number): void {
    const { address } = endpoint;
    const before = this.hosts.tagOf(address);
    if (before !== 0) this.#older.set(address, [...(this.#older.get(address) ?? []), before]);
    const facts = this.#facts.share(endpoint);
    const result = this.hosts.put(address, facts);
    this.hosts.setTag(address, hash);
    this.#removed.delete(address);
    if (result !== 'same') this.#put.set(address, { address, ...facts });
  }

  #drop(text: string): void {
    const address = placeOf(text);
    if (address !== null) this.#unclaim(address, hashText(text));
  }

  /** The host goes with its last URL; until then what the newest said stays. */
  #unclaim(address: string, hash: number): void {
    const hashes = this.#hashesOf(address);
    const rest = hashes.filter((each) => each !== hash);
    if (rest.length === hashes.length) return;
    const newest = rest.pop();
    if (rest.length === 0) this.#older.delete(address);
    else this.#older.set(address, rest);
    if (newest !== undefined) {
      this.hosts.setTag(address, newest);
      return;
    }
    this.hosts.delete(address);
    this.#removed.add(address);
    this.#put.delete(address);
  }

  #hashesOf(address: string): number[] {
    const newest = this.hosts.tagOf(address);
    return newest === 0 ? [] : [...(this.#older.get(address) ?? []), newest];
  }
}

/** The address of a URL without reading the rest of it. */
function placeOf(text: string): string | null {
  const query = text.indexOf('?');
  const url = parseProviderUrl(query < 0 ? text : text.slice(0, query));
  return url === null ? null : addressOf(url);
}
