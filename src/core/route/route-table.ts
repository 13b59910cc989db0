import type { HeadView } from '../base/head-view.ts';
import type { RouteConfig, RouteMatchConfig } from '../contract/config.ts';
import type { Route } from '../contract/route.ts';
import { CandidateList } from './candidate-list.ts';
import { Conditions } from './conditions.ts';
import { literalPrefix } from './literal-prefix.ts';
import { PathTrie, type TrieEntry } from './path-trie.ts';

const noRoute = 0x7fffffff;

/** The routes of one virtual host: a trie over their paths, conditions for what the path does not decide. */
export class RouteTable {
  readonly #routes: readonly Route[];
  readonly #conditions: readonly Conditions[];
  readonly #trie: PathTrie;
  readonly #lists: readonly CandidateList[];
  readonly hasRegex: boolean;
  /** Index of the route that the last `match` found, -1 when none. */
  found = -1;
  /** The last `match` looked at nothing but path and method. */
  isCacheable = true;
  /** Cursors of the lists that the last walk met, reused. */
  readonly #met: Int32Array[] = [];
  readonly #at: number[] = [];

  constructor(configs: readonly RouteConfig[], routes: readonly Route[]) {
    this.#routes = routes;
    this.#conditions = configs.map((config) => new Conditions(config.match));
    this.hasRegex = this.#conditions.some((each) => each.hasRegex);
    this.#trie = new PathTrie(
      configs.map((config, index) =>
        entryOf(config.match, index, (this.#conditions[index] as Conditions).isEmpty),
      ),
    );
    this.#lists = this.#trie.conditional.map((list) => new CandidateList(list, this.#conditions));
  }

  /** @param buf the path's bytes @param head what conditions look at */
  match(buf: Uint8Array, start: number, end: number, head: HeadView): Route | null {
    const trie = this.#trie;
    this.isCacheable = true;
    const final = trie.walk(buf, start, end);
    const best = trie.metCount === 0 ? final : this.#firstThatHolds(final, head);
    if (best === noRoute) {
      this.found = -1;
      return null;
    }
    this.found = best;
    return this.#routes[best] as Route;
  }

  routeAt(index: number): Route | null {
    return index < 0 ? null : (this.#routes[index] as Route);
  }

  /** Merges the lists that were met in configured order and asks each candidate before `final`. */
  #firstThatHolds(final: number, head: HeadView): number {
    const met = this.#met;
    const at = this.#at;
    let count = 0;
    for (let i = 0; i < this.#trie.metCount; i++) {
      const list = this.#lists[this.#trie.met[i] as number] as CandidateList;
      met[count] = list.plain;
      at[count++] = 0;
      if (list.byHeader === null) continue;
      this.isCacheable = false;
      const chosen = list.chosenBy(head);
      if (chosen === null) continue;
      met[count] = chosen;
      at[count++] = 0;
    }
    for (;;) {
      let best = final;
      let from = -1;
      for (let i = 0; i < count; i++) {
        const index = (met[i] as Int32Array)[at[i] as number] ?? noRoute;
        if (index >= best) continue;
        best = index;
        from = i;
      }
      if (from < 0) return final;
      at[from] = (at[from] as number) + 1;
      const conditions = this.#conditions[best] as Conditions;
      if (!conditions.isCacheable) this.isCacheable = false;
      if (conditions.hold(head)) return best;
    }
  }
}

function entryOf(match: RouteMatchConfig, index: number, isFinal: boolean): TrieEntry {
  if (match.path !== undefined) return { kind: 'exact', literal: bytesOf(match.path), index, isFinal };
  if (match.regex !== undefined) {
    return { kind: 'prefix', literal: bytesOf(literalPrefix(match.regex)), index, isFinal: false };
  }
  if (match.segmentPrefix !== undefined) {
    return { kind: 'segment', literal: bytesOf(match.segmentPrefix.replace(/\/$/, '')), index, isFinal };
  }
  // "/" is every path: "*" of OPTIONS and the authority of CONNECT, too.
  const prefix = match.prefix === undefined || match.prefix === '/' ? '' : match.prefix;
  return { kind: 'prefix', literal: bytesOf(prefix), index, isFinal };
}

/** A path from a file may hold characters that travel as several UTF-8 bytes. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
