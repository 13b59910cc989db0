import { CandidateMerge } from './candidate-merge.ts';
import { PathTrie, type TrieEntry } from './path-trie.ts';
import { RouteCache } from './route-cache.ts';
import { RouteTable, type TableEntry } from './route-table.ts';

/** Tables up to this size are compared; larger ones are hardly ever equal. */
const maxShared = 32;

/**
 * What the virtual hosts of one router share. Those that differ only in where they send the same paths share a table:
 * 50,000 hosts with the same routes then walk the same few cache lines.
 */
export class RouterParts {
  readonly merge: CandidateMerge = new CandidateMerge();
  readonly cache: RouteCache = new RouteCache();
  readonly #tries: Map<string, PathTrie> = new Map();
  readonly #tables: RouteTable[] = [];
  readonly #byPaths: Map<string, number> = new Map();
  #scratch: Uint8Array = new Uint8Array(256);

  /** Room for a path in another form, until the next call. */
  scratch(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.#scratch.length) this.#scratch = new Uint8Array(sizeBytes * 2);
    return this.#scratch;
  }

  /** Tables by the numbers that `table` gave. */
  get tables(): readonly RouteTable[] {
    return this.#tables;
  }

  /** The number of a table that chooses among `entries`; the same one where the same paths decide alone. */
  table(entries: readonly TableEntry[]): number {
    const isPlain = entries.length <= maxShared && entries.every((entry) => entry.conditions.isEmpty);
    const key = isPlain
      ? JSON.stringify(entries.map(({ path }) => [path.kind, path.literal, path.ignoresCase]))
      : '';
    const known = isPlain ? this.#byPaths.get(key) : undefined;
    if (known !== undefined) return known;
    const number = this.#tables.length;
    this.#tables.push(new RouteTable(entries, number, this));
    if (isPlain) this.#byPaths.set(key, number);
    return number;
  }

  trie(entries: readonly TrieEntry[]): PathTrie {
    if (entries.length > maxShared) return new PathTrie(entries);
    const key = JSON.stringify(entries);
    let trie = this.#tries.get(key);
    if (trie === undefined) {
      trie = new PathTrie(entries);
      this.#tries.set(key, trie);
    }
    return trie;
  }
}
