import test from 'ava';
import { lossOf, type Slice } from '../../bench/cases/switch-cost.ts';

const slices = (...times: readonly number[]): Slice[] =>
  times.map((usPerRequest) => ({ usPerRequest, p99Us: 0 }));

test('a loss is what on costs over off', (t) => {
  const loss = lossOf([{ off: slices(100, 102, 104, 140), on: slices(102.01, 102.01, 103, 150) }]);
  t.is(loss?.percent.toFixed(6), '1.000000');
  t.is(loss?.plusMinus, null, 'one cycle says nothing of its error');
  t.is(lossOf([]), null);
});

test('seconds in which the machine was slow count for neither', (t) => {
  const calm = { off: slices(100, 100, 101, 101), on: slices(101, 101, 102, 102) };
  const slowOn = { off: slices(100, 100, 101, 101), on: slices(101, 160, 170, 101) };
  t.is(lossOf([slowOn])?.percent.toFixed(6), lossOf([calm])?.percent.toFixed(6));
});

test('the error is that of the mean of all cycles', (t) => {
  const cycle = (on: number) => ({ off: slices(100, 100), on: slices(on, on) });
  const loss = lossOf([cycle(101), cycle(103)]);
  t.is(loss?.percent.toFixed(6), '2.000000');
  t.is(loss?.plusMinus?.toFixed(6), '1.000000');
  t.is(lossOf([cycle(101), cycle(101), cycle(101)])?.plusMinus, 0);
});
