import { inspect } from 'node:util';
import test from 'ava';
import * as v from 'valibot';
import { HeddleError } from '../../../src/core/base/errors.ts';
import { Secret } from '../../../src/core/base/secret.ts';
import { checkConfig, requireConfig } from '../../../src/core/config/check.ts';
import { formatProblems } from '../../../src/core/config/problems.ts';
import { fakeExtensions, fakeFilter } from './support.ts';

const route = (more: object = {}) => ({ cluster: 'users', ...more });
const mesh = (
  parts: { route?: object; host?: object; listener?: object; cluster?: object; more?: object } = {},
) => ({
  listeners: [
    {
      name: 'ingress',
      address: '127.0.0.1:0',
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [parts.route ?? route()], ...parts.host }],
      ...parts.listener,
    },
  ],
  clusters: [{ name: 'users', endpoints: ['127.0.0.1:9001'], ...parts.cluster }],
  ...parts.more,
});

/** "path | what is read | the nearest word" of each problem. */
const problemsOf = (input: unknown, extensions = fakeExtensions()): string[] =>
  checkConfig(input, extensions).problems.map(
    ({ path, read, nearest }) => `${path} | ${read}${nearest === null ? '' : ` | ${nearest}`}`,
  );

const at = 'listeners[0].virtualHosts[0].routes[0]';
const cases: [title: string, input: unknown, problems: string[]][] = [
  [
    'a misspelt key',
    mesh({ route: { cluster: 'users', timoutMs: 5 } }),
    [`${at}.timoutMs | "timoutMs" | timeoutMs`],
  ],
  [
    'every misspelt key of one object',
    mesh({ more: { lisseners: [], cluster: [], log: { lvl: 'info' } } }),
    ['log.lvl | "lvl" | level', 'lisseners | "lisseners" | listeners', 'cluster | "cluster" | clusters'],
  ],
  ['a missing key', { clusters: [{}] }, ['clusters[0].name | nothing']],
  ['a wrong type', mesh({ route: route({ timeoutMs: '5s' }) }), [`${at}.timeoutMs | "5s"`]],
  ['a number out of range', mesh({ route: route({ timeoutMs: -1 }) }), [`${at}.timeoutMs | -1`]],
  ['a fraction', mesh({ route: route({ timeoutMs: 1.5 }) }), [`${at}.timeoutMs | 1.5`]],
  ['a list where an object belongs', mesh({ more: { log: [] } }), ['log | []']],
  ['no object at all', null, [' | null']],
  ['a misspelt choice', mesh({ more: { log: { level: 'wran' } } }), ['log.level | "wran" | warn']],
  ['an unknown cluster', mesh({ route: { cluster: 'usres' } }), [`${at}.cluster | "usres" | users`]],
  [
    'an unknown cluster beside a wrong type elsewhere',
    mesh({ route: { cluster: 'usres', timeoutMs: [] } }),
    [`${at}.timeoutMs | []`, `${at}.cluster | "usres" | users`],
  ],
  ['a route without an action', mesh({ route: {} }), [`${at} | nothing`]],
  [
    'a route with two actions',
    mesh({ route: route({ directResponse: { status: 200 } }) }),
    [`${at}.directResponse | {"status":200}`],
  ],
  [
    'two kinds of path',
    mesh({ route: route({ match: { path: '/a', prefix: '/b' } }) }),
    [`${at}.match.prefix | "/b"`],
  ],
  [
    'a prefix without slash',
    mesh({ route: route({ match: { prefix: 'b' } }) }),
    [`${at}.match.prefix | "b"`],
  ],
  ['a path with a query', mesh({ route: route({ match: { path: '/b?c' } }) }), [`${at}.match.path | "/b?c"`]],
  ['a look-around', mesh({ route: route({ match: { regex: '/(?=a)' } }) }), [`${at}.match.regex | "/(?=a)"`]],
  [
    'a broken pattern',
    mesh({ route: route({ match: { headers: [{ name: 'a', regex: '(' }] } }) }),
    [`${at}.match.headers[0].regex | "("`],
  ],
  [
    'a header name that is none',
    mesh({ route: route({ match: { headers: [{ name: 'a b' }] } }) }),
    [`${at}.match.headers[0].name | "a b"`],
  ],
  [
    'two kinds of header condition',
    mesh({ route: route({ match: { headers: [{ name: 'a', exact: '', present: true }] } }) }),
    [`${at}.match.headers[0].present | true`],
  ],
  [
    'weights that are all 0',
    mesh({ route: { weightedClusters: [{ cluster: 'users', weight: 0 }] } }),
    [`${at}.weightedClusters | [{"cluster":"users","weight":0}]`],
  ],
  [
    'a weighted route without clusters',
    mesh({ route: { weightedClusters: [] } }),
    [`${at}.weightedClusters | []`],
  ],
  [
    'an unknown weighted cluster',
    mesh({ route: { weightedClusters: [{ cluster: 'user', weight: 1 }] } }),
    [`${at}.weightedClusters[0].cluster | "user" | users`],
  ],
  [
    'a rewrite that nothing would see',
    mesh({ route: { redirect: { https: true }, rewrite: { path: '/a' } } }),
    [`${at}.rewrite | {"path":"/a"}`],
  ],
  [
    'a line break in a header',
    mesh({ route: route({ requestHeaders: [{ name: 'a', value: 'b\r\nc: d' }] }) }),
    [`${at}.requestHeaders[0].value | "b\\r\\nc: d"`],
  ],
  ['no virtual host', mesh({ listener: { virtualHosts: [] } }), ['listeners[0].virtualHosts | []']],
  [
    'a virtual host without routes',
    mesh({ host: { routes: [] } }),
    ['listeners[0].virtualHosts[0].routes | []'],
  ],
  [
    'a virtual host without domains',
    mesh({ host: { domains: [] } }),
    ['listeners[0].virtualHosts[0].domains | []'],
  ],
  [
    'a domain that is none',
    mesh({ host: { domains: ['a*b'] } }),
    ['listeners[0].virtualHosts[0].domains[0] | "a*b"'],
  ],
  [
    'a domain twice, in other letters',
    mesh({ host: { domains: ['a.test', 'A.test'] } }),
    ['listeners[0].virtualHosts[0].domains[1] | "A.test"'],
  ],
  [
    'listener names and addresses twice',
    {
      ...mesh(),
      listeners: ['a', 'a'].map((name) => ({ ...mesh().listeners[0], name, address: '127.0.0.1:80' })),
    },
    ['listeners[1].name | "a"', 'listeners[1].address | "127.0.0.1:80"'],
  ],
  [
    'an admin address that a listener has',
    { ...mesh({ listener: { address: 'unix:/a' } }), admin: { address: 'unix:/a' } },
    ['admin.address | "unix:/a"'],
  ],
  [
    'an address without port',
    mesh({ listener: { address: '127.0.0.1' } }),
    ['listeners[0].address | "127.0.0.1"'],
  ],
  ['a host at port 0', mesh({ cluster: { endpoints: ['a:0'] } }), ['clusters[0].endpoints[0] | "a:0"']],
  [
    'an endpoint twice',
    mesh({ cluster: { endpoints: ['a:1', { address: 'a:1', weight: 2 }] } }),
    ['clusters[0].endpoints[1].address | "a:1"'],
  ],
  [
    'endpoints beside discovery',
    mesh({ cluster: { discovery: { name: 'file', config: { path: '/x' } }, endpoints: ['a:1'] } }),
    ['clusters[0].endpoints | ["a:1"]'],
  ],
  [
    'an unknown filter',
    mesh({ listener: { filters: ['cros'] } }),
    ['listeners[0].filters[0].name | "cros" | cors'],
  ],
  ['an unknown codec', mesh({ cluster: { codec: 'htp1' } }), ['clusters[0].codec.name | "htp1" | http1']],
  [
    'an unknown balancer',
    mesh({ cluster: { loadBalancer: { name: 'leastRequests' } } }),
    ['clusters[0].loadBalancer.name | "leastRequests" | leastRequest'],
  ],
  [
    'an unknown registry',
    mesh({ cluster: { endpoints: [], discovery: { name: 'fil' } } }),
    ['clusters[0].discovery.name | "fil" | file'],
  ],
  [
    'what an extension says about its configuration, every unknown key of it',
    mesh({
      listener: {
        filters: [{ name: 'cors', config: { maxAgeSecond: 1, allowOrigin: [], maxAgeSeconds: 'x' } }],
      },
    }),
    [
      'listeners[0].filters[0].config.maxAgeSeconds | "x"',
      'listeners[0].filters[0].config.maxAgeSecond | "maxAgeSecond" | maxAgeSeconds',
      'listeners[0].filters[0].config.allowOrigin | "allowOrigin" | allowOrigins',
    ],
  ],
  [
    'a filter whose required configuration is missing',
    mesh({ listener: { filters: ['local-rate-limit'] } }),
    ['listeners[0].filters[0].config.perSecond | nothing'],
  ],
  [
    'a per-route configuration of a filter that is not there',
    mesh({
      listener: { filters: ['cors'] },
      route: route({ filterConfigs: { 'local-rate-limit': { perSecond: 1 }, core: {} } }),
    }),
    [`${at}.filterConfigs.local-rate-limit | "local-rate-limit"`, `${at}.filterConfigs.core | "core" | cors`],
  ],
  [
    'a per-route configuration that the filter refuses',
    mesh({ listener: { filters: ['cors'] }, host: { filterConfigs: { cors: { maxAgeSeconds: 0.5 } } } }),
    ['listeners[0].virtualHosts[0].filterConfigs.cors.maxAgeSeconds | 0.5'],
  ],
  [
    'a log format that is no format',
    mesh({ listener: { accessLog: [{ format: 'enovy' }] } }),
    ['listeners[0].accessLog[0].format | "enovy" | envoy'],
  ],
  [
    'a log at a relative path',
    mesh({ listener: { accessLog: [{ path: 'logs/a' }] } }),
    ['listeners[0].accessLog[0].path | "logs/a"'],
  ],
  [
    'a longest wait below the first',
    mesh({ route: route({ retry: { backoffMaxMs: 1 } }) }),
    [`${at}.retry.backoffMaxMs | 1`],
  ],
];

for (const [title, input, problems] of cases) {
  test(`${title} is told with its place`, (t) => {
    t.deepEqual(problemsOf(input), problems);
  });
}

test('a configuration with nothing wrong is filled in and its input is left alone', (t) => {
  const input = mesh({
    listener: { filters: [{ name: 'cors', config: {} }] },
    route: route({ match: { headers: [{ name: 'a' }] } }),
  });
  const before = structuredClone(input);
  const config = requireConfig(input, fakeExtensions());
  t.deepEqual(input, before);
  t.is(config.listeners[0]?.limits.maxHeaderBytes, 32_768);
  t.deepEqual(config.listeners[0]?.filters, [
    { name: 'cors', config: { allowOrigins: ['*'], maxAgeSeconds: 600 } },
  ]);
  t.deepEqual(config.listeners[0]?.codec, { name: 'http1', config: {} });
  t.like(config.listeners[0]?.virtualHosts[0]?.routes[0], {
    timeoutMs: 15_000,
    match: { prefix: '/', headers: [{ name: 'a', present: true, invert: false }] },
  });
  t.deepEqual(config.clusters[0]?.endpoints, [
    { address: '127.0.0.1:9001', weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' },
  ]);
  t.deepEqual(requireConfig({}, fakeExtensions()).listeners, []);
});

test('a cluster asks its registry for its own name unless told otherwise', (t) => {
  const of = (discovery: object) =>
    requireConfig({ clusters: [{ name: 'c', discovery }] }, fakeExtensions()).clusters[0]?.discovery;
  t.deepEqual(of({ name: 'file', config: { path: '/x' } }), {
    name: 'file',
    service: 'c',
    config: { path: '/x', debounceMs: 100 },
  });
  t.is(of({ name: 'file', service: 's', config: { path: '/x' } })?.service, 's');
});

test('one bad configuration tells all of it at once, one line each, in an error that names the code', (t) => {
  const input = mesh({ route: { cluster: 'usres', timoutMs: 1 }, listener: { filters: ['cros'] } });
  const error = t.throws(() => requireConfig(input, fakeExtensions()), { instanceOf: HeddleError });
  t.is((error as HeddleError).code, 'ERR_CONFIG_INVALID');
  t.regex(error?.message ?? '', /3 problems/);
  const lines = formatProblems(checkConfig(input, fakeExtensions()).problems).split('\n');
  t.deepEqual(lines, [
    `${at}.timoutMs: read "timoutMs"; allowed: no such key; the keys here are name, match, cluster, weightedClusters, redirect, directResponse, rewrite, timeoutMs, grpcTimeoutMaxMs, idleTimeoutMs, retry, upgrades, filterConfigs, metadata, metadataMatch, hashPolicies, mirrors, hedge, internalRedirect, requestHeaders, removeRequestHeaders, responseHeaders, removeResponseHeaders — did you mean "timeoutMs"?`,
    'listeners[0].filters[0].name: read "cros"; allowed: the name of a filter: cors, local-rate-limit — did you mean "cors"?',
    `${at}.cluster: read "usres"; allowed: the name of a cluster: users — did you mean "users"?`,
  ]);
});

test('texts with operators are asked of the compiler that is given', (t) => {
  const input = mesh({
    listener: { accessLog: [{ format: '%OOPS%' }], responseHeaders: [{ name: 'a', value: '%OOPS%' }] },
  });
  const { problems } = checkConfig(input, fakeExtensions(), {
    checkValue: (text) => [`no operator in ${text}`],
  });
  t.deepEqual(
    problems.map((each) => each.allowed),
    ['no operator in %OOPS%', 'no operator in %OOPS%'],
  );
});

test('a schema of another family, an asynchronous one and one that throws are all heard', (t) => {
  const schema = (validate: (value: unknown) => never | object) => ({
    '~standard': { version: 1 as const, vendor: 'other', validate: validate as never },
  });
  const extensions = {
    ...fakeExtensions(),
    filters: [
      fakeFilter(
        'deep',
        schema(() => ({ issues: [{ message: 'a port', path: [{ key: 'peers' }, 1, 'port'] }] })),
      ),
      fakeFilter(
        'later',
        schema(() => Promise.reject(new Error('late'))),
      ),
      fakeFilter(
        'broken',
        schema(() => {
          throw new Error('bug');
        }),
      ),
      fakeFilter(
        'secret',
        schema(() => ({ issues: [{ message: 'hunter2 is too short', path: ['password'] }] })),
      ),
    ],
  };
  const config = { peers: [{ port: 1 }, { port: 'x' }], password: 'hunter2' };
  const filters = ['deep', 'later', 'broken', 'secret'].map((name) => ({ name, config }));
  const { problems } = checkConfig(mesh({ listener: { filters } }), extensions);
  t.deepEqual(
    problems.map((each) => [each.path, each.read]),
    [
      ['listeners[0].filters[0].config.peers[1].port', '"x"'],
      ['listeners[0].filters[1].config', '{"peers":[{"port":1},{"port":"x"}],"password":"(hidden)"}'],
      ['listeners[0].filters[2].config', '{"peers":[{"port":1},{"port":"x"}],"password":"(hidden)"}'],
      ['listeners[0].filters[3].config.password', '(hidden)'],
    ],
  );
  t.notRegex(JSON.stringify(problems), /hunter2/);
});

test('a secret is printed nowhere', (t) => {
  const config = requireConfig({ admin: { address: '127.0.0.1:1', token: 'hunter2' } }, fakeExtensions());
  t.true(config.admin?.token instanceof Secret);
  t.is(config.admin?.token?.reveal(), 'hunter2');
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), String(config.admin?.token)])
    t.notRegex(text, /hunter2/);
  t.notRegex(
    JSON.stringify(checkConfig({ admin: { address: '1', token: 7 } }, fakeExtensions()).problems),
    /7/,
  );
});

test('a stranger cannot make the list of problems grow without end', (t) => {
  const routes = Array.from({ length: 5000 }, () => ({ cluster: 'none' }));
  t.is(checkConfig(mesh({ host: { routes } }), fakeExtensions()).problems.length, 1000);
});

test('a schema that makes something else of its input is kept for use, its input for the dump', (t) => {
  const schema = v.strictObject({
    after: v.pipe(
      v.string(),
      v.transform((text) => Number.parseInt(text, 10) * 1000),
    ),
  });
  const extensions = { ...fakeExtensions(), filters: [fakeFilter('delay', schema)] };
  const config = requireConfig(
    mesh({ listener: { filters: [{ name: 'delay', config: { after: '5s' } }] } }),
    extensions,
  );
  t.deepEqual(config.listeners[0]?.filters[0]?.config, { after: 5000 });
});
