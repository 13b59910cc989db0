import test from 'ava';
import { Backoff } from '../../../src/core/base/backoff.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';

test('waits double up to the longest, jittered over their upper half', (t) => {
  const lowest = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ];
  const highest = [0, 0, 0, 0];
  for (let seed = 0; seed < 500; seed++) {
    const backoff = new Backoff({ baseMs: 100, maxMs: 400 }, new SeededRandom(seed));
    for (let i = 0; i < 4; i++) {
      const waitMs = backoff.nextMs();
      lowest[i] = Math.min(lowest[i] as number, waitMs);
      highest[i] = Math.max(highest[i] as number, waitMs);
    }
  }
  for (const [i, nominal] of [100, 200, 400, 400].entries()) {
    t.true((lowest[i] as number) >= nominal / 2 && (lowest[i] as number) < nominal * 0.52);
    t.true((highest[i] as number) <= nominal && (highest[i] as number) > nominal * 0.98);
  }
});

test('a reset begins anew, and thousands of failures do not overflow', (t) => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 30_000 }, new SeededRandom(1));
  for (let i = 0; i < 5000; i++) t.true(backoff.nextMs() <= 30_000 || t.fail());
  t.is(backoff.failures, 5000);
  backoff.reset();
  t.true(backoff.nextMs() <= 100);
});
