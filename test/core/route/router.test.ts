import test from 'ava';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { hostsRouter, type RequestLine, requestStream, routesRouter } from './support.ts';

const nameFor = (routes: readonly RouteInput[], request: RequestLine): string | null =>
  routesRouter(routes).match(requestStream(request))?.name ?? null;

test('the first route whose conditions hold wins, whatever kind it is', (t) => {
  const routes: RouteInput[] = [
    { name: 'exact', match: { path: '/users/me' } },
    { name: 'regex', match: { regex: '/users/[0-9]+' } },
    { name: 'post', match: { prefix: '/users', methods: ['POST', 'PUT'] } },
    { name: 'canary', match: { segmentPrefix: '/users', headers: [{ name: 'X-Canary', exact: 'yes' }] } },
    { name: 'paged', match: { segmentPrefix: '/users', query: [{ name: 'page' }] } },
    { name: 'users', match: { segmentPrefix: '/users' } },
    { name: 'late', match: { path: '/users/me' } },
    { name: 'rest' },
  ];
  t.is(nameFor(routes, { path: '/users/me' }), 'exact');
  t.is(nameFor(routes, { path: '/users/me?x=1' }), 'exact');
  t.is(nameFor(routes, { path: '/users/42?x=1' }), 'regex');
  t.is(nameFor(routes, { path: '/users/42/x', method: 'PUT' }), 'post');
  t.is(nameFor(routes, { path: '/usersandmore', method: 'POST' }), 'post');
  t.is(nameFor(routes, { path: '/users/x', headers: [['x-canary', 'yes']] }), 'canary');
  t.is(nameFor(routes, { path: '/users/x?a=1&page=2' }), 'paged');
  t.is(nameFor(routes, { path: '/users' }), 'users');
  t.is(nameFor(routes, { path: '/users?a' }), 'users');
  t.is(nameFor(routes, { path: '/usersandmore' }), 'rest');
  t.is(nameFor(routes, { path: '*', method: 'OPTIONS' }), 'rest');
});

test('a request that no route or no virtual host takes gets null', (t) => {
  t.is(nameFor([{ match: { path: '/a' } }], { path: '/b' }), null);
  const router = hostsRouter([{ name: 'h', domains: ['a.test'], routes: [{ cluster: 'a' }] }]);
  t.is(router.match(requestStream({ authority: 'b.test' })), null);
  t.is(router.match(requestStream({ authority: 'A.Test:81' }))?.name, 'h#0');
});

test('virtual hosts are chosen exact, by suffix, by prefix, by star; the longest wildcard first, a port before none', (t) => {
  const domains: Record<string, string[]> = {
    exact: ['api.a.test'],
    exactPort: ['api.a.test:8443'],
    longSuffix: ['*.api.a.test'],
    suffix: ['*.a.test', '*.z.test:81'],
    dashed: ['*-x.a.test'],
    prefix: ['api.*'],
    longPrefix: ['api.b.*'],
    starPort: ['*:9999'],
    star: ['*'],
    six: ['[::1]:80'],
  };
  const router = hostsRouter(
    Object.entries(domains).map(([name, list]) => ({ name, domains: list, routes: [{ cluster: 'a' }] })),
  );
  const hostOf = (authority: string) => router.match(requestStream({ authority }))?.virtualHost;
  const expected: [string, string][] = [
    ['api.a.test', 'exact'],
    ['API.A.TEST', 'exact'],
    ['api.a.test.', 'exact'],
    ['api.a.test:80', 'exact'],
    ['api.a.test:8443', 'exactPort'],
    ['v1.api.a.test', 'longSuffix'],
    ['www.a.test:1', 'suffix'],
    ['b-x.a.test', 'dashed'],
    ['-x.a.test', 'suffix'],
    ['a.test', 'star'],
    ['.a.test', 'star'],
    ['y.z.test:81', 'suffix'],
    ['y.z.test:82', 'star'],
    ['api.other', 'prefix'],
    ['api.b.other', 'longPrefix'],
    ['zzz:9999', 'starPort'],
    ['[::1]:80', 'six'],
    ['[::1]', 'star'],
    ['', 'star'],
  ];
  // Twice: the second time from the cache.
  for (const [authority, host] of [...expected, ...expected]) t.is(hostOf(authority), host, authority);
});

test('a path or authority that a filter changed is matched as changed', (t) => {
  const router = hostsRouter([
    { name: 'a', domains: ['a.test'], routes: [{ name: 'x', match: { path: '/x' }, cluster: 'a' }] },
    { name: 'b', domains: ['b.test'], routes: [{ name: 'y', match: { regex: '/y+' }, cluster: 'a' }] },
  ]);
  const s = requestStream({ authority: 'a.test', path: '/nothing' });
  s.req.path = '/x?q=1';
  t.is(router.match(s)?.name, 'x');
  s.req.authority = 'B.test:1';
  t.is(router.match(s), null);
  s.req.path = `/${'y'.repeat(2000)}`;
  t.is(router.match(s)?.name, 'y');
});

test('routes that share a prefix keep their order when one of them is final', (t) => {
  const routes: RouteInput[] = [
    { name: 'get', match: { prefix: '/a', methods: ['GET'] } },
    { name: 'all', match: { prefix: '/a' } },
    { name: 'never', match: { prefix: '/a', methods: ['DELETE'] } },
    { name: 'deeper', match: { prefix: '/a/b' } },
  ];
  t.is(nameFor(routes, { path: '/a/b' }), 'get');
  t.is(nameFor(routes, { path: '/a/b', method: 'DELETE' }), 'all');
});

test('many routes by one header value are found by value and still in order', (t) => {
  const routes: RouteInput[] = [];
  for (let i = 0; i < 40; i++) {
    routes.push({ name: `s${i}`, match: { headers: [{ name: 'service', exact: `svc-${i % 20}` }] } });
    if (i === 4) routes.push({ name: 'post', match: { methods: ['POST'] } });
  }
  const of = (service: string, method = 'GET') =>
    nameFor(routes, { method, headers: [['service', service]] });
  t.is(of('svc-7'), 's7');
  t.is(of('svc-3', 'POST'), 's3');
  t.is(of('svc-7', 'POST'), 'post');
  t.is(of('unknown'), null);
});

test('the route cache never answers for another method, host, header or query', (t) => {
  const router = hostsRouter([
    {
      name: 'a',
      domains: ['a.test'],
      routes: [
        { name: 'post', match: { regex: '/x.*', methods: ['POST'] }, cluster: 'a' },
        { name: 'flag', match: { prefix: '/h', headers: [{ name: 'flag' }] }, cluster: 'a' },
        { name: 'get', match: { regex: '/[xh].*' }, cluster: 'a' },
      ],
    },
    { name: 'b', domains: ['b.test'], routes: [{ name: 'other', match: { regex: '/x.*' }, cluster: 'a' }] },
  ]);
  const of = (request: RequestLine) => router.match(requestStream(request))?.name;
  for (let round = 0; round < 3; round++) {
    t.is(of({ path: '/x1' }), 'get');
    t.is(of({ path: '/x1?q', method: 'POST' }), 'post');
    t.is(of({ path: '/x1', authority: 'b.test' }), 'other');
    t.is(of({ path: '/h1', headers: [['flag', '']] }), 'flag');
    t.is(of({ path: '/h1' }), 'get');
    t.is(of({ path: `/x${'y'.repeat(500)}` }), 'get');
    t.is(of({ path: '/none' }), undefined);
  }
});
