import test from 'ava';
import type { RouteInput } from '../../../src/core/config/input.ts';
import type { Peer } from '../../../src/core/contract/wire.ts';
import { type RequestLine, requestStream, routesRouter } from './support.ts';

type Match = NonNullable<RouteInput['match']>;

const matches = (match: Match, request: RequestLine): boolean =>
  routesRouter([{ match }]).match(requestStream(request)) !== null;

test('a template matches as Envoy says: "*" within a segment, "**" over segments and nothing, names for either', (t) => {
  const cases: [template: string, path: string, expected: boolean][] = [
    ['/users/{id}', '/users/42', true],
    ['/users/{id}', '/users/42?x=/y', true],
    ['/users/{id}', '/users/', false],
    ['/users/{id}', '/users/42/', false],
    ['/users/{id}', '/users/4/2', false],
    ['/users/{id}/**', '/users/42/', true],
    ['/users/{id}/**', '/users/42/a/b', true],
    ['/users/{id}/**', '/users/42', false],
    ['/**', '/', true],
    ['/**.mpd', '/content/123/dash/55/manifest.mpd', true],
    ['/**.mpd', '/content/manifest.mpdx', false],
    ['/videos/*/*/*.m4s', '/videos/123/hls/1080p5000_1.m4s', true],
    ['/videos/*/*/*.m4s', '/videos/123/1080p5000_1.m4s', false],
    ['/{path=videos/*}/{rest=**}', '/videos/7/a/b', true],
    ['/{path=videos/*}/{rest=**}', '/video/7/a/b', false],
    ['/a.b/{x}', '/aXb/1', false],
    ['/a+(b)/{x}', '/a+(b)/1', true],
  ];
  for (const [template, path, expected] of cases) {
    t.is(matches({ template }, { path }), expected, `${template} ${path}`);
  }
});

test('with caseSensitive: false letters of the path match in either case, and the configured order still decides', (t) => {
  const router = routesRouter([
    { name: 'upper', match: { path: '/ABC' } },
    { name: 'any', match: { path: '/abc', caseSensitive: false } },
    { name: 'prefix', match: { prefix: '/Abc/', caseSensitive: false, methods: ['GET'] } },
    { name: 'segment', match: { segmentPrefix: '/Team', caseSensitive: false } },
    { name: 'regex', match: { regex: '/r[a-c]+', caseSensitive: false } },
    { name: 'template', match: { template: '/Users/{id}', caseSensitive: false } },
    { name: 'lower', match: { prefix: '/a' } },
  ]);
  const expected: [string, string | undefined][] = [
    ['/ABC', 'upper'],
    ['/aBc', 'any'],
    ['/aBC/x', 'prefix'],
    ['/TEAM/x?A', 'segment'],
    ['/teams', undefined],
    ['/RAB', 'regex'],
    ['/uSERS/Me', 'template'],
    ['/abd', 'lower'],
    ['/Abd', undefined],
  ];
  for (const [path, name] of [...expected, ...expected]) {
    t.is(router.match(requestStream({ path }))?.name, name, path);
  }
});

test('query parameters match by every kind, and invert turns it round', (t) => {
  const path = '/?version=v2.1&flag&name=%C3%A4+b&version=v9';
  const cases: [NonNullable<Match['query']>[number], boolean][] = [
    [{ name: 'version', exact: 'v2.1' }, true],
    [{ name: 'version', prefix: 'v2' }, true],
    [{ name: 'version', prefix: 'v9' }, false],
    [{ name: 'version', suffix: '.1' }, true],
    [{ name: 'version', contains: '2.' }, true],
    [{ name: 'version', regex: 'v[0-9.]+' }, true],
    [{ name: 'version', regex: '[0-9]' }, false],
    [{ name: 'version', exact: 'v2.1', invert: true }, false],
    [{ name: 'flag' }, true],
    [{ name: 'flag', present: false }, false],
    [{ name: 'flag', exact: '' }, true],
    [{ name: 'name', exact: 'ä b' }, true],
    [{ name: 'none' }, false],
    [{ name: 'none', present: false }, true],
    [{ name: 'none', exact: 'x', invert: true }, true],
    [{ name: 'none', present: true, invert: true }, true],
  ];
  for (const [condition, expected] of cases) {
    t.is(matches({ query: [condition] }, { path }), expected, JSON.stringify(condition));
  }
});

test('cookies match by their first value, over several Cookie fields, with or without quotes', (t) => {
  const headers: [string, string][] = [
    ['cookie', 'a=1; session="abc" ;xsession=no'],
    ['cookie', 'beta=yes; a=2;empty='],
  ];
  const cases: [NonNullable<Match['cookies']>[number], boolean][] = [
    [{ name: 'a', exact: '1' }, true],
    [{ name: 'session', exact: 'abc' }, true],
    [{ name: 'beta', prefix: 'y' }, true],
    [{ name: 'empty', exact: '' }, true],
    [{ name: 'ession' }, false],
    [{ name: 'none' }, false],
    [{ name: 'none', invert: true }, true],
  ];
  for (const [condition, expected] of cases) {
    t.is(matches({ cookies: [condition] }, { headers }), expected, JSON.stringify(condition));
  }
});

const peer: Peer = {
  address: '10.1.2.3',
  port: 4711,
  localPort: 8443,
  spiffeId: 'spiffe://a/b',
  certificateSha256: null,
  serverName: 'api.test',
};

test('variables tell who called, where it came in and which RPC it is', (t) => {
  const s = requestStream();
  s.peer = peer;
  s.protocol = 'bolt';
  s.req.service = 'com.Users:1.0';
  s.req.rpcMethod = 'find';
  const cases: [NonNullable<Match['variables']>[number], boolean][] = [
    [{ name: 'sourceAddress', within: ['10.0.0.0/8', '::1'] }, true],
    [{ name: 'sourceAddress', within: ['192.168.0.0/16'] }, false],
    [{ name: 'sourceAddress', within: ['192.168.0.0/16'], invert: true }, true],
    [{ name: 'clientAddress', exact: '10.1.2.3' }, true],
    [{ name: 'sourcePort', exact: '4711' }, true],
    [{ name: 'listenerPort', exact: '8443' }, true],
    [{ name: 'protocol', exact: 'bolt' }, true],
    [{ name: 'serverName', suffix: '.test' }, true],
    [{ name: 'spiffeId', prefix: 'spiffe://a/' }, true],
    [{ name: 'service', exact: 'com.Users:1.0' }, true],
    [{ name: 'rpcMethod', regex: 'f.*' }, true],
    [{ name: 'listener' }, false],
  ];
  for (const [condition, expected] of cases) {
    const found = routesRouter([{ match: { variables: [condition] } }]).match(s) !== null;
    t.is(found, expected, JSON.stringify(condition));
  }
  s.peer = null;
  const without = routesRouter([
    { match: { variables: [{ name: 'sourceAddress', within: ['0.0.0.0/0'] }] } },
  ]);
  t.is(without.match(s), null);
});

test('many routes by service are found by one look-up, in configured order with those that ask for more', (t) => {
  const routes: RouteInput[] = Array.from({ length: 50 }, (_, index) => ({
    name: `r${index}`,
    match: {
      variables: [{ name: 'service' as const, exact: `s${index % 25}` }],
      ...(index < 25 ? { methods: ['POST'] } : {}),
    },
  }));
  const router = routesRouter([...routes, { name: 'rest' }]);
  const nameOf = (service: string, method: string) => {
    const s = requestStream({ method });
    s.req.service = service;
    return router.match(s)?.name;
  };
  t.is(nameOf('s3', 'POST'), 'r3');
  t.is(nameOf('s3', 'GET'), 'r28');
  t.is(nameOf('s99', 'GET'), 'rest');
});

test('texts that filters have set are matched as they stand when the route is chosen', (t) => {
  const router = routesRouter([
    { name: 'gold', match: { metadata: [{ name: 'tier', exact: 'gold' }] } },
    { name: 'none', match: { metadata: [{ name: 'tier', present: false }] } },
    { name: 'rest' },
  ]);
  const s = requestStream();
  t.is(router.match(s)?.name, 'none');
  s.setMetadata('tier', 'gold');
  t.is(router.match(s)?.name, 'gold');
  s.setMetadata('tier', 'iron');
  t.is(router.match(s)?.name, 'rest');
});

test('names of attachments keep their case where the protocol has exact names', (t) => {
  const router = routesRouter([{ match: { headers: [{ name: 'X-Group', exact: 'a' }] } }]);
  const s = requestStream({ headers: [['X-Group', 'a']] });
  t.truthy(router.match(s));
  s.req.exactNames = true;
  t.truthy(router.match(s));
  const other = requestStream({ headers: [['x-group', 'a']] });
  t.truthy(router.match(other));
  other.req.exactNames = true;
  t.is(router.match(other), null);
});
