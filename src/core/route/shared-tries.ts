import { CandidateMerge } from './candidate-merge.ts';
import { PathTrie, type TrieEntry } from './path-trie.ts';

/** Tables up to this size are compared; larger ones are hardly ever equal. */
const maxShared = 32;

/**
 * The tries of one router. Virtual hosts that differ only in where they send the same paths share one: 50,000 hosts
 * with the same routes then walk the same few cache lines.
 */
export class SharedTries {
  readonly merge: CandidateMerge = new CandidateMerge();
  readonly #known: Map<string, PathTrie> = new Map();

  get(entries: readonly TrieEntry[]): PathTrie {
    if (entries.length > maxShared) return new PathTrie(entries);
    const key = JSON.stringify(entries);
    let trie = this.#known.get(key);
    if (trie === undefined) {
      trie = new PathTrie(entries);
      this.#known.set(key, trie);
    }
    return trie;
  }
}
