import test from 'ava';
import type { RouteInput } from '../../../src/core/config/input.ts';
import type { Route } from '../../../src/core/contract/route.ts';
import { RetryOn } from '../../../src/core/contract/route.ts';
import { compileRouter } from '../../../src/core/route/router.ts';
import {
  effective,
  hostsRouter,
  type RequestLine,
  requestStream,
  routeContext,
  routesRouter,
} from './support.ts';

const routeFor = (
  route: RouteInput,
  request: RequestLine = {},
): [Route, ReturnType<typeof requestStream>] => {
  const s = requestStream(request);
  const found = routesRouter([route]).match(s);
  if (found === null) throw new Error('no route');
  return [found, s];
};
const rewritten = (route: RouteInput, request: RequestLine): string | null => {
  const [found, s] = routeFor(route, request);
  return found.rewrite?.path(s) ?? null;
};
const location = (route: RouteInput, request: RequestLine): string => {
  const [{ action }, s] = routeFor(route, request);
  if (action.kind !== 'redirect') throw new Error(action.kind);
  return action.location(s);
};

test('a prefix rewrite replaces what matched, with one slash where the parts meet, and keeps the query', (t) => {
  const cases: [RouteInput['match'], prefix: string, path: string, expected: string][] = [
    [{ prefix: '/api' }, '/v2', '/api/users?x=/api', '/v2/users?x=/api'],
    [{ prefix: '/api' }, '/', '/api/users', '/users'],
    [{ prefix: '/api/' }, '/', '/api/users', '/users'],
    [{ prefix: '/' }, '/v1', '/users', '/v1/users'],
    [{ prefix: '/' }, '/v1', '/', '/v1'],
    [{}, '/v1/', '/users?a', '/v1/users?a'],
    [{ segmentPrefix: '/api' }, '/', '/api?x', '/?x'],
    [{ segmentPrefix: '/api/' }, '/v1', '/api', '/v1'],
    [{ path: '/a' }, '/b', '/a?q', '/b?q'],
    [{ regex: '/a/[0-9]+' }, '/b', '/a/1?q', '/b?q'],
  ];
  for (const [match, prefix, path, expected] of cases) {
    t.is(rewritten({ match, rewrite: { prefix } }, { path }), expected, `${JSON.stringify(match)} ${path}`);
  }
});

test('a path rewrite replaces the whole path, a host rewrite the authority, and what is not named stays', (t) => {
  t.is(rewritten({ rewrite: { path: '/fixed' } }, { path: '/a/b?c=1' }), '/fixed?c=1');
  const [{ rewrite }, s] = routeFor({ rewrite: { host: 'b.test:81' } });
  t.is(rewrite?.authority(s), 'b.test:81');
  t.is(rewrite?.path(s), null);
  t.is(routeFor({})[0].rewrite, null);
});

test('a path that a filter changed away from the matched prefix is not rewritten', (t) => {
  const [{ rewrite }, s] = routeFor(
    { match: { prefix: '/api' }, rewrite: { prefix: '/v1' } },
    { path: '/api/x' },
  );
  s.req.path = '/other';
  t.is(rewrite?.path(s), null);
});

test('a redirect keeps what it does not name and never leads to another host by accident', (t) => {
  const cases: [redirect: NonNullable<RouteInput['redirect']>, request: RequestLine, expected: string][] = [
    [{ https: true }, { authority: 'a.test', path: '/x?y' }, 'https://a.test/x?y'],
    [{ https: true }, { authority: 'a.test:80', path: '/' }, 'https://a.test/'],
    [{ https: true }, { authority: 'a.test:8080', path: '/' }, 'https://a.test:8080/'],
    [{ https: true, port: 443 }, { authority: 'a.test:8080', path: '/' }, 'https://a.test/'],
    [{ https: true, port: 8443 }, { authority: '[::1]', path: '/' }, 'https://[::1]:8443/'],
    [{ host: 'b.test' }, { path: '/x?y' }, '//b.test/x?y'],
    [{ port: 81 }, { authority: 'a.test:80', path: '/x' }, '//a.test:81/x'],
    [{ path: '/new' }, { path: '/old?y' }, '/new?y'],
    [{ path: '/new', stripQuery: true }, { path: '/old?y' }, '/new'],
    [{ stripQuery: true }, { path: '//evil.test/?y' }, '/evil.test/'],
    [{ stripQuery: true }, { path: '/\\evil.test' }, '/evil.test'],
    [{ https: true }, { path: '//evil.test' }, 'https://a.test//evil.test'],
    [{ https: true }, { authority: '', path: '//evil.test' }, '/evil.test'],
  ];
  for (const [redirect, request, expected] of cases) t.is(location({ redirect }, request), expected);
  t.is(
    location({ match: { prefix: '/old' }, redirect: { prefix: '/new' } }, { path: '/old/x?y' }),
    '/new/x?y',
  );
});

test('a direct response and a retry policy are compiled with their defaults', (t) => {
  t.deepEqual(routeFor({ directResponse: { status: 418 } })[0].action, {
    kind: 'direct',
    status: 418,
    body: '',
  });
  const { retry } = routeFor({ retry: { on: ['gatewayError', 'reset'], statusCodes: [429] } })[0];
  t.deepEqual(retry, {
    on: RetryOn.gatewayError | RetryOn.reset | RetryOn.statusCodes,
    numRetries: 1,
    perTryTimeoutMs: 0,
    backoffBaseMs: 25,
    backoffMaxMs: 250,
    statusCodes: new Set([429]),
    nonIdempotent: false,
    retryBufferBytes: 65536,
    avoidTriedHosts: true,
  });
  t.is(routeFor({ timeoutMs: 7, idleTimeoutMs: 0 })[0].idleTimeoutMs, 0);
  t.is(routeFor({})[0].idleTimeoutMs, -1);
  t.deepEqual(routeFor({ upgrades: ['WebSocket'] })[0].upgrades, ['websocket']);
});

test('weighted clusters share one route and bring their own header edits', (t) => {
  const share = { cluster: 'b', weight: 1, requestHeaders: [{ name: 'x-share', value: 'b' }] };
  const [{ action }, s] = routeFor({ weightedClusters: [share, { cluster: 'c', weight: 0 }] });
  if (action.kind !== 'weighted') throw new Error(action.kind);
  const target = action.pick(s);
  t.is(target.cluster.name, 'b');
  t.is(target.requestHeaders?.apply[0]?.lowerName, 'x-share');
});

test('per-route filter configurations come by slot; the route wins over its virtual host, false switches off', (t) => {
  const cors = { allowOrigins: ['https://a.test'] };
  const hosts = [
    {
      name: 'h',
      domains: ['*'],
      filterConfigs: { cors, 'local-rate-limit': { perSecond: 5 } },
      routes: [
        { name: 'own', match: { path: '/own' }, cluster: 'a', filterConfigs: { cors: false } },
        { name: 'host', cluster: 'a' },
      ],
    },
  ];
  const filters = ['local-rate-limit', 'cors', 'cors'].map((name) =>
    name === 'cors' ? name : { name, config: { perSecond: 1 } },
  );
  const config = effective([], {
    listeners: [{ name: 'l', address: '127.0.0.1:0', filters, virtualHosts: hosts }],
  });
  const filterSlots = new Map([
    ['local-rate-limit', [0]],
    ['cors', [1, 3]],
  ]);
  const router = compileRouter(config.listeners[0]?.virtualHosts ?? [], routeContext({ filterSlots }));
  const host = { allowOrigins: ['https://a.test'], maxAgeSeconds: 600 };
  t.deepEqual(router.match(requestStream({ path: '/x' }))?.filterConfigs, [
    { perSecond: 5 },
    host,
    undefined,
    host,
  ]);
  t.deepEqual(router.match(requestStream({ path: '/own' }))?.filterConfigs, [
    { perSecond: 5 },
    false,
    undefined,
    false,
  ]);
  t.deepEqual(
    hostsRouter([{ name: 'h', domains: ['*'], routes: [{ cluster: 'a' }] }]).match(requestStream())
      ?.filterConfigs,
    [],
  );
});
