import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import type { InternalRedirectPolicy, Route } from '../../../src/core/contract/route.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { activeHosts, Harness, type HarnessOptions } from './harness.ts';

const policy = (parts: Partial<InternalRedirectPolicy> = {}): InternalRedirectPolicy => ({
  maxRedirects: 1,
  codes: new Set([302]),
  allowCrossScheme: false,
  hosts: [],
  ...parts,
});

function following(
  parts: Partial<InternalRedirectPolicy> = {},
  route: Partial<Route> = {},
  options: HarnessOptions = {},
): Harness {
  return new Harness({ ...options, route: { internalRedirect: policy(parts), ...route } });
}

function redirect(h: Harness, s: Stream, status: number, location: string, end = true): void {
  s.res.reset();
  s.res.status = status;
  s.res.add('location', location);
  h.proxy.responseHead(s, null, 0, 0, end);
}

test('a redirect is followed through the routes again, and the upstream is told what was asked for first', (t) => {
  const h = following();
  const s = h.begin('GET', { path: '/a?x=1' });
  redirect(h, s, 302, '/b/../c?y=2#z', false);
  t.is(h.ups[0]?.events.at(-1), `reset ${Code.locallyClosed}`);
  t.is(h.ups.length, 2);
  t.is(h.up.path, '/c?y=2');
  t.is(h.up.headers['x-heddle-original-url'], 'http://a.test/a?x=1');
  t.is(activeHosts(h), 1);
  h.answer(s, 200, 'there');
  t.is(h.down.body, 'there');
  t.is(h.logged[0]?.tries, 2);
  t.is(activeHosts(h), 0);
  const labels = { listener: 'l', outcome: 'followed' };
  t.is(h.value('heddle_internal_redirects_total', labels), 1);
});

test('which targets are followed', (t) => {
  const cases: [parts: Partial<InternalRedirectPolicy>, location: string, path: string | null][] = [
    [{}, '/b', '/b'],
    [{}, 'c', '/dir/c'],
    [{}, '?q', '/dir/a?q'],
    [{}, 'http://a.test/b', '/b'],
    [{}, 'http://A.test:80/b', '/b'],
    [{}, '//a.test/b', '/b'],
    [{}, 'http://a.test:81/b', null],
    [{}, 'http://b.test/b', null],
    [{ hosts: ['b.test'] }, 'http://b.test/b', '/b'],
    [{ hosts: ['*.b.test'] }, 'http://x.b.test:81/b', '/b'],
    [{ hosts: ['*.b.test'] }, 'http://b.test/b', null],
    [{ hosts: ['*.b.test'] }, 'http://evilb.test/b', null],
    [{ hosts: ['*'] }, 'http://c.test/b', '/b'],
    [{}, 'https://a.test/b', null],
    [{ allowCrossScheme: true }, 'https://a.test/b', '/b'],
    [{ hosts: ['*'] }, 'http://user:secret@b.test/b', null],
    [{ hosts: ['*'], allowCrossScheme: true }, 'ftp://b.test/b', null],
    [{ hosts: ['*'], allowCrossScheme: true }, 'javascript:alert(1)', null],
    [{}, 'http://[', null],
    [{}, '/none', null],
    [{ codes: new Set([301]) }, '/b', null],
  ];
  for (const [parts, location, path] of cases) {
    const h = following(parts);
    const s = h.begin('GET', { path: '/dir/a' });
    redirect(h, s, 302, location);
    const name = `${JSON.stringify(parts)} ${location}`;
    t.is(h.ups.length, path === null ? 1 : 2, name);
    t.is(h.up.path, path ?? '/dir/a', name);
    if (path === null) t.is(h.down.status, 302, name);
    if (path === null) t.is(h.down.headers['location'], location, name);
  }
});

test('after the last allowed one a redirect passes as it is, so that a loop ends', (t) => {
  const h = following({ maxRedirects: 2 });
  const s = h.begin('GET', { path: '/a' });
  redirect(h, s, 302, '/b');
  redirect(h, s, 302, '/a');
  redirect(h, s, 302, '/b');
  t.is(h.ups.length, 3);
  t.is(h.down.status, 302);
  t.is(h.down.headers['location'], '/b');
  t.is(h.value('heddle_internal_redirects_total', { listener: 'l', outcome: 'passed' }), 1);
});

test('the body is sent again; what was not kept passes the redirect on', (t) => {
  const h = following({ codes: new Set([307]) });
  const s = h.begin('POST', { body: 'hello' });
  redirect(h, s, 307, '/b');
  t.is(h.up.body, 'hello');
  t.is(h.ups.length, 2);
  const large = following({ codes: new Set([307]) }, {}, { retry: { retryBufferBytes: 4 } });
  const big = large.begin('POST', { body: 'hello', end: false });
  large.proxy.requestData(big, Buffer.from('!'), 0, 1, true);
  redirect(large, big, 307, '/b');
  t.is(large.down.status, 307);
  const early = following();
  const open = early.begin('PUT', { body: 'a', end: false });
  redirect(early, open, 302, '/b');
  t.is(early.down.status, 302);
});

test('see other asks by GET, without the body and what describes it', (t) => {
  const h = following({ codes: new Set([303]) });
  const headers = { 'content-length': '5', 'content-type': 'text/plain', 'x-a': '1' };
  const s = h.begin('POST', { body: 'hello', headers });
  redirect(h, s, 303, '/b');
  t.is(h.up.stream?.req.method, 'GET');
  t.deepEqual(h.up.events, ['head end']);
  t.is(h.up.headers['content-length'], undefined);
  t.is(h.up.headers['content-type'], undefined);
  t.is(h.up.headers['x-a'], '1');
});

test('the new route and its filters apply; a direct response ends it', (t) => {
  const seen: string[] = [];
  const h = following(
    {},
    {},
    {
      filters: [
        {
          stage: 'afterRoute',
          onRequestHead: (s) => {
            seen.push(s.req.path);
            return s.req.path === '/reply' ? s.reply(418, 'pot') : 0;
          },
        },
      ],
    },
  );
  const s = h.begin('GET', { path: '/a' });
  redirect(h, s, 302, '/reply');
  t.deepEqual(seen, ['/a', '/reply']);
  t.is(h.down.status, 418);
  t.is(activeHosts(h), 0);
});

test('a stale connection and a retry policy count from the redirect on', (t) => {
  const h = following({}, {}, { reused: true, retry: { numRetries: 1 } });
  const s = h.begin('GET', { path: '/a' });
  redirect(h, s, 302, '/b');
  h.proxy.upstreamReset(s, Code.upstreamClosed);
  h.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(h.ups.length, 3);
  t.is(h.down.status, 502);
  const stale = following({}, {}, { reused: true });
  const again = stale.begin('GET', { path: '/a' });
  redirect(stale, again, 302, '/b');
  stale.proxy.upstreamReset(again, Code.upstreamClosed);
  t.is(stale.ups.length, 3);
});

test('the route that rewrote the host is led back by the name that was asked for', (t) => {
  const h = following(
    {},
    { rewrite: { path: (s) => `/v2${s.req.path}`, authority: () => 'internal.test', usesEndpoint: false } },
  );
  const s = h.begin('GET', { path: '/a' });
  t.is(h.up.path, '/v2/a');
  redirect(h, s, 302, 'http://a.test/b');
  t.is(h.up.path, '/v2/b');
  t.is(h.up.headers['x-heddle-original-url'], 'http://a.test/a');
});
