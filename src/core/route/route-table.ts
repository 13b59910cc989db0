import type { HeadView } from '../base/head-view.ts';
import type { RouteConfig, RouteMatchConfig } from '../contract/config.ts';
import type { Route } from '../contract/route.ts';
import { CandidateList, proven } from './candidate-list.ts';
import { Conditions } from './conditions.ts';
import { literalPrefix } from './literal-prefix.ts';
import type { PathTrie, TrieEntry } from './path-trie.ts';
import { notCached } from './route-cache.ts';
import type { RouterParts } from './router-parts.ts';

const noRoute = 0x7fffffff;

/** The routes of one virtual host: a trie over their paths, conditions for what the path does not decide. */
export class RouteTable {
  readonly #routes: readonly Route[];
  readonly #conditions: readonly Conditions[];
  readonly #trie: PathTrie;
  readonly #lists: readonly CandidateList[];
  readonly #shared: RouterParts;
  /** Tells this table's entries in the shared cache from others'. */
  readonly #host: number;

  constructor(configs: readonly RouteConfig[], routes: readonly Route[], host: number, shared: RouterParts) {
    this.#routes = routes;
    this.#host = host;
    this.#shared = shared;
    this.#conditions = configs.map((config) => new Conditions(config.match));
    this.#trie = shared.trie(
      configs.map((config, index) =>
        entryOf(config.match, index, (this.#conditions[index] as Conditions).isEmpty),
      ),
    );
    this.#lists = this.#trie.conditional.map((list) => new CandidateList(list, this.#conditions));
  }

  /** @param buf the path's bytes @param head what conditions look at */
  match(buf: Uint8Array, start: number, end: number, head: HeadView): Route | null {
    const trie = this.#trie;
    const final = trie.walk(buf, start, end);
    const best = trie.metCount === 0 ? final : this.#firstThatHolds(final, buf, start, end, head);
    return best === noRoute ? null : (this.#routes[best] as Route);
  }

  /**
   * Asks each candidate before `final` in configured order. Before the first pattern the cache is asked, unless the
   * outcome depends on a header or the query.
   */
  #firstThatHolds(final: number, buf: Uint8Array, start: number, end: number, head: HeadView): number {
    const { merge, cache } = this.#shared;
    let isCacheable = this.#gather(head);
    let isAsked = false;
    let found = final;
    for (;;) {
      const candidate = merge.next();
      const index = candidate & ~proven;
      if (index >= final || candidate === noRoute) break;
      const conditions = this.#conditions[index] as Conditions;
      isCacheable &&= conditions.isCacheable;
      if (conditions.hasRegex && isCacheable && !isAsked) {
        isAsked = true;
        const known = cache.find(this.#host, buf, start, end, head);
        if (known !== notCached) return known;
      }
      if (candidate !== index || conditions.hold(head)) {
        found = index;
        break;
      }
    }
    if (isAsked && isCacheable) cache.put(found);
    return found;
  }

  /** Puts the lists that the walk met together. Returns whether path and method alone chose them. */
  #gather(head: HeadView): boolean {
    const { merge } = this.#shared;
    let isCacheable = true;
    merge.reset();
    for (let i = 0; i < this.#trie.metCount; i++) {
      const list = this.#lists[this.#trie.met[i] as number] as CandidateList;
      merge.add(list.plain);
      if (list.byHeader === null) continue;
      isCacheable = false;
      const chosen = list.chosenBy(head);
      if (typeof chosen === 'number') merge.addOne(chosen);
      else if (chosen !== null) merge.add(chosen);
    }
    return isCacheable;
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
