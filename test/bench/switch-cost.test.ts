import test from 'ava';
import { lossOf, type Slice } from '../../bench/cases/switch-cost.ts';

const slices = (...times: readonly number[]): Slice[] =>
  times.map((usPerRequest) => ({ usPerRequest, p99Us: 0 }));

test('a loss is what on costs over the mean of off, before and after', (t) => {
  const loss = lossOf([{ off: slices(100, 104), on: slices(103.02, 103.02) }]);
  t.is(loss?.percent.toFixed(6), '1.000000');
});

test('a machine that slows down steadily costs nothing', (t) => {
  const loss = lossOf([{ off: slices(100, 101, 106, 107), on: slices(102, 103, 104, 105) }]);
  t.true(Math.abs(loss?.percent ?? 1) < 1e-9);
});

test('more cycles make the error smaller, and a single second has none', (t) => {
  const cycle = { off: slices(100, 102, 98, 100), on: slices(100, 103, 97, 100) };
  const one = lossOf([cycle])?.plusMinus ?? 0;
  t.true(one > 0.5 && one < 3, String(one));
  t.is(((lossOf([cycle, cycle, cycle, cycle])?.plusMinus ?? 0) * 2).toFixed(6), one.toFixed(6));
  t.is(lossOf([{ off: slices(100), on: slices(100) }])?.plusMinus, null);
  t.is(lossOf([]), null);
});
