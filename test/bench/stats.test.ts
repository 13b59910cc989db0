import test from 'ava';
import { counted, median, pairedRatio, quantile, rounded, smallest } from '../../bench/harness/stats.ts';

test('the median of an even count is the mean of the two middle values', (t) => {
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([5, 1, 3]), 3);
});

test('an empty list has no median, no quantile and no minimum', (t) => {
  t.is(median([]), null);
  t.is(quantile([], 0.99), null);
  t.is(smallest([]), null);
});

test('a quantile lies between its two neighbours', (t) => {
  t.is(quantile([0, 10], 0.25), 2.5);
  t.is(quantile([1, 2, 3], 1), 3);
});

test('a paired ratio uses only the rounds that count for both sides', (t) => {
  t.is(pairedRatio([20, null, 30, 90], [10, 10, null, 30]), 2.5);
  t.is(pairedRatio([null], [1]), null);
  t.is(pairedRatio([1, 2], [1]), 1);
});

test('a machine that is slow in one round does not change the paired ratio', (t) => {
  t.is(pairedRatio([10, 100, 10], [5, 50, 5]), 2);
});

test('rounding keeps significant digits and turns what is no number into null', (t) => {
  t.is(rounded(1234.567, 3), 1230);
  t.is(rounded(0.000123456, 2), 0.00012);
  t.is(rounded(Number.NaN), null);
  t.is(rounded(null), null);
});

test('void rounds are left out of a count', (t) => {
  t.deepEqual(counted([1, null, 0]), [1, 0]);
});
