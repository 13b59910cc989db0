import type { Limiter } from '../../core/contract/limiter.ts';

import { FakeClock } from '../fake-clock.ts';
import type { SuiteTest } from './suite-test.ts';

export interface LimiterSuiteOptions {
  /** What `create` was told to allow: so many at once, or so many per `perMs`. */
  readonly limit: number;
  readonly kind: 'rate' | 'concurrency';
  /** For rates: after this long with no calls, `limit` may pass again. */
  readonly perMs?: number;
}

/** What every limiter keeps. @param create a fresh one with `limit`, on that clock */
export function limiterContractSuite(
  test: SuiteTest,
  name: string,
  create: (clock: FakeClock) => Limiter,
  options: LimiterSuiteOptions,
): void {
  const take = (limiter: Limiter, count: number): number => {
    let passed = 0;
    for (let i = 0; i < count; i++) if (limiter.tryAcquire(null, 1)) passed++;
    return passed;
  };

  test(`${name}: exactly the limit passes, the rest is refused by value`, (t) => {
    t.is(take(create(new FakeClock()), options.limit * 3), options.limit);
  });

  test(`${name}: a refusal says when to come back, or 0 for unknown`, (t) => {
    const limiter = create(new FakeClock());
    take(limiter, options.limit + 1);
    const retryAfterMs = limiter.retryAfterMs();
    t.true(Number.isFinite(retryAfterMs) && retryAfterMs >= 0);
  });

  test(`${name}: more tokens than the limit never pass`, (t) => {
    t.false(create(new FakeClock()).tryAcquire(null, options.limit + 1));
  });

  if (options.kind === 'concurrency') {
    test(`${name}: a release makes room for exactly one`, (t) => {
      const limiter = create(new FakeClock());
      take(limiter, options.limit);
      limiter.release(null);
      t.is(take(limiter, 3), 1);
    });
    return;
  }

  test(`${name}: after the period the limit passes again, not more`, (t) => {
    const clock = new FakeClock();
    const limiter = create(clock);
    take(limiter, options.limit * 2);
    clock.advance((options.perMs ?? 1000) * 5);
    t.is(take(limiter, options.limit * 3), options.limit);
  });

  test(`${name}: a release gives nothing back`, (t) => {
    const limiter = create(new FakeClock());
    take(limiter, options.limit);
    limiter.release(null);
    t.is(take(limiter, 3), 0);
  });
}
