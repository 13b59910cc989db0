import type { HeadView } from '../base/head-view.ts';
import type { RouteConfig, RouteMatchConfig } from '../contract/config.ts';
import type { Route } from '../contract/route.ts';
import { CandidateList, proven } from './candidate-list.ts';
import type { CandidateMerge } from './candidate-merge.ts';
import { Conditions } from './conditions.ts';
import { literalPrefix } from './literal-prefix.ts';
import type { PathTrie, TrieEntry } from './path-trie.ts';
import type { SharedTries } from './shared-tries.ts';

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
  readonly #merge: CandidateMerge;

  /** @param tries shared by the tables of one router: hosts often have the same paths */
  constructor(configs: readonly RouteConfig[], routes: readonly Route[], tries: SharedTries) {
    this.#routes = routes;
    this.#conditions = configs.map((config) => new Conditions(config.match));
    this.hasRegex = this.#conditions.some((each) => each.hasRegex);
    this.#trie = tries.get(
      configs.map((config, index) =>
        entryOf(config.match, index, (this.#conditions[index] as Conditions).isEmpty),
      ),
    );
    this.#merge = tries.merge;
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

  /** Asks each candidate before `final` in configured order. */
  #firstThatHolds(final: number, head: HeadView): number {
    const merge = this.#merge;
    merge.reset();
    for (let i = 0; i < this.#trie.metCount; i++) {
      const list = this.#lists[this.#trie.met[i] as number] as CandidateList;
      merge.add(list.plain);
      if (list.byHeader === null) continue;
      this.isCacheable = false;
      const chosen = list.chosenBy(head);
      if (typeof chosen === 'number') merge.addOne(chosen);
      else if (chosen !== null) merge.add(chosen);
    }
    for (;;) {
      const candidate = merge.next();
      const index = candidate & ~proven;
      if (index >= final || candidate === noRoute) return final;
      if (candidate !== index) return index;
      const conditions = this.#conditions[index] as Conditions;
      if (!conditions.isCacheable) this.isCacheable = false;
      if (conditions.hold(head)) return index;
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
