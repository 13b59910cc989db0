import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import type { HedgePolicy } from '../../../src/core/contract/route.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { makeRoute } from '../../../src/core/route/make-route.ts';
import { activeHosts, Harness, type HarnessOptions } from './harness.ts';

function hedging(policy: Partial<HedgePolicy> = {}, options: HarnessOptions = {}): Harness {
  const action = { kind: 'forward', cluster: { name: 'c', current: null } } as const;
  const route = makeRoute({ name: 'hedge', virtualHost: 'v', action, timeoutMs: 0 });
  const hedge: HedgePolicy = { route, delayMs: 50, maxHedges: 1, ...policy };
  return new Harness({ ...options, route: { hedge, timeoutMs: 10_000, ...options.route } });
}

/** The stream of the n-th try that was opened. */
const tryOf = (h: Harness, index: number): Stream => h.ups[index]?.stream as Stream;
const hedges = (h: Harness): number => h.value('heddle_cluster_hedges_total', { cluster: 'c' });
const wins = (h: Harness): number => h.value('heddle_cluster_hedge_wins_total', { cluster: 'c' });

function isAtRest(h: Harness): boolean {
  return h.proxy.active === 0 && activeHosts(h) === 0 && h.cluster.breakers.retries === 0;
}

test('after the delay another host is asked, and the first good answer wins', (t) => {
  const h = hedging();
  h.begin('PUT', { body: 'hello', path: '/a', headers: { 'content-length': '5' } });
  h.clock.advance(40);
  t.is(h.ups.length, 1);
  h.clock.advance(30);
  t.is(h.ups.length, 2);
  t.not(h.upHosts[0], h.upHosts[1]);
  t.is(h.ups[1]?.body, 'hello');
  t.is(h.ups[1]?.path, '/a');
  h.answer(tryOf(h, 1), 200, 'second');
  t.is(h.down.status, 200);
  t.is(h.down.body, 'second');
  t.is(h.ups[0]?.events.at(-1), `reset ${Code.locallyClosed}`);
  t.is(hedges(h), 1);
  t.is(wins(h), 1);
  t.deepEqual(
    h.logged.map(({ status, code }) => [status, code]),
    [[200, 0]],
  );
  t.true(isAtRest(h));
  t.is(h.value('heddle_cluster_responses_total', { cluster: 'c', status: '2xx' }), 1);
});

test('the own answer resets the hedge', (t) => {
  const h = hedging();
  const s = h.begin();
  h.clock.advance(60);
  h.answer(s, 200, 'first');
  t.is(h.down.body, 'first');
  t.is(h.ups[1]?.events.at(-1), `reset ${Code.locallyClosed}`);
  t.is(wins(h), 0);
  t.true(isAtRest(h));
});

test('a quick answer needs no hedge, and nothing stays armed', (t) => {
  const h = hedging();
  h.answer(h.begin(), 200);
  h.clock.advance(1000);
  t.is(h.ups.length, 1);
  t.is(h.proxy.context.wheel.armed, 0);
});

test('a bad answer waits for the others; the last one counts whatever it is', (t) => {
  const own = hedging();
  const s = own.begin();
  own.clock.advance(60);
  own.answer(s, 503, 'busy', false);
  t.is(own.ups[0]?.events.at(-1), `reset ${Code.locallyClosed}`);
  t.deepEqual(own.down.events, []);
  own.answer(tryOf(own, 1), 200, 'fine');
  t.is(own.down.body, 'fine');
  t.true(isAtRest(own));
  const both = hedging();
  const other = both.begin();
  both.clock.advance(60);
  both.answer(tryOf(both, 1), 503, 'busy');
  t.deepEqual(both.down.events, []);
  both.answer(other, 500, 'too');
  t.is(both.down.body, 'too');
  t.true(isAtRest(both));
  const last = hedging();
  const third = last.begin();
  last.clock.advance(60);
  last.answer(third, 500);
  last.answer(tryOf(last, 1), 502, 'last');
  t.is(last.down.status, 502);
  t.is(last.down.body, 'last');
  t.true(isAtRest(last));
});

test('a failure waits for the others; when all have failed the retry policy decides', (t) => {
  const h = hedging();
  const s = h.begin();
  h.clock.advance(60);
  h.proxy.upstreamReset(s, Code.upstreamReset);
  t.deepEqual(h.down.events, []);
  h.answer(tryOf(h, 1), 200, 'fine');
  t.is(h.down.body, 'fine');
  t.true(isAtRest(h));
  const failed = hedging();
  const first = failed.begin();
  failed.clock.advance(60);
  failed.proxy.upstreamReset(tryOf(failed, 1), Code.upstreamReset);
  t.deepEqual(failed.down.events, []);
  failed.proxy.upstreamReset(first, Code.upstreamReset);
  t.is(failed.down.status, 502);
  t.true(isAtRest(failed));
  const retried = hedging({}, { retry: { numRetries: 1 } });
  const again = retried.begin();
  retried.clock.advance(60);
  retried.proxy.upstreamReset(again, Code.upstreamReset);
  retried.proxy.upstreamReset(tryOf(retried, 1), Code.upstreamReset);
  t.is(retried.ups.length, 3);
  t.is(new Set(retried.upHosts).size, 3);
  retried.answer(again, 200, 'third');
  t.is(retried.down.body, 'third');
  t.true(isAtRest(retried));
});

test('several hedges start one after the other, within the retry limit of the cluster', (t) => {
  const h = hedging({ maxHedges: 3 });
  h.begin();
  h.clock.advance(60);
  h.clock.advance(60);
  h.clock.advance(60);
  h.clock.advance(60);
  t.is(h.ups.length, 4);
  h.answer(tryOf(h, 2), 200, 'x');
  t.is(h.down.body, 'x');
  for (const at of [0, 1, 3]) t.is(h.ups[at]?.events.at(-1), `reset ${Code.locallyClosed}`);
  t.true(isAtRest(h));
  const limits = { maxConnections: 0, maxPending: 0, maxRequests: 0, maxRetries: 1 };
  const limited = hedging({ maxHedges: 3 }, { cluster: { circuitBreakers: limits } });
  const s = limited.begin();
  limited.clock.advance(60);
  limited.clock.advance(60);
  t.is(limited.ups.length, 2);
  t.true(limited.value('heddle_cluster_retry_overflow_total', { cluster: 'c' }) > 0);
  limited.answer(s, 200);
  t.true(isAtRest(limited));
});

test('a per-try limit lets the try go on and another join it', (t) => {
  const h = hedging({ delayMs: 0 }, { retry: { perTryTimeoutMs: 50, numRetries: 0 } });
  const s = h.begin();
  h.clock.advance(80);
  t.is(h.ups.length, 2);
  t.deepEqual(h.ups[0]?.events, ['head end']);
  h.clock.advance(200);
  t.is(h.ups.length, 2);
  h.answer(s, 200, 'slow');
  t.is(h.down.body, 'slow');
  t.true(isAtRest(h));
});

test('what must not be repeated is not hedged', (t) => {
  const post = hedging();
  post.begin('POST', { body: 'x' });
  const upgrade = hedging();
  upgrade.begin('GET', { upgrade: 'websocket' });
  const open = hedging();
  open.begin('PUT', { body: 'x', end: false });
  const large = hedging({}, { retry: { retryBufferBytes: 2 } });
  const s = large.begin('PUT', { body: 'abc', end: false });
  large.proxy.requestData(s, Buffer.from('d'), 0, 1, true);
  const begun = hedging();
  begun.answer(begun.begin(), 200, 'a', false);
  for (const h of [post, upgrade, open, large, begun]) {
    h.clock.advance(500);
    t.is(h.ups.length, 1);
  }
});

test('the answer of a hedge streams with trailers and back-pressure, and breaks off as any other', (t) => {
  const h = hedging();
  h.begin();
  h.clock.advance(60);
  const inner = tryOf(h, 1);
  h.answer(inner, 200, 'a', false);
  h.down.isFull = true;
  h.proxy.responseData(inner, Buffer.from('b'), 0, 1, false);
  t.is(h.ups[1]?.events.at(-1), 'pauseRead');
  h.down.isFull = false;
  h.proxy.writable(h.stream as Stream, h.down);
  t.is(h.ups[1]?.events.at(-1), 'resumeRead');
  const trailers = new HeadView();
  trailers.add('x-t', '1');
  h.proxy.responseTrailers(inner, trailers);
  t.is(h.down.body, 'ab');
  t.is(h.down.events.at(-1), 'trailers {"x-t":"1"} end');
  t.true(isAtRest(h));
  const broken = hedging();
  broken.begin();
  broken.clock.advance(60);
  broken.answer(tryOf(broken, 1), 200, 'a', false);
  broken.proxy.upstreamReset(tryOf(broken, 1), Code.upstreamReset);
  t.is(broken.down.events.at(-1), `reset ${Code.upstreamReset}`);
  t.true(isAtRest(broken));
});

test('a client that goes away, and the limit of the route, end all tries', (t) => {
  const gone = hedging();
  const s = gone.begin();
  gone.clock.advance(60);
  gone.proxy.downstreamReset(s, Code.downstreamClosed);
  for (const up of gone.ups) t.regex(up.events.at(-1) ?? '', /^reset/);
  t.true(isAtRest(gone));
  const won = hedging();
  const second = won.begin();
  won.clock.advance(60);
  won.answer(tryOf(won, 1), 200, 'a', false);
  won.proxy.downstreamReset(second, Code.downstreamClosed);
  t.is(won.ups[1]?.events.at(-1), `reset ${Code.downstreamClosed}`);
  t.true(isAtRest(won));
  const late = hedging({}, { route: { timeoutMs: 100 } });
  late.begin();
  late.clock.advance(200);
  t.is(late.down.status, 504);
  t.true(isAtRest(late));
});

test('a hedge that cannot be sent, at once or ever, leaves the own try alone', (t) => {
  const h = hedging({}, { open: (n) => (n === 2 ? Code.connectFailure : 'end') });
  const s = h.begin();
  h.clock.advance(60);
  t.is(h.ups.length, 2);
  h.answer(s, 200, 'own');
  t.is(h.down.body, 'own');
  t.true(isAtRest(h));
  const waiting = hedging({}, { open: () => 'wait' });
  waiting.begin();
  waiting.clock.advance(60);
  t.is(waiting.waiters.length, 2);
  const end = waiting.ups[1] as NonNullable<(typeof waiting.ups)[number]>;
  waiting.proxy.upstreamReady(waiting.waiters[1] as Stream, end);
  waiting.answer(waiting.waiters[1] as Stream, 200, 'hedge');
  t.is(waiting.down.body, 'hedge');
  t.is(waiting.cancelled.length, 1);
  t.true(isAtRest(waiting));
});
