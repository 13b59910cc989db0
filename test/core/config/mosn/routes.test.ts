import test from 'ava';
import type { RouteConfig } from '../../../../src/core/contract/config.ts';
import { converted, mosn, noticesOf, problemsOf } from './support.ts';

const routesOf = (route: object, options = {}): readonly RouteConfig[] =>
  converted(mosn({ route }), options).listeners[0]?.virtualHosts[0]?.routes ?? [];
const routeOf = (route: object): RouteConfig => routesOf(route)[0] as RouteConfig;
const up = { cluster_name: 'up' };

test('prefix, path without regard to case, pattern anywhere in the path', (t) => {
  t.is(routeOf({ match: { prefix: '/a' } }).match.prefix, '/a');
  const { path, caseSensitive } = routeOf({ match: { path: '/Health' } }).match;
  t.deepEqual([path, caseSensitive], ['/Health', false]);
  t.is(routeOf({ match: { regex: '^/v[0-9]+/x' } }).match.regex, '/v[0-9]+/x(?s:.*)');
  t.is(routeOf({ match: { regex: '/x$' } }).match.regex, '(?s:.*)/x');
  t.is(routeOf({ match: { regex: '\\$' } }).match.regex, '(?s:.*)\\$(?s:.*)');
  t.is(routeOf({ match: { regex: '^/a|/b$' } }).match.regex, '(?s:.*)(?:^/a|/b$)(?s:.*)');
});

test('MOSN looks at the first kind of match only, and says so here', (t) => {
  const route = { match: { prefix: '/a', path: '/b', regex: '/c' } };
  t.is(routeOf(route).match.prefix, '/a');
  t.is(routeOf(route).match.path, undefined);
  t.deepEqual(
    noticesOf(mosn({ route })).map((each) => each.split('.').at(-1)),
    ['path: no effect: MOSN looks at prefix only', 'regex: no effect: MOSN looks at prefix only'],
  );
});

test('headers: exact, patterns, the method where the route is one for HTTP, any service for RPC', (t) => {
  const headers = [
    { name: 'x-a', value: '1' },
    { name: 'x-b', value: '^v', regex: true },
    { name: 'method', value: 'GET' },
  ];
  const http = routeOf({ match: { prefix: '/', headers } }).match;
  t.deepEqual(http.methods, ['GET']);
  t.deepEqual(
    http.headers.map(({ name, exact, regex }) => [name, exact ?? regex]),
    [
      ['x-a', '1'],
      ['x-b', 'v(?s:.*)'],
    ],
  );
  const rpc = routeOf({ match: { headers: [{ name: 'service', value: '.*' }] } }).match;
  t.deepEqual(
    rpc.headers.map(({ name, present }) => [name, present]),
    [['service', true]],
  );
  t.is(routeOf({ match: { headers: [{ name: 'method', value: 'GET' }] } }).match.headers[0]?.name, 'method');
});

test('variables joined by "or" become several routes', (t) => {
  const variables = [
    { name: 'x-mosn-method', value: 'GET', model: 'and' },
    { name: 'x-mosn-path', value: '/a', model: 'or' },
    { name: 'request_header_x-b', regex: '^b$' },
    { name: 'request_arg_q', value: '1' },
  ];
  const routes = routesOf({ match: { variables } });
  t.is(routes.length, 2);
  t.is(routes[0]?.match.path, '/a');
  t.deepEqual(
    routes[0]?.match.headers.map((each) => [each.name, each.exact]),
    [[':method', 'GET']],
  );
  t.is(routes[1]?.match.headers[0]?.regex, 'b');
  t.is(routes[1]?.match.query[0]?.exact, '1');
});

test('a condition that cannot be looked at is refused, not forgotten', (t) => {
  const variables = [{ name: 'x-mosn-scheme', value: 'https' }];
  for (const lenient of [false, true]) {
    t.is(problemsOf(mosn({ route: { match: { variables } } }), { lenient }).length, 1);
  }
  const dsl = { match: { dsl_expressions: [{ expression: 'true' }] } };
  t.is(problemsOf(mosn({ route: dsl }), { lenient: true }).length >= 1, true);
});

test('timeouts, retries and rewrites; what MOSN does without being asked stands there', (t) => {
  const plain = routeOf({});
  t.is(plain.timeoutMs, 60_000);
  t.like(plain.retry, { on: ['connectFailure'], numRetries: 3 });
  const policy = { retry_on: true, retry_timeout: '800ms', num_retries: 2, status_codes: [503] };
  const route = routeOf({
    route: { ...up, timeout: '3s', retry_policy: policy, prefix_rewrite: '/n', host_rewrite: 'h.example' },
  });
  t.is(route.timeoutMs, 3000);
  t.like(route.retry, { numRetries: 2, perTryTimeoutMs: 800, statusCodes: [503], nonIdempotent: true });
  t.deepEqual([...(route.retry?.on ?? [])], ['connectFailure', 'reset', 'perTryTimeout']);
  t.like(route.rewrite, { prefix: '/n', host: 'h.example' });
});

test('a pattern rewrite: groups are written as RE2 writes them', (t) => {
  const rewrite = (substitution: string) => ({
    route: { ...up, regex_rewrite: { pattern: { regex: '^/(a)/(b)' }, substitution } },
  });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Go writes groups so
  t.is(routeOf(rewrite('/$2/${1}$$')).rewrite?.regex?.substitution, '/\\2/\\1$');
  t.is(problemsOf(mosn({ route: rewrite('/$name') })).length, 1);
});

test('weights are exact, metadata chooses the subset', (t) => {
  const metadata = { filter_metadata: { 'mosn.lb': { zone: 'z1' } } };
  const weighted = { cluster: { name: 'up', weight: 3, metadata_match: metadata } };
  const route = routeOf({ route: { weighted_clusters: [weighted], metadata_match: metadata } });
  t.like(route.weightedClusters?.[0], { cluster: 'up', weight: 3, metadataMatch: { zone: 'z1' } });
  t.deepEqual({ ...route.metadataMatch }, { zone: 'z1' });
});

test('direct responses and redirects; a direct response wins', (t) => {
  t.deepEqual(
    { ...routeOf({ route: {}, direct_response: { status: 418, body: 'x' } }).directResponse },
    { status: 418, body: 'x' },
  );
  const redirect = {
    response_code: 308,
    path_redirect: '/new',
    host_redirect: 'h',
    scheme_redirect: 'HTTPS',
  };
  t.like(routeOf({ route: {}, redirect }).redirect, { status: 308, path: '/new', host: 'h', https: true });
  t.is(routeOf({ route: {}, redirect: { path_redirect: '/x' } }).redirect?.status, 301);
  const both = { route: {}, redirect, direct_response: { status: 200 } };
  t.not(routeOf(both).directResponse, undefined);
  t.regex(noticesOf(mosn({ route: both })).join(), /redirect: no effect beside direct_response/);
});

test('header edits: joined or set, removed after they were added, variables and plain per cents', (t) => {
  const add = (key: string, value: string, append?: boolean) => ({
    header: { key, value },
    ...(append === undefined ? {} : { append }),
  });
  const route = routeOf({
    route: {
      ...up,
      request_headers_to_add: [
        add('x-a', '1'),
        add('x-b', '100%', false),
        add('x-gone', 'x'),
        add('x-l', '%listener_name%'),
      ],
      request_headers_to_remove: ['X-Gone', 'x-other'],
    },
  });
  t.deepEqual(
    route.requestHeaders.map(({ name, value, action }) => [name, value, action]),
    [
      ['x-a', '1', 'append'],
      ['x-b', '100%%', 'overwrite'],
      ['x-l', '%LISTENER_NAME%', 'append'],
    ],
  );
  t.deepEqual([...route.removeRequestHeaders], ['X-Gone', 'x-other']);
});

test('hash policies: the first one counts', (t) => {
  const policies = (given: object[]) =>
    routeOf({ route: { ...up, hash_policy: given } }).hashPolicies.map((each) => ({ ...each }));
  t.like(policies([{ header: { key: 'x-u' } }, { source_ip: {} }])[0], { header: 'x-u' });
  t.is(policies([{ header: { key: 'x-u' } }, { source_ip: {} }]).length, 1);
  t.like(policies([{ cookie: { name: 'c', path: '/', ttl: '1s' } }])[0], { cookie: 'c' });
  t.like(policies([{ source_ip: {} }])[0], { source: true });
});

test('mirrors need the stream filter, which says how many copies go out', (t) => {
  const route = { request_mirror_policies: { cluster: 'up', percent: 10 } };
  t.deepEqual(routeOf(route).mirrors, []);
  const filtered = mosn({
    route,
    listener: { stream_filters: [{ type: 'mirror', config: { amplification: 3 } }] },
  });
  t.like(converted(filtered).listeners[0]?.virtualHosts[0]?.routes[0]?.mirrors[0], {
    cluster: 'up',
    percent: 10,
    amplification: 3,
  });
});

test('domains: a star for the port is what a domain without one means here', (t) => {
  const config = mosn({ host: { domains: ['a.example:*', '*.b.example:8443'] } });
  t.deepEqual(
    [...(converted(config).listeners[0]?.virtualHosts[0]?.domains ?? [])],
    ['a.example', '*.b.example:8443'],
  );
});
