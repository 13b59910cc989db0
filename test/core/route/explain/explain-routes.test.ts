import test from 'ava';
import fc from 'fast-check';
import type { RouteInput, VirtualHostInput } from '../../../../src/core/config/input.ts';
import { explainRoutes } from '../../../../src/core/route/explain/explain-routes.ts';
import { compileRouter } from '../../../../src/core/route/router.ts';
import { effective, type RequestLine, requestStream, routeContext } from '../support.ts';

function explained(hosts: readonly VirtualHostInput[], request: RequestLine, maxRoutes?: number) {
  const virtualHosts = effective(hosts).listeners[0]?.virtualHosts ?? [];
  const s = requestStream(request);
  return { told: explainRoutes(virtualHosts, s, maxRoutes), virtualHosts, s };
}

const withCluster = (routes: readonly RouteInput[]): RouteInput[] =>
  routes.map((route) => ({ cluster: 'a', ...route }));
const oneHost = (...routes: RouteInput[]): VirtualHostInput[] => [
  { name: 'all', domains: ['*'], routes: withCluster(routes) },
];

const segment = fc.constantFrom('a', 'A', 'b', 'ab', 'c');
const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const place = fc.oneof(
  path.map((each) => ({ path: each })),
  path.map((each) => ({ prefix: each })),
  path.map((each) => ({ segmentPrefix: each })),
  fc.constantFrom('/a.*', '/(a|b)/?', '.*b').map((regex) => ({ regex })),
  fc.constantFrom('/{x}', '/a/**', '/*/b').map((template) => ({ template })),
  fc.constant({}),
);
const test1 = fc.oneof(
  fc.constantFrom('1', '2', '1,2').map((exact) => ({ exact })),
  fc.constantFrom('1', '').map((prefix) => ({ prefix })),
  fc.boolean().map((present) => ({ present })),
);
const named = (name: string) =>
  fc.array(
    fc.tuple(test1, fc.boolean()).map(([how, invert]) => ({ name, ...how, invert })),
    { maxLength: 1 },
  );
const more = fc.record(
  {
    caseSensitive: fc.boolean(),
    methods: fc.subarray(['GET', 'POST']),
    headers: named('X-V'),
    query: named('q'),
    cookies: named('c'),
    metadata: named('m'),
    variables: fc.constantFrom([], [{ name: 'protocol' as const, exact: 'HTTP/1.1' }]),
  },
  { requiredKeys: [] },
);
const routes = fc.array(fc.tuple(place, fc.oneof(fc.constant({}), more)), { minLength: 1, maxLength: 6 });
const domains = fc.uniqueArray(fc.constantFrom('*', 'a.test', '*.test', 'a.*', 'a.test:81', '*:81'), {
  minLength: 1,
  maxLength: 4,
});
const hosts = fc.tuple(domains, routes, routes).map(([names, first, second]): VirtualHostInput[] =>
  names.map((domain, index) => ({
    name: `h${index}`,
    domains: [domain],
    routes: withCluster(
      (index % 2 === 0 ? first : second).map(([where, other]) => ({ match: { ...where, ...other } })),
    ),
  })),
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  path: fc.tuple(path, fc.constantFrom('', '?', '?q=1', '?q=2&x')).map(([each, query]) => each + query),
  authority: fc.constantFrom('a.test', 'A.test:81', 'b.test', 'a.example', 'x'),
  headers: fc.array(fc.constantFrom<[string, string]>(['x-v', '1'], ['x-v', '2'], ['cookie', 'c=1']), {
    maxLength: 3,
  }),
});

test('the explanation names the route that the router takes, whatever the routes and the request are', (t) => {
  fc.assert(
    fc.property(hosts, request, (list, asked) => {
      const { told, virtualHosts, s } = explained(list, asked);
      const route = compileRouter(virtualHosts, routeContext()).match(s);
      const chosen = told.routes.find((each) => each.isChosen);
      t.is(chosen?.name ?? null, route?.name ?? null);
      t.is(
        told.virtualHosts.find((each) => each.isChosen)?.name ?? null,
        route?.virtualHost ?? told.virtualHosts[told.host]?.name ?? null,
      );
      // Whoever is refused has a reason, and one that was not beaten by an earlier route does not meet its conditions.
      for (const each of told.routes) {
        if (!each.isChosen) t.true(each.why.length > 0);
        if (!each.isChosen && (told.route < 0 || each.index < told.route))
          t.notRegex(each.why.join(), /comes first/);
      }
    }),
    { numRuns: 150, seed: 5 },
  );
  t.pass();
});

test('each reason says what was asked for and what the request has', (t) => {
  const { told } = explained(
    oneHost(
      { match: { path: '/a', methods: ['POST', 'PUT'] } },
      { match: { prefix: '/x', headers: [{ name: 'x-v', prefix: '1' }] } },
      { match: { query: [{ name: 'q', exact: '2' }], cookies: [{ name: 'c', present: true }] } },
      { match: { headers: [{ name: 'x-v', exact: '2', invert: true }] } },
      { match: { variables: [{ name: 'sourceAddress', within: ['10.0.0.0/8'] }] } },
      { name: 'rest' },
      { match: { path: '/x/y' } },
    ),
    { path: '/x/y?q=1', headers: [['x-v', '2']] },
  );
  t.deepEqual(
    told.routes.map(({ why }) => why),
    [
      ['path is "/a": the request has "/x/y"', 'method is POST or PUT: the request has "GET"'],
      ['header x-v begins with "1": the request has "2"'],
      ['query parameter q is "2": the request has "1"', 'cookie c is there: the request has none'],
      ['header x-v not so that it is "2": the request has "2"'],
      ['sourceAddress is within 10.0.0.0/8: the request has none'],
      ['path begins with "/"'],
      ['all conditions hold, but rest comes first'],
    ],
  );
});

test('virtual hosts say which domain matched and whose was more specific', (t) => {
  const list = ['api.test', '*.test', 'other.example', '*'].map((domain) => ({
    name: domain,
    domains: [domain],
    routes: [{ cluster: 'a' }],
  }));
  const { told } = explained(list, { authority: 'api.test' });
  t.deepEqual(
    told.virtualHosts.map(({ why }) => why),
    [
      '"api.test" matches its domain api.test',
      '"api.test" matches *.test, but another virtual host has a more specific domain',
      '"api.test" matches none of its domains',
      '"api.test" matches *, but another virtual host has a more specific domain',
    ],
  );
});

test('of many routes those around the chosen one are told, and how many are not', (t) => {
  const many = Array.from({ length: 500 }, (_, index) => ({ match: { path: `/${index}` } }));
  const { told } = explained(oneHost(...many), { path: '/400' }, 10);
  t.is(told.routes.length, 10);
  t.is(told.leftOut, 490);
  t.is(told.route, 400);
  t.true(told.routes.some((each) => each.isChosen));
  t.is(explained(oneHost(...many), { path: '/nothing' }, 10).told.route, -1);
});
