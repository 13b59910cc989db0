import type { RouteMatchConfig } from '../../contract/config.ts';
import type { Stream } from '../../contract/stream.ts';
import { cookieValue } from '../cookie-value.ts';
import { headerValue } from '../header-value.ts';
import { pathWithoutQuery } from '../path-text.ts';
import { queryParameter } from '../query-parameter.ts';
import { variableReader } from '../variables.ts';

/** One condition of a route, alone. */
export interface MatchPart {
  /** Key of the configuration. */
  readonly kind: keyof RouteMatchConfig;
  /** What it asks for, e.g. `header x-canary is "1"`. */
  readonly wants: string;
  /** What the request has there; null: nothing. */
  readonly has: string | null;
  /** A match with this condition only. */
  readonly match: RouteMatchConfig;
}

/** A match that every request meets. */
const anything: RouteMatchConfig = {
  caseSensitive: true,
  methods: [],
  headers: [],
  query: [],
  cookies: [],
  variables: [],
  metadata: [],
};

type Kinds = {
  readonly [Key in keyof Required<RouteMatchConfig>]: (match: RouteMatchConfig, s: Stream) => MatchPart[];
};

/** How the conditions under each key are told one by one; a new key of the configuration needs an entry here. */
const kinds: Kinds = {
  path: (match, s) => pathPart('path', 'is', match, s),
  prefix: (match, s) => pathPart('prefix', 'begins with', match, s),
  segmentPrefix: (match, s) => pathPart('segmentPrefix', 'begins with the segments', match, s),
  template: (match, s) => pathPart('template', 'has the form', match, s),
  regex: (match, s) => pathPart('regex', 'matches', match, s),
  caseSensitive: () => [],
  methods: ({ methods }, s) =>
    methods.length === 0
      ? []
      : [
          {
            kind: 'methods',
            wants: `method is ${methods.join(' or ')}`,
            has: s.req.method,
            match: { ...anything, methods },
          },
        ],
  headers: ({ headers }, s) =>
    headers.map((each) => {
      const name = s.req.exactNames ? each.name : each.name.toLowerCase();
      return part('headers', `header ${each.name}`, each, headerValue(s.req, name), { headers: [each] });
    }),
  query: ({ query }, s) =>
    query.map((each) =>
      part('query', `query parameter ${each.name}`, each, queryParameter(s.req.path, each.name), {
        query: [each],
      }),
    ),
  cookies: ({ cookies }, s) =>
    cookies.map((each) =>
      part('cookies', `cookie ${each.name}`, each, cookieValue(s.req, each.name), { cookies: [each] }),
    ),
  variables: ({ variables }, s) =>
    variables.map((each) =>
      part('variables', each.name, each, variableReader(each.name)(s), { variables: [each] }),
    ),
  metadata: ({ metadata }, s) =>
    metadata.map((each) =>
      part('metadata', `metadata ${each.name}`, each, s.metadata.get(each.name) ?? null, {
        metadata: [each],
      }),
    ),
  expression: ({ expression }) =>
    expression === undefined
      ? []
      : [
          {
            kind: 'expression',
            wants: `${expression} is true`,
            has: null,
            match: { ...anything, expression },
          },
        ],
};

/** The conditions of a route one by one, in the order in which a reader looks: path and method first. */
export function matchParts(match: RouteMatchConfig, s: Stream): MatchPart[] {
  return (Object.keys(kinds) as (keyof Kinds)[]).flatMap((kind) => kinds[kind](match, s));
}

type PathKind = 'path' | 'prefix' | 'segmentPrefix' | 'template' | 'regex';

function pathPart(kind: PathKind, verb: string, match: RouteMatchConfig, s: Stream): MatchPart[] {
  const text = match[kind];
  if (text === undefined) return [];
  const { caseSensitive } = match;
  const wants = `path ${verb} ${JSON.stringify(text)}${caseSensitive ? '' : ' in any case'}`;
  return [{ kind, wants, has: pathWithoutQuery(s.req), match: { ...anything, caseSensitive, [kind]: text } }];
}

interface TextMatch {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly contains?: string | undefined;
  readonly regex?: string | undefined;
  readonly present?: boolean | undefined;
  readonly within?: readonly string[] | undefined;
  readonly invert: boolean;
}

function part(
  kind: keyof RouteMatchConfig,
  what: string,
  test: TextMatch,
  has: string | null,
  match: Partial<RouteMatchConfig>,
): MatchPart {
  return { kind, wants: `${what} ${wanted(test)}`, has, match: { ...anything, ...match } };
}

function wanted(test: TextMatch): string {
  const text = wantedText(test);
  return test.invert ? `not so that it ${text}` : text;
}

function wantedText({ exact, prefix, suffix, contains, regex, present, within }: TextMatch): string {
  if (within !== undefined) return `is within ${within.join(', ')}`;
  if (exact !== undefined) return `is ${JSON.stringify(exact)}`;
  if (prefix !== undefined) return `begins with ${JSON.stringify(prefix)}`;
  if (suffix !== undefined) return `ends with ${JSON.stringify(suffix)}`;
  if (contains !== undefined) return `holds ${JSON.stringify(contains)}`;
  if (regex !== undefined) return `matches ${JSON.stringify(regex)}`;
  return present === false ? 'is not there' : 'is there';
}
