import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import type { ClusterRef, MirrorPolicy } from '../../../src/core/contract/route.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { makeRoute } from '../../../src/core/route/make-route.ts';
import { copyHead } from '../../../src/core/stream/copy-head.ts';
import { activeHosts, Harness, type HarnessOptions } from './harness.ts';

interface Pair {
  /** Where requests go, and where their copies go. */
  readonly main: Harness;
  readonly copies: Harness;
}

function mirrored(
  policy: Partial<MirrorPolicy> = {},
  options: HarnessOptions = {},
  copyOptions: HarnessOptions = {},
): Pair {
  const cluster: ClusterRef & { current: unknown } = { name: 'shadow', current: null };
  const route = makeRoute({ name: 'mirror', virtualHost: 'v', action: { kind: 'forward', cluster } });
  const mirror: MirrorPolicy = {
    cluster,
    route,
    percent: 100,
    amplification: 1,
    broadcast: false,
    hostSuffix: '-shadow',
    maxOutstanding: 10,
    maxBodyBytes: 100,
    ...policy,
  };
  const main = new Harness({ ...options, route: { mirrors: [mirror], ...options.route } });
  const copies = new Harness(copyOptions);
  cluster.current = copies.cluster;
  return { main, copies };
}

const dropped = ({ main }: Pair, reason: string): number =>
  main.value('heddle_mirror_dropped_total', { cluster: 'shadow', reason });

test('a copy is sent as the request went upstream, marked, under another host name, and its answer is dropped', (t) => {
  const pair = mirrored();
  const { main, copies } = pair;
  const s = main.begin('POST', {
    body: 'hello',
    path: '/a?b',
    headers: { 'content-length': '5', 'x-a': '1' },
  });
  t.deepEqual(copies.up.events, ['head +5 end']);
  t.is(copies.up.body, 'hello');
  t.is(copies.up.path, '/a?b');
  t.is(copies.up.headers['x-heddle-mirror'], '1');
  t.is(copies.up.headers['x-a'], '1');
  t.is(main.up.headers['x-heddle-mirror'], undefined);
  const copy = copies.up.stream as Stream;
  t.is(copy.req.authority, 'a.test-shadow');
  t.is(s.req.authority, 'a.test');
  main.answer(copy, 500, 'ignored');
  t.deepEqual(main.down.events, []);
  main.answer(s, 200, 'fine');
  t.is(main.down.body, 'fine');
  t.is(main.logged.length, 1);
  t.is(main.proxy.active, 0);
  t.is(activeHosts(copies), 0);
  t.is(main.value('heddle_mirror_requests_total', { cluster: 'shadow' }), 1);
});

test('a streamed body is copied once it is complete; a retry does not copy it again', (t) => {
  const { main, copies } = mirrored({}, { retry: { on: 2, nonIdempotent: true } });
  const s = main.begin('POST', { body: 'ab', end: false });
  main.proxy.requestData(s, Buffer.from('cd'), 0, 2, false);
  t.is(copies.ups.length, 0);
  main.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(main.ups.length, 2);
  main.proxy.requestData(s, Buffer.from('xefx'), 1, 3, true);
  t.is(main.up.body, 'abcdef');
  t.is(copies.ups.length, 1);
  t.is(copies.up.body, 'abcdef');
  t.is(copies.up.headers['content-length'], '6');
  main.answer(s, 200);
  main.proxy.downstreamReset(copies.up.stream as Stream, Code.aborted);
  t.is(main.proxy.active, 0);
});

test('bytes that are borrowed are copied before they change', (t) => {
  const { main, copies } = mirrored();
  const s = main.begin('POST', { end: false });
  const shared = Buffer.from('first');
  main.proxy.requestData(s, shared, 0, 5, false);
  shared.fill('x');
  main.proxy.requestData(s, Buffer.from('!'), 0, 1, true);
  t.is(copies.up.body, 'first!');
});

test('a body over the bound drops the copy and is counted; the request goes on', (t) => {
  const pair = mirrored({ maxBodyBytes: 4 });
  const s = pair.main.begin('POST', { body: 'abc', end: false });
  pair.main.proxy.requestData(s, Buffer.from('de'), 0, 2, true);
  t.is(pair.copies.ups.length, 0);
  t.is(dropped(pair, 'body'), 1);
  t.is(pair.main.up.body, 'abcde');
});

test('copies under way are limited, and room comes back however they end', (t) => {
  const pair = mirrored({ maxOutstanding: 2 });
  const { main, copies } = pair;
  for (let i = 0; i < 3; i++) main.answer(main.begin(), 200);
  t.is(copies.ups.length, 2);
  t.is(dropped(pair, 'outstanding'), 1);
  main.proxy.upstreamReset(copies.ups[0]?.stream as Stream, Code.upstreamReset);
  t.is(dropped(pair, 'failed'), 1);
  const second = copies.ups[1]?.stream as Stream;
  main.answer(second, 200, 'a', false);
  main.proxy.responseTrailers(second, new HeadView());
  for (let i = 0; i < 3; i++) main.answer(main.begin(), 200);
  t.is(copies.ups.length, 4);
});

test('broadcast copies to every host, amplification copies several times', (t) => {
  const all = mirrored({ broadcast: true, amplification: 2 });
  all.main.begin();
  t.deepEqual(all.copies.upHosts.toSorted(), [
    ...['10.0.0.1:80', '10.0.0.1:80', '10.0.0.2:80', '10.0.0.2:80', '10.0.0.3:80', '10.0.0.3:80'],
  ]);
  t.is(activeHosts(all.copies), 6);
  const several = mirrored({ amplification: 5 });
  several.main.begin();
  t.is(several.copies.ups.length, 5);
});

test('a share of the requests is copied', (t) => {
  const { main, copies } = mirrored({ percent: 25, maxOutstanding: 1000 });
  for (let i = 0; i < 1000; i++) main.answer(main.begin(), 200);
  t.true(copies.ups.length > 200 && copies.ups.length < 300, String(copies.ups.length));
  const none = mirrored({ percent: 0 });
  none.main.begin();
  t.is(none.copies.ups.length, 0);
});

test('a mirror that cannot be reached, answers never or has no host changes nothing for the request', (t) => {
  const cases: [HarnessOptions, string][] = [
    [{ open: () => Code.connectFailure }, 'failed'],
    [{ hosts: [] }, 'failed'],
  ];
  for (const [options, reason] of cases) {
    const pair = mirrored({}, {}, options);
    const s = pair.main.begin();
    t.is(dropped(pair, reason), 1);
    pair.main.answer(s, 200, 'fine');
    t.is(pair.main.down.body, 'fine');
  }
  const slow = mirrored();
  const s = slow.main.begin();
  slow.main.answer(s, 200);
  t.is(slow.main.proxy.active, 1);
  slow.main.clock.advance(20_000);
  t.is(slow.main.proxy.active, 0);
  t.is(dropped(slow, 'failed'), 1);
  const gone = mirrored({ cluster: { name: 'shadow', current: null } });
  gone.main.begin();
  t.is(dropped(gone, 'host'), 1);
});

test('an answer that does not end is cut off, one whose upstream throws is logged', (t) => {
  const { main, copies } = mirrored();
  main.begin();
  const copy = copies.up.stream as Stream;
  main.answer(copy, 200, 'a', false);
  const chunk = Buffer.alloc(600_000);
  main.proxy.responseData(copy, chunk, 0, chunk.length, false);
  main.proxy.responseData(copy, chunk, 0, chunk.length, false);
  t.is(copies.up.events.at(-1), `reset ${Code.aborted}`);
  t.is(main.proxy.active, 1);
  const throwing = mirrored(
    {},
    {},
    {
      open: () => {
        throw new Error('broken');
      },
    },
  );
  const s = throwing.main.begin();
  throwing.main.answer(s, 200);
  t.is(throwing.main.down.status, 200);
});

test('upgrades are not copied', (t) => {
  const { main, copies } = mirrored();
  main.begin('GET', { upgrade: 'websocket' });
  t.is(copies.ups.length, 0);
});

test('a copied head has every field of the other and changes by itself', (t) => {
  const from = new HeadView();
  const wire = 'GET /a HTTP/1.1\r\nhost: b\r\n\r\n';
  from.buf = Buffer.from(wire);
  from.count = 1;
  from.fields = [17, 21, 23, 24];
  from.service = 'svc';
  from.status = 7;
  from.add('x-a', '1');
  const to = new HeadView();
  copyHead(from, to);
  for (const key of Object.keys(from)) {
    if (key === 'extra') continue;
    t.deepEqual(Reflect.get(to, key), Reflect.get(from, key), key);
  }
  to.set('x-a', '2');
  to.remove('host');
  t.deepEqual(from.toObject(), { host: 'b', 'x-a': '1' });
  t.deepEqual(to.toObject(), { 'x-a': '2' });
});
