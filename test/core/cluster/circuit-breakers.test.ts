import test from 'ava';
import fc from 'fast-check';
import { CircuitBreakers } from '../../../src/core/cluster/circuit-breakers.ts';
import { defaultCircuitBreakers } from '../../../src/core/cluster/settings.ts';

const make = (
  given: Partial<typeof defaultCircuitBreakers> = {},
): { breakers: CircuitBreakers; overflows: string[]; bugs: string[] } => {
  const overflows: string[] = [];
  const bugs: string[] = [];
  const breakers = new CircuitBreakers(
    { ...defaultCircuitBreakers, ...given },
    { onOverflow: (kind) => overflows.push(kind), onBug: (kind) => bugs.push(kind) },
  );
  return { breakers, overflows, bugs };
};

const kinds = [
  ['connections', 'maxConnections', 'tryConnection', 'releaseConnection'],
  ['pending', 'maxPending', 'tryPending', 'releasePending'],
  ['requests', 'maxRequests', 'tryRequest', 'releaseRequest'],
  ['retries', 'maxRetries', 'tryRetry', 'releaseRetry'],
] as const;

for (const [count, limit, take, release] of kinds) {
  test(`${limit}: so many at once, 0 is unlimited, a release too many is reported and counts nothing`, (t) => {
    const { breakers, overflows, bugs } = make({ [limit]: 2 });
    t.deepEqual([breakers[take](), breakers[take](), breakers[take]()], [true, true, false]);
    t.deepEqual(overflows, [count]);
    breakers[release]();
    t.true(breakers[take]());
    for (let i = 0; i < 4; i++) breakers[release]();
    t.is(breakers[count], 0);
    t.deepEqual(bugs, [count, count]);
    t.deepEqual([breakers[take](), breakers[take](), breakers[take]()], [true, true, false]);

    const unlimited = make({ [limit]: 0 }).breakers;
    for (let i = 0; i < 5000; i++) t.true(unlimited[take]() || t.fail());
    t.is(unlimited[count], 5000);
  });
}

test('a retry budget is a share of what is in progress, at least minConcurrent, and replaces maxRetries', (t) => {
  const { breakers } = make({ maxRequests: 0, maxRetries: 1, retryBudget: { ratio: 0.2, minConcurrent: 3 } });
  const room = (): number => {
    let taken = 0;
    while (taken < 1000 && breakers.tryRetry()) taken++;
    for (let i = 0; i < taken; i++) breakers.releaseRetry();
    return taken;
  };
  t.is(room(), 3);
  for (let i = 0; i < 100; i++) breakers.tryRequest();
  t.is(room(), 20);
  for (let i = 0; i < 4; i++) breakers.tryRequest();
  t.is(room(), 20);
  breakers.tryRequest();
  t.is(room(), 21);
});

test('a budget of nothing allows no retry', (t) => {
  const { breakers } = make({ retryBudget: { ratio: 0, minConcurrent: 0 } });
  for (let i = 0; i < 50; i++) breakers.tryRequest();
  t.false(breakers.tryRetry());
});

test('counts equal what was taken less what was given back, in any order and over new thresholds', (t) => {
  const steps = fc.array(
    fc.record({
      kind: fc.integer({ min: 0, max: 3 }),
      take: fc.boolean(),
      limit: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 300 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const { breakers, bugs } = make();
      const held = [0, 0, 0, 0];
      for (const step of all) {
        const [count, limit, take, release] = kinds[step.kind] as (typeof kinds)[number];
        const before = held[step.kind] as number;
        if (step.take) {
          breakers.settings = { ...breakers.settings, [limit]: step.limit };
          const allowed = step.limit === 0 || before < step.limit;
          if (breakers[take]() !== allowed) return false;
          held[step.kind] = before + (allowed ? 1 : 0);
        } else if (before > 0) {
          breakers[release]();
          held[step.kind] = before - 1;
        }
        if (breakers[count] !== held[step.kind]) return false;
      }
      return bugs.length === 0;
    }),
    { seed: 17, numRuns: 300 },
  );
  t.pass();
});
