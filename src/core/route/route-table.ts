import { lowerByte } from '../base/header-field.ts';
import type { RouteConfig } from '../contract/config.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { CandidateList, proven } from './candidate-list.ts';
import type { Conditions } from './conditions.ts';
import type { PathMatch } from './path-match.ts';
import type { PathTrie } from './path-trie.ts';
import { notCached } from './route-cache.ts';
import type { RouterParts } from './router-parts.ts';

/** A compiled route with what chooses it. */
export interface TableEntry {
  readonly config: RouteConfig;
  readonly route: Route;
  readonly path: PathMatch;
  readonly conditions: Conditions;
}

/** A trie and its conditional candidates. */
interface Branch {
  readonly trie: PathTrie;
  readonly lists: readonly CandidateList[];
}

/** The answer of a table in which nothing matches. */
export const noRoute = 0x7fffffff;

/**
 * What chooses among the routes of a virtual host: a trie over their paths, conditions for what the path does not decide.
 * It gives positions, so hosts that differ only in where they send the same paths share one table.
 */
export class RouteTable {
  readonly #conditions: readonly Conditions[];
  readonly #trie: PathTrie;
  readonly #lists: readonly CandidateList[];
  /** Of routes that ignore the case of the path; null: there are none. */
  readonly #folded: Branch | null;
  readonly #shared: RouterParts;
  /** Tells this table's entries in the shared cache from others'. */
  readonly #host: number;

  constructor(entries: readonly TableEntry[], host: number, shared: RouterParts) {
    this.#conditions = entries.map((entry) => entry.conditions);
    this.#host = host;
    this.#shared = shared;
    const exact = this.#branch(entries, false);
    this.#trie = exact.trie;
    this.#lists = exact.lists;
    this.#folded = entries.some((entry) => entry.path.ignoresCase) ? this.#branch(entries, true) : null;
  }

  /** @param buf the path's bytes @param s what conditions look at @returns a position, or `noRoute` */
  match(buf: Uint8Array, start: number, end: number, s: Stream): number {
    const final = this.#trie.walk(buf, start, end);
    if (this.#folded !== null) return this.#firstOfBoth(this.#folded, final, buf, start, end, s);
    return this.#trie.metCount > 0 ? this.#firstThatHolds(final, buf, start, end, s) : final;
  }

  #branch(entries: readonly TableEntry[], ignoresCase: boolean): Branch {
    const literals = entries.flatMap(({ path, conditions }, index) =>
      path.ignoresCase === ignoresCase
        ? [{ kind: path.kind, literal: path.literal, index, isFinal: conditions.isEmpty }]
        : [],
    );
    const trie = this.#shared.trie(literals);
    return { trie, lists: trie.conditional.map((list) => new CandidateList(list, this.#conditions)) };
  }

  #firstOfBoth(
    folded: Branch,
    final: number,
    buf: Uint8Array,
    start: number,
    end: number,
    s: Stream,
  ): number {
    const lower = this.#shared.scratch(end - start);
    for (let i = start; i < end; i++) lower[i - start] = lowerByte[buf[i] as number] as number;
    const foldedFinal = folded.trie.walk(lower, 0, end - start);
    const best = foldedFinal < final ? foldedFinal : final;
    if (folded.trie.metCount === 0 && this.#trie.metCount === 0) return best;
    return this.#firstThatHolds(best, buf, start, end, s);
  }

  /**
   * Asks each candidate before `final` in configured order. Before the first pattern the cache is asked, unless the
   * outcome depends on more than path and method.
   */
  #firstThatHolds(final: number, buf: Uint8Array, start: number, end: number, s: Stream): number {
    const { merge, cache } = this.#shared;
    merge.reset();
    let isCacheable = this.#gather(this.#trie, this.#lists, s);
    const folded = this.#folded;
    if (folded !== null && !this.#gather(folded.trie, folded.lists, s)) isCacheable = false;
    let isAsked = false;
    let found = final;
    for (;;) {
      const candidate = merge.next();
      const index = candidate & ~proven;
      if (index >= final || candidate === noRoute) break;
      const conditions = this.#conditions[index] as Conditions;
      isCacheable &&= conditions.isCacheable;
      if (conditions.hasPattern && isCacheable && !isAsked) {
        isAsked = true;
        const known = cache.find(this.#host, buf, start, end, s.req);
        if (known !== notCached) return known;
      }
      if (candidate !== index || conditions.hold(s)) {
        found = index;
        break;
      }
    }
    if (isAsked && isCacheable) cache.put(found);
    return found;
  }

  /** Puts the lists that the walk met together. Returns whether path and method alone chose them. */
  #gather(trie: PathTrie, lists: readonly CandidateList[], s: Stream): boolean {
    const { merge } = this.#shared;
    let isCacheable = true;
    for (let i = 0; i < trie.metCount; i++) {
      const met = trie.met[i] as number;
      if ((met & 1) === 1) {
        merge.addOne(met >> 1);
        continue;
      }
      const list = lists[met >> 1] as CandidateList;
      merge.add(list.plain);
      if (list.byKey === null) continue;
      isCacheable = false;
      const chosen = list.byKey.chosenBy(s);
      if (typeof chosen === 'number') merge.addOne(chosen);
      else if (chosen !== null) merge.add(chosen);
    }
    return isCacheable;
  }
}
