import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import { RetryOn } from '../../../src/core/contract/route.ts';
import { backoffMs } from '../../../src/core/stream/retry.ts';
import { Harness } from './harness.ts';

test('without a policy a failed connect is answered with 503', (t) => {
  const h = new Harness({ open: () => Code.connectFailure });
  h.begin();
  t.is(h.ups.length, 1);
  t.is(h.down.status, 503);
  t.is(h.down.headers['x-heddle-error'], 'connect_failure');
});

for (const numRetries of [0, 1, 2, 5]) {
  test(`numRetries ${numRetries} means exactly ${numRetries + 1} tries`, (t) => {
    const h = new Harness({ retry: { numRetries }, open: () => Code.connectFailure, cluster: noEjection });
    h.begin();
    t.is(h.ups.length, numRetries + 1);
    t.is(h.down.status, 503);
    t.is(h.logged[0]?.tries, numRetries + 1);
  });
}

const noEjection = {
  outlierDetection: { consecutiveErrors: 0, baseEjectionMs: 1, maxEjectionMs: 1, maxEjectionPercent: 0 },
};

test('a retry goes to a host that was not tried', (t) => {
  const h = new Harness({ retry: { numRetries: 2 }, open: (n) => (n < 3 ? Code.connectFailure : 'end') });
  h.begin();
  t.is(new Set(h.upHosts).size, 3);
});

test('a retry sends the same head and the same body again', (t) => {
  const h = new Harness({ retry: { nonIdempotent: true } });
  const s = h.begin('POST', { body: 'abc', end: false });
  h.proxy.requestData(s, Buffer.from('def'), 0, 3, true);
  t.is(h.up.body, 'abcdef');
  h.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(h.ups.length, 2);
  t.is(h.up.body, 'abcdef');
  t.true(h.up.isEnded);
  h.answer(s, 200);
  t.is(h.down.status, 200);
});

test('a body beyond retryBufferBytes is not retried, and that is counted', (t) => {
  const h = new Harness({ retry: { nonIdempotent: true, retryBufferBytes: 4 } });
  const s = h.begin('POST', { body: 'abc', end: false });
  h.proxy.requestData(s, Buffer.from('def'), 0, 3, true);
  h.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(h.ups.length, 1);
  t.is(h.down.status, 502);
  t.is(h.metrics.values[h.cluster.slots.retryBodyTooLarge], 1);
});

test('a POST that may have been processed is not repeated, one that cannot have been is', (t) => {
  const processed = new Harness({ retry: {} });
  const s = processed.begin('POST', { body: 'x' });
  processed.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(processed.ups.length, 1);
  t.is(processed.down.status, 502);
  const unprocessed = new Harness({ retry: {}, open: (n) => (n === 1 ? Code.connectFailure : 'end') });
  unprocessed.begin('POST', { body: 'x' });
  t.is(unprocessed.ups.length, 2);
});

test('a stale pooled connection is tried once more without any policy, on a fresh try only when it is safe', (t) => {
  const get = new Harness({ reused: true });
  const s = get.begin();
  get.proxy.upstreamReset(s, Code.upstreamClosed);
  t.is(get.ups.length, 2);
  get.proxy.upstreamReset(s, Code.upstreamClosed);
  t.is(get.ups.length, 2);
  t.is(get.down.status, 502);
  const post = new Harness({ reused: true });
  post.proxy.upstreamReset(post.begin('POST', { body: 'x' }), Code.upstreamClosed);
  t.is(post.ups.length, 1);
});

test('nothing is retried once an answer has begun downstream', (t) => {
  const h = new Harness({ retry: { numRetries: 3 } });
  const s = h.begin();
  h.answer(s, 200, 'a', false);
  h.proxy.upstreamReset(s, Code.upstreamReset);
  t.is(h.ups.length, 1);
  t.is(h.down.events.at(-1), `reset ${Code.upstreamReset}`);
});

test('a retriable status is dropped and the next answer is the one that counts', (t) => {
  const h = new Harness({ retry: {} });
  const s = h.begin();
  h.answer(s, 503, 'busy', false);
  t.is(h.ups[0]?.events.at(-1), `reset ${Code.locallyClosed}`);
  h.answer(s, 200, 'fine');
  t.is(h.down.status, 200);
  t.is(h.down.body, 'fine');
  t.is(h.logged[0]?.tries, 2);
});

test('after the last retry the answer passes as it is', (t) => {
  const h = new Harness({ retry: {} });
  const s = h.begin();
  h.answer(s, 503);
  h.answer(s, 503, 'still busy');
  t.is(h.down.status, 503);
  t.is(h.down.body, 'still busy');
});

test('only the listed conditions are retried', (t) => {
  const h = new Harness({ retry: { on: RetryOn.statusCodes, statusCodes: new Set([429]) } });
  const s = h.begin();
  h.answer(s, 429);
  t.is(h.ups.length, 2);
  h.answer(s, 500, 'x');
  t.is(h.down.status, 500);
});

test('a per-try timeout moves on to another try within the route timeout', (t) => {
  const h = new Harness({ retry: { perTryTimeoutMs: 50 }, route: { timeoutMs: 1000 } });
  const s = h.begin();
  h.clock.advance(80);
  t.is(h.ups[0]?.events.at(-1), `reset ${Code.perTryTimeout}`);
  t.is(h.ups.length, 2);
  h.answer(s, 200);
  t.is(h.down.status, 200);
});

test('the last per-try timeout answers 504', (t) => {
  const h = new Harness({ retry: { perTryTimeoutMs: 50, numRetries: 1 }, route: { timeoutMs: 1000 } });
  h.begin();
  h.clock.advance(200);
  t.is(h.ups.length, 2);
  t.is(h.down.status, 504);
  t.is(h.down.headers['x-heddle-error'], 'per_try_timeout');
});

test('a back-off waits on the clock and the route timeout still counts', (t) => {
  const slow = { backoffBaseMs: 400, backoffMaxMs: 10_000, numRetries: 5 };
  const h = new Harness({
    retry: slow,
    open: () => Code.connectFailure,
    cluster: noEjection,
    route: { timeoutMs: 300 },
  });
  h.begin();
  t.is(h.ups.length, 1);
  h.clock.advance(400);
  t.is(h.down.status, 504);
});

test('retries stop at the cluster threshold and the overflow is counted', (t) => {
  const breakers = { maxConnections: 0, maxPending: 0, maxRequests: 0, maxRetries: 1 };
  const h = new Harness({
    retry: { backoffBaseMs: 1e6, backoffMaxMs: 1e6 },
    cluster: { circuitBreakers: breakers },
  });
  const first = h.begin();
  h.proxy.upstreamReset(first, Code.upstreamReset);
  const second = h.begin();
  h.proxy.upstreamReset(second, Code.upstreamReset);
  t.is(h.down.status, 502);
  t.is(h.metrics.values[h.cluster.slots.retryOverflow], 1);
});

test('a permit that a retry took is given back', (t) => {
  const breakers = { maxConnections: 0, maxPending: 0, maxRequests: 0, maxRetries: 1 };
  const h = new Harness({ retry: {}, cluster: { circuitBreakers: breakers } });
  for (let i = 0; i < 5; i++) {
    const s = h.begin();
    h.proxy.upstreamReset(s, Code.upstreamReset);
    h.answer(s, 200);
  }
  t.is(h.metrics.values[h.cluster.slots.retryOverflow], 0);
  t.is(h.ups.length, 10);
});

test('back-off is uniform below (2^n - 1) times the base and never above the maximum', (t) => {
  const policy = {
    ...new Harness({ retry: {} }).pipeline.router.match({ req: { path: '/' } } as never)?.retry,
  };
  const random = new SeededRandom(3);
  for (let retry = 1; retry <= 6; retry++) {
    const ceiling = Math.min((2 ** retry - 1) * 25, 250);
    const draws = Array.from({ length: 2000 }, () =>
      backoffMs(
        { ...(policy as never as object), backoffBaseMs: 25, backoffMaxMs: 250 } as never,
        retry,
        random,
      ),
    );
    t.true(Math.max(...draws) <= ceiling);
    const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length;
    t.true(Math.abs(mean - ceiling / 2) < ceiling * 0.05, `mean ${mean} of ${ceiling}`);
  }
});
