import type { RouteMatchConfig } from '../contract/config.ts';
import { Conditions } from './conditions.ts';
import type { Expression } from './expression.ts';
import type { PathMatch } from './path-match.ts';

/** Routes that ask for the same beyond their paths share the object that asks: it stays in the caches. Used while compiling. */
export class SharedConditions {
  readonly #known: Map<string, Conditions> = new Map();

  of(match: RouteMatchConfig, path: PathMatch, expression: Expression | null): Conditions {
    if (path.pattern !== null || expression !== null) return new Conditions(match, path.pattern, expression);
    const { methods, headers, query, cookies, variables, metadata } = match;
    const key = JSON.stringify([methods, headers, query, cookies, variables, metadata]);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = new Conditions(match, null, null);
      this.#known.set(key, known);
    }
    return known;
  }
}
