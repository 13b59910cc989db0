import type { MosnContext } from './context.ts';
import { quotePattern, wholePattern } from './patterns.ts';
import type { Place } from './report.ts';
import type { Match } from './route-match.ts';
import type { Section } from './section.ts';

interface Term {
  readonly name: string;
  /** "" when absent. */
  readonly value: string;
  /** "" when absent; it wins over the value. */
  readonly regex: string;
  readonly section: Section;
}

/**
 * Variables are asked from first to last; each says by `model` how the next one is joined. "or" ends a group: the route
 * matches when all of one group hold. One native route a group.
 */
export function variableMatches(context: MosnContext, match: Section<'variables'>): Match[] {
  const groups: Term[][] = [[]];
  for (const section of match.sections('variables', { read: ['name', 'value', 'regex', 'model'] })) {
    const name = section.required('name');
    groups.at(-1)?.push({ name, value: section.text('value'), regex: section.text('regex'), section });
    const model = section.text('model').toLowerCase();
    if (model === 'or') groups.push([]);
    else if (model !== '' && model !== 'and') {
      section.report.problem(section.at('model'), section.raw('model'), '"and" or "or"', ['and', 'or']);
    }
  }
  return groups.flatMap((group): Match[] => {
    const made = group.length === 0 ? null : groupMatch(context, match, group);
    return made === null ? [] : [made];
  });
}

function groupMatch(context: MosnContext, owner: Place, group: readonly Term[]): Match | null {
  const made: Match & { headers: object[]; query: object[]; cookies: object[] } = {
    headers: [],
    query: [],
    cookies: [],
  };
  for (const term of group) {
    if (term.value === '' && term.regex === '') {
      term.section.report.notice(
        term.section,
        term.name,
        'no effect: without value and regex MOSN never matches',
      );
      return null;
    }
    if (!addTerm(context, made, term)) return null;
  }
  for (const key of ['headers', 'query', 'cookies'])
    if ((made[key] as object[]).length === 0) delete made[key];
  return context.origins.mark(made as Match, owner);
}

const known = [
  'x-mosn-method',
  'x-mosn-host',
  'x-mosn-path',
  'x-mosn-querystring',
  'request_header_X',
  'request_arg_X',
  'cookie_X',
];

/** False: cannot be said, and that was told. */
function addTerm(
  context: MosnContext,
  made: Match & { headers: object[]; query: object[]; cookies: object[] },
  term: Term,
): boolean {
  const { name, section } = term;
  const regex = term.regex === '' ? null : wholePattern(term.regex);
  const test = regex === null ? { exact: term.value } : { regex };
  const add = (list: object[], key: string): boolean => {
    list.push(context.origins.mark({ name: key, ...test }, section));
    return true;
  };
  if (name === 'x-mosn-method') return add(made.headers, ':method');
  if (name === 'x-mosn-host') return add(made.headers, ':authority');
  if (name === 'x-mosn-querystring') {
    // The path's own condition sees no query, so the query is looked for behind the first "?" of the whole.
    const query = regex ?? quotePattern(term.value);
    made.headers.push(context.origins.mark({ name: ':path', regex: `[^?]*\\?(?:${query})` }, section));
    return true;
  }
  const header = /^(?:http_)?request_header_(.+)$/.exec(name)?.[1];
  if (header !== undefined) return add(made.headers, header);
  const parameter = /^(?:http_)?request_arg_(.+)$/.exec(name)?.[1];
  if (parameter !== undefined) return add(made.query, parameter);
  const cookie = /^(?:http_)?cookie_(.+)$/.exec(name)?.[1];
  if (cookie !== undefined) return add(made.cookies, cookie);
  if (name === 'x-mosn-path' && made['path'] === undefined && made['regex'] === undefined) {
    if (regex === null) made['path'] = term.value;
    else made['regex'] = regex;
    return true;
  }
  // Not left out: without the route its requests would go by another one.
  section.report.problem(
    section.at('name'),
    name,
    `a variable that routes can look at: ${known.join(', ')}`,
    known,
  );
  return false;
}
