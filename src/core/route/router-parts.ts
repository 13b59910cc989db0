import { CandidateMerge } from './candidate-merge.ts';
import { PathTrie, type TrieEntry } from './path-trie.ts';
import { RouteCache } from './route-cache.ts';

/** Tables up to this size are compared; larger ones are hardly ever equal. */
const maxShared = 32;

/**
 * What the route tables of one router share. Virtual hosts that differ only in where they send the same paths share a
 * trie: 50,000 hosts with the same routes then walk the same few cache lines.
 */
export class RouterParts {
  readonly merge: CandidateMerge = new CandidateMerge();
  readonly cache: RouteCache = new RouteCache();
  readonly #tries: Map<string, PathTrie> = new Map();
  #scratch: Uint8Array = new Uint8Array(256);

  /** Room for a path in another form, until the next call. */
  scratch(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.#scratch.length) this.#scratch = new Uint8Array(sizeBytes * 2);
    return this.#scratch;
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
