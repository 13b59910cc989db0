import type { HeadView } from '../base/head-view.ts';
import { IpBlocks, parseIpAddress } from '../base/ip-address.ts';
import type { Pattern } from '../base/pattern.ts';
import type { HeaderMatchConfig, RouteMatchConfig, VariableMatchConfig } from '../contract/config.ts';
import type { Stream } from '../contract/stream.ts';
import { cookieValue } from './cookie-value.ts';
import type { Expression } from './expression.ts';
import { headerValue } from './header-value.ts';
import { pathWithoutQuery } from './path-text.ts';
import { queryParameter } from './query-parameter.ts';
import { compileTextTest } from './text-test.ts';
import { variableReader } from './variables.ts';

interface Condition {
  holds(s: Stream): boolean;
}

/** What a route asks for beyond a literal path. Cheap conditions are looked at first. */
export class Conditions {
  readonly #methods: readonly string[];
  readonly #others: readonly Condition[];
  readonly #pattern: Pattern | null;
  readonly #expression: Expression | null;
  /** Depends on nothing but method and path: the outcome may be cached under them. */
  readonly isCacheable: boolean;
  readonly hasPattern: boolean;
  /** There is nothing to ask. */
  readonly isEmpty: boolean;
  /** The one text that must have exactly one value, for the index over many such routes; null when there is none. */
  readonly exactKey: ExactKey | null;

  /** @param pattern what the whole path must match */
  constructor(match: RouteMatchConfig, pattern: Pattern | null, expression: Expression | null) {
    this.#methods = match.methods;
    this.#others = compileOthers(match);
    this.#pattern = pattern;
    this.#expression = expression;
    this.isCacheable = this.#others.length === 0 && expression === null;
    this.hasPattern = pattern !== null;
    const isPlain = match.methods.length === 0 && pattern === null && expression === null;
    this.isEmpty = isPlain && this.#others.length === 0;
    this.exactKey = exactKeyOf(match, isPlain && this.#others.length === 1);
  }

  hold(s: Stream): boolean {
    if (this.#methods.length > 0 && !hasMethod(s.req, this.#methods)) return false;
    for (const condition of this.#others) if (!condition.holds(s)) return false;
    if (this.#pattern !== null && !this.#pattern.matches(pathWithoutQuery(s.req))) return false;
    return this.#expression === null || this.#expression.holds(s);
  }
}

/** A text that many routes may ask one exact value of: RPC routing by service. */
export interface ExactKey {
  /** The same for conditions that read the same text. */
  readonly source: string;
  readonly value: string;
  /** There is no other condition. */
  readonly isAll: boolean;
  /** Name of the header that it is; null for a variable or a part of the request line. */
  readonly header: string | null;
  read(s: Stream): string | null;
}

/** Conditions on headers alone, for filters. */
export class HeaderConditions {
  readonly #headers: readonly ((head: HeadView) => boolean)[];

  /** @throws HeddleError ERR_PATTERN_INVALID */
  constructor(headers: readonly HeaderMatchConfig[]) {
    this.#headers = headers.map((config) => {
      const read = headerReader(config.name);
      const test = compileTextTest(config);
      return (head) => test.holds(read(head));
    });
  }

  hold(head: HeadView): boolean {
    for (const holds of this.#headers) if (!holds(head)) return false;
    return true;
  }
}

function compileOthers(match: RouteMatchConfig): Condition[] {
  const headers = match.headers.map((config): Condition => {
    const read = headerReader(config.name);
    const test = compileTextTest(config);
    return { holds: (s) => test.holds(read(s.req)) };
  });
  const query = match.query.map((config): Condition => {
    const test = compileTextTest(config);
    return { holds: (s) => test.holds(queryParameter(s.req.path, config.name)) };
  });
  const cookies = match.cookies.map((config): Condition => {
    const test = compileTextTest(config);
    return { holds: (s) => test.holds(cookieValue(s.req, config.name)) };
  });
  const metadata = match.metadata.map((config): Condition => {
    const test = compileTextTest(config);
    return { holds: (s) => test.holds(s.metadata.get(config.name) ?? null) };
  });
  return [...match.variables.map(compileVariable), ...headers, ...metadata, ...query, ...cookies];
}

/** Names of protocols with exact names (Bolt, Dubbo) are looked for as they were written. */
function headerReader(name: string): (head: HeadView) => string | null {
  const lowerName = name.toLowerCase();
  if (lowerName === name) return (head) => headerValue(head, name);
  return (head) => headerValue(head, head.exactNames ? name : lowerName);
}

function compileVariable(config: VariableMatchConfig): Condition {
  const read = variableReader(config.name);
  if (config.within === undefined) {
    const test = compileTextTest(config);
    return { holds: (s) => test.holds(read(s)) };
  }
  const blocks = new IpBlocks(config.within);
  return {
    holds(s) {
      const text = read(s);
      const address = text === null ? null : parseIpAddress(text);
      return (address !== null && blocks.has(address)) !== config.invert;
    },
  };
}

function exactKeyOf(match: RouteMatchConfig, isAll: boolean): ExactKey | null {
  const variable = match.variables.find((each) => each.exact !== undefined && !each.invert);
  if (variable?.exact !== undefined) {
    const read = variableReader(variable.name);
    return { source: `variable ${variable.name}`, value: variable.exact, isAll, header: null, read };
  }
  const header = match.headers.find((each) => each.exact !== undefined && !each.invert);
  if (header?.exact === undefined) return null;
  const read = headerReader(header.name);
  const name = header.name.startsWith(':') ? null : header.name;
  return {
    source: `header ${header.name}`,
    value: header.exact,
    isAll,
    header: name,
    read: (s) => read(s.req),
  };
}

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
