import type { HeadView } from '../base/head-view.ts';
import { compilePattern, type Pattern } from '../base/pattern.ts';
import type { HeaderMatchConfig, QueryMatchConfig, RouteMatchConfig } from '../contract/config.ts';
import { headerValue } from './header-value.ts';
import { queryParameter } from './query-parameter.ts';

/** What a route asks for beyond a literal path. Cheap conditions are looked at first. */
export class Conditions {
  readonly #methods: readonly string[];
  readonly #headers: readonly HeaderCondition[];
  readonly #query: readonly QueryCondition[];
  readonly #regex: Pattern | null;
  /** Depends on nothing but method and path: the outcome may be cached under them. */
  readonly isCacheable: boolean;
  readonly hasRegex: boolean;
  /** The one header that must have exactly one value, for the index over many such routes; null when there is none. */
  readonly exactHeader: ExactHeader | null;

  constructor(match: RouteMatchConfig) {
    this.#methods = match.methods;
    this.#headers = match.headers.map(compileHeader);
    this.#query = match.query.map(compileQuery);
    this.#regex = match.regex === undefined ? null : compilePattern(match.regex);
    this.isCacheable = match.headers.length === 0 && match.query.length === 0;
    this.hasRegex = this.#regex !== null;
    const exact = match.headers.find((each) => each.exact !== undefined && !each.invert);
    this.exactHeader =
      exact?.exact === undefined
        ? null
        : { lowerName: exact.name.toLowerCase(), value: exact.exact, isAll: this.#count() === 1 };
  }

  /** Whether there is nothing to ask. */
  get isEmpty(): boolean {
    return this.#count() === 0;
  }

  #count(): number {
    const pattern = this.#regex === null ? 0 : 1;
    return this.#methods.length + this.#headers.length + this.#query.length + pattern;
  }

  hold(head: HeadView): boolean {
    if (this.#methods.length > 0 && !hasMethod(head, this.#methods)) return false;
    for (const header of this.#headers) if (!header.holds(head)) return false;
    for (const parameter of this.#query) if (!parameter.holds(head)) return false;
    return this.#regex === null || this.#regex.matches(pathWithoutQuery(head));
  }
}

export interface ExactHeader {
  readonly lowerName: string;
  readonly value: string;
  /** There is no other condition. */
  readonly isAll: boolean;
}

interface HeaderCondition {
  holds(head: HeadView): boolean;
}
type QueryCondition = HeaderCondition;

function hasMethod(head: HeadView, methods: readonly string[]): boolean {
  const text = head.methodText;
  if (text !== null) return methods.includes(text);
  const length = head.methodEnd - head.methodStart;
  for (const method of methods) {
    if (method.length !== length) continue;
    let i = 0;
    while (i < length && head.buf[head.methodStart + i] === method.charCodeAt(i)) i++;
    if (i === length) return true;
  }
  return false;
}

/** The path of the request up to its query. */
function pathWithoutQuery(head: HeadView): string {
  const path = head.path;
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

function compileHeader(config: HeaderMatchConfig): HeaderCondition {
  const lowerName = config.name.toLowerCase();
  const { invert } = config;
  const isMatch = compileText(config);
  return {
    holds(head) {
      if (isMatch === null)
        return ((headerValue(head, lowerName) !== null) === (config.present ?? true)) !== invert;
      const value = headerValue(head, lowerName);
      return (value !== null && isMatch(value)) !== invert;
    },
  };
}

function compileQuery(config: QueryMatchConfig): QueryCondition {
  const isMatch = compileText(config);
  return {
    holds(head) {
      const value = queryParameter(head.path, config.name);
      if (isMatch === null) return (value !== null) === (config.present ?? true);
      return value !== null && isMatch(value);
    },
  };
}

/** The test of a value, or null where only presence counts. */
function compileText(config: Partial<HeaderMatchConfig>): ((value: string) => boolean) | null {
  const { exact, prefix, suffix, contains, regex } = config;
  if (exact !== undefined) return (value) => value === exact;
  if (prefix !== undefined) return (value) => value.startsWith(prefix);
  if (suffix !== undefined) return (value) => value.endsWith(suffix);
  if (contains !== undefined) return (value) => value.includes(contains);
  if (regex === undefined) return null;
  const pattern = compilePattern(regex);
  return (value) => pattern.matches(value);
}
