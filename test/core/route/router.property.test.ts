import test from 'ava';
import fc from 'fast-check';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { type RequestLine, requestStream, routesRouter } from './support.ts';

/** What the table must do, said in the plainest way: try each route in order. */
function firstMatch(routes: readonly RouteInput[], request: Required<RequestLine>): string | null {
  const asked = request.path.split('?')[0] as string;
  const header = request.headers
    .filter(([name]) => name === 'x-v')
    .map(([, value]) => value)
    .join(',');
  for (const { name, match = {} } of routes) {
    const { methods = [], headers = [], query = [], caseSensitive = true } = match;
    const cased = (text: string) => (caseSensitive ? text : text.toLowerCase());
    const path = cased(asked);
    if (match.path !== undefined && path !== cased(match.path)) continue;
    if (match.prefix !== undefined && !path.startsWith(cased(match.prefix))) continue;
    if (match.segmentPrefix !== undefined) {
      const base = cased(match.segmentPrefix).replace(/\/$/, '');
      if (path !== base && !path.startsWith(`${base}/`)) continue;
    }
    if (
      match.regex !== undefined &&
      !new RegExp(`^(?:${match.regex})$`, caseSensitive ? '' : 'i').test(asked)
    )
      continue;
    if (methods.length > 0 && !methods.includes(request.method)) continue;
    if (headers.some((each) => (header === each.exact) === (each.invert ?? false))) continue;
    if (
      query.some(
        (each) => new URLSearchParams(request.path.split('?')[1] ?? '').get(each.name) !== each.exact,
      )
    )
      continue;
    return name as string;
  }
  return null;
}

const literal = fc
  .array(fc.constantFrom('a', 'A', 'b', 'ab', '/', 'a/', '.'), { maxLength: 5 })
  .map((parts) => `/${parts.join('')}`);
const regex = fc.constantFrom(
  '/a.*',
  '/a+',
  '/(a|b)/?',
  '/ab*/b?',
  '/a|/b',
  '/[ab]*',
  '.*b',
  '/a\\.?b{0,2}',
  '/.',
);
const place = fc.oneof(
  literal.map((path) => ({ path })),
  literal.map((prefix) => ({ prefix })),
  literal.map((segmentPrefix) => ({ segmentPrefix })),
  regex.map((pattern) => ({ regex: pattern })),
  fc.constant({}),
);
const conditions = fc.record(
  {
    caseSensitive: fc.boolean(),
    methods: fc.subarray(['GET', 'POST', 'OPTIONS']),
    headers: fc.array(
      fc.record({ name: fc.constant('X-V'), exact: fc.constantFrom('1', '2', '1,2'), invert: fc.boolean() }),
      {
        maxLength: 1,
      },
    ),
    query: fc.array(fc.record({ name: fc.constant('q'), exact: fc.constantFrom('', '1', 'ä b') }), {
      maxLength: 1,
    }),
  },
  { requiredKeys: [] },
);
const routes = fc
  .array(
    fc.tuple(
      place,
      fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: conditions }),
    ),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((list): RouteInput[] =>
    list.map(([where, more], index) => ({ name: `r${index}`, match: { ...where, ...more } })),
  );
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'OPTIONS'),
  path: fc
    .tuple(literal, fc.constantFrom('', '?', '?q', '?q=1', '?x&q=%C3%A4+b&q=1'))
    .map(([path, query]) => path + query),
  authority: fc.constant('a.test'),
  headers: fc.array(fc.constantFrom<[string, string]>(['x-v', '1'], ['x-v', '2'], ['x-w', '1']), {
    maxLength: 3,
  }),
});

test('the compiled table answers as trying each route in order would, also from its cache and for changed paths', (t) => {
  fc.assert(
    fc.property(routes, fc.array(request, { minLength: 1, maxLength: 8 }), (list, requests) => {
      const router = routesRouter(list);
      for (const each of [...requests, ...requests]) {
        const expected = firstMatch(list, each);
        const s = requestStream(each);
        t.is(router.match(s)?.name ?? null, expected);
        s.req.path = each.path;
        t.is(router.match(s)?.name ?? null, expected);
      }
    }),
    { numRuns: 400, seed: 11 },
  );
  t.pass();
});
