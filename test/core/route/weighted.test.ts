import test from 'ava';
import { SeededRandom } from '../../../src/core/base/random.ts';
import { createWeightedPick } from '../../../src/core/route/weighted.ts';

const draws = 1_000_000;

function share(weights: readonly number[], seed: number): number[] {
  const targets = weights.map((_, index) => ({
    cluster: { name: String(index), current: null },
    requestHeaders: null,
    responseHeaders: null,
  }));
  const pick = createWeightedPick(targets, weights, new SeededRandom(seed));
  const counts = new Uint32Array(weights.length);
  for (let i = 0; i < draws; i++) {
    const index = Number(pick().cluster.name);
    counts[index] = (counts[index] as number) + 1;
  }
  return [...counts];
}

test('over a million draws each cluster gets its share exactly, by chi-square, whatever the order of weights', (t) => {
  // 99.9 % quantiles of chi-square by degrees of freedom.
  const critical: Record<number, number> = { 1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47 };
  const cases = [
    [1, 99],
    [99, 1],
    [1, 1, 1],
    [0, 1, 0, 99, 0],
    [10, 20, 30, 40],
    [1, 999_999],
    [5, 4, 3, 2, 1],
  ];
  for (const weights of cases) {
    const sum = weights.reduce((a, b) => a + b, 0);
    const counts = share(weights, 42);
    let chiSquare = 0;
    weights.forEach((weight, index) => {
      const expected = (draws * weight) / sum;
      if (weight === 0) t.is(counts[index], 0, 'weight 0 gets nothing');
      else chiSquare += ((counts[index] as number) - expected) ** 2 / expected;
    });
    const freedom = weights.filter((weight) => weight > 0).length - 1;
    t.true(chiSquare < (critical[freedom] as number), `${weights.join(':')} chi-square ${chiSquare}`);
  }
});

test('a single weight takes everything', (t) => {
  t.deepEqual(share([0, 7], 1), [0, draws]);
});
