import test from 'ava';
import fc from 'fast-check';
import { ConcurrencyLimit, concurrency } from '../../../src/core/limit/concurrency.ts';
import { SlidingWindow, slidingWindow } from '../../../src/core/limit/sliding-window.ts';
import { localTokenBucket, TokenBucket } from '../../../src/core/limit/token-bucket.ts';
import { limiterContractSuite } from '../../../src/testing/suites/limiter-contract-suite.ts';
import { ManualClock } from '../cluster/support.ts';

const issuesOf = (
  definition: { config: typeof localTokenBucket.config },
  value: unknown,
): readonly unknown[] => {
  const result = definition.config['~standard'].validate(value);
  if (result instanceof Promise) throw new Error('asynchronous schema');
  return result.issues ?? [];
};

limiterContractSuite(
  test,
  'localTokenBucket',
  (clock) => new TokenBucket({ maxTokens: 5, tokensPerFill: 5, fillIntervalMs: 1000 }, clock),
  { kind: 'rate', limit: 5, perMs: 1000 },
);
limiterContractSuite(
  test,
  'slidingWindow',
  (clock) => new SlidingWindow({ limit: 5, windowMs: 1000, buckets: 10 }, clock),
  { kind: 'rate', limit: 5, perMs: 1000 },
);
limiterContractSuite(test, 'concurrency', () => new ConcurrencyLimit(5), { kind: 'concurrency', limit: 5 });

test('a bucket gives its burst, then what each fill brings', (t) => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ maxTokens: 3, tokensPerFill: 2, fillIntervalMs: 100 }, clock);
  t.deepEqual(
    [1, 2, 3, 4].map(() => bucket.tryAcquire(null, 1)),
    [true, true, true, false],
  );
  t.is(bucket.retryAfterMs(), 100);
  t.is(bucket.resetAfterMs(), 200);
  clock.advance(99);
  t.false(bucket.tryAcquire(null, 1));
  clock.advance(1);
  t.deepEqual(
    [1, 2, 3].map(() => bucket.tryAcquire(null, 1)),
    [true, true, false],
  );
  clock.advance(10_000);
  t.is(bucket.remaining, 3);
  t.is(bucket.retryAfterMs(), 0);
});

test('asking late loses no part of a fill', (t) => {
  const clock = new ManualClock();
  const bucket = new TokenBucket({ maxTokens: 10, tokensPerFill: 1, fillIntervalMs: 100 }, clock);
  for (let i = 0; i < 10; i++) bucket.tryAcquire(null, 1);
  clock.advance(150);
  t.true(bucket.tryAcquire(null, 1));
  clock.advance(50);
  t.true(bucket.tryAcquire(null, 1));
});

test('a request larger than the bucket never passes and takes nothing', (t) => {
  const bucket = new TokenBucket({ maxTokens: 3, tokensPerFill: 1, fillIntervalMs: 50 }, new ManualClock());
  t.false(bucket.tryAcquire(null, 4));
  t.true(bucket.tryAcquire(null, 3));
});

test('a bucket never lets through more than its burst and its fills', (t) => {
  const waits = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(
      waits,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, maxTokens, perFill) => {
        const clock = new ManualClock();
        const bucket = new TokenBucket({ maxTokens, tokensPerFill: perFill, fillIntervalMs: 100 }, clock);
        const startMs = clock.now();
        let passed = 0;
        for (const wait of steps) {
          clock.advance(wait);
          while (bucket.tryAcquire(null, 1)) passed++;
        }
        return passed <= maxTokens + Math.floor((clock.now() - startMs) / 100) * perFill;
      },
    ),
    { seed: 5, numRuns: 200 },
  );
  t.pass();
});

test('concurrency: exact, never negative', (t) => {
  const limit = new ConcurrencyLimit(2);
  t.deepEqual(
    [1, 2, 3].map(() => limit.tryAcquire(null, 1)),
    [true, true, false],
  );
  limit.release();
  t.true(limit.tryAcquire(null, 1));
  for (let i = 0; i < 5; i++) limit.release();
  t.is(limit.active, 0);
  t.deepEqual(
    [1, 2, 3].map(() => limit.tryAcquire(null, 1)),
    [true, true, false],
  );
});

test('a sliding window never holds more than its limit, at whatever moment one looks', (t) => {
  const waits = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(waits, fc.integer({ min: 1, max: 20 }), (steps, limit) => {
      const clock = new ManualClock();
      const window = new SlidingWindow({ limit, windowMs: 1000, buckets: 10 }, clock);
      const passed: number[] = [];
      for (const wait of steps) {
        clock.advance(wait);
        if (window.tryAcquire(null, 1)) passed.push(clock.now());
        // The oldest bucket leaves as a whole, so any span of 900 ms is exact.
        const recent = passed.filter((at) => at > clock.now() - 900).length;
        if (recent > limit) return false;
      }
      return true;
    }),
    { seed: 7, numRuns: 200 },
  );
  t.pass();
});

test('a sliding window says when to come back, and is right', (t) => {
  const clock = new ManualClock();
  const window = new SlidingWindow({ limit: 5, windowMs: 1000, buckets: 10 }, clock);
  for (let i = 0; i < 5; i++) {
    t.true(window.tryAcquire(null, 1));
    clock.advance(130);
  }
  t.false(window.tryAcquire(null, 1));
  const waitMs = window.retryAfterMs();
  t.true(waitMs > 0 && waitMs <= 1000);
  clock.advance(waitMs - 1);
  t.false(window.tryAcquire(null, 1));
  clock.advance(1);
  t.true(window.tryAcquire(null, 1));
});

test('limiter configurations are checked', (t) => {
  t.is(issuesOf(localTokenBucket as never, { maxTokens: 10, fillIntervalMs: 1000 }).length, 0);
  t.is(issuesOf(localTokenBucket as never, { maxTokens: 0, fillIntervalMs: 10, burst: 1 }).length, 3);
  t.is(issuesOf(concurrency as never, { maxConcurrent: 1.5 }).length, 1);
  t.is(issuesOf(slidingWindow as never, { limit: -1, windowMs: 1 }).length, 2);
});
