import type { MosnContext } from './context.ts';
import { wholePattern } from './patterns.ts';
import type { Keys, Section } from './section.ts';
import { variableMatches } from './variable-match.ts';

type MatchKey = 'prefix' | 'path' | 'regex' | 'variables' | 'headers' | 'dsl_expressions';

export const matchKeys: Keys<MatchKey> = {
  read: ['prefix', 'path', 'regex', 'variables', 'headers', 'dsl_expressions'],
};

/** Conditions of a native route. */
export type Match = Record<string, unknown>;

const pathKinds = ['prefix', 'path', 'regex', 'variables', 'dsl_expressions'] as const;

/**
 * The conditions of a route: several when one native route cannot say "or". MOSN looks at the first kind that is
 * there, in the order of `pathKinds`, and forgets the others. Empty: the route can match nothing.
 */
export function matchesOf(context: MosnContext, match: Section<MatchKey>): Match[] {
  const [kind, ...others] = pathKinds.filter((each) => match.has(each));
  for (const other of others) {
    match.report.notice(match.at(other), match.raw(other), `no effect: MOSN looks at ${kind} only`);
  }
  if (kind === 'dsl_expressions') {
    match.report.refuse(match.at(kind), match.raw(kind), 'CEXL expressions decide who gets where');
    return [];
  }
  if (kind === 'variables') {
    if (match.has('headers')) {
      match.report.notice(match.at('headers'), match.raw('headers'), 'no effect beside variables in MOSN');
    }
    return variableMatches(context, match);
  }
  const made: Match = {};
  const isHttp = kind !== undefined;
  const conditions = headerConditions(context, match, isHttp);
  if (conditions.headers.length > 0) made['headers'] = conditions.headers;
  if (conditions.methods.length > 0) made['methods'] = conditions.methods;
  if (kind === 'prefix') made['prefix'] = match.text('prefix');
  // The path counts whatever its case, as in MOSN.
  if (kind === 'path') {
    made['path'] = match.text('path');
    made['caseSensitive'] = false;
  }
  if (kind === 'regex') made['regex'] = wholePattern(match.text('regex'));
  const keys = { prefix: match.at('prefix'), path: match.at('path'), regex: match.at('regex') };
  return [context.origins.mark(made, match, keys)];
}

export interface Conditions {
  readonly headers: object[];
  readonly methods: string[];
}

/** All must hold. `method` is no header but the method where a path kind makes the route one for HTTP. */
export function headerConditions(
  context: MosnContext,
  match: Section<'headers'>,
  isHttp: boolean,
): Conditions {
  const conditions: Conditions = { headers: [], methods: [] };
  const given = match.sections('headers', { read: ['name', 'value', 'regex'] });
  for (const header of given) {
    const name = header.required('name');
    const value = header.text('value');
    if (isHttp && name === 'method') {
      if (header.flag('regex')) {
        header.report.notice(header.at('regex'), true, 'no effect: MOSN compares methods exactly');
      }
      conditions.methods.push(value);
      continue;
    }
    // The old way to say "any service".
    const isAny = !isHttp && given.length === 1 && name === 'service' && value === '.*';
    const test = isAny
      ? { present: true }
      : header.flag('regex')
        ? { regex: wholePattern(value) }
        : { exact: value };
    const keys = { name: header.at('name'), exact: header.at('value'), regex: header.at('value') };
    conditions.headers.push(context.origins.mark({ name, ...test }, header, keys));
  }
  return conditions;
}
