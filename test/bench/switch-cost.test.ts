import test from 'ava';
import { lossOf, type Slice, type SwitchCycle } from '../../bench/cases/switch-cost.ts';
import { SeededRandom } from '../../src/core/base/random.ts';

const slice = (usPerRequest: number, loaderUs = 9): Slice => ({ usPerRequest, loaderUs, p99Us: 0 });
const slices = (...times: readonly number[]): Slice[] => times.map((us) => slice(us));

test('a loss is what on costs over off', (t) => {
  const loss = lossOf([{ off: slices(100, 100, 100, 100), on: slices(101, 101, 101, 101) }]);
  t.is(loss?.percent.toFixed(6), '1.000000');
  t.is(lossOf([]), null);
  t.is(lossOf([{ off: slices(100), on: slices(101) }]), null, 'two numbers have no error');
});

test('a machine that is slow for a while takes nothing away from the difference', (t) => {
  const off = [slice(100), slice(100), slice(150, 12), slice(150, 12)];
  const on = [slice(102), slice(153, 12), slice(153, 12), slice(153, 12)];
  const loss = lossOf([{ off, on }]);
  t.true(Math.abs((loss?.percent ?? 0) - 2) < 0.01, String(loss?.percent));
});

test('processes that differ from each other are each compared with themselves', (t) => {
  const cycle = (base: number): SwitchCycle => ({
    off: slices(base, base * 1.01, base * 0.99),
    on: slices(base * 1.03, base * 1.02, base * 1.04),
  });
  const loss = lossOf([cycle(100), cycle(140)]);
  t.true(Math.abs((loss?.percent ?? 0) - 3) < 0.05, String(loss?.percent));
});

test('the error tells how far the loss is off, and shrinks with the cycles', (t) => {
  const random = new SeededRandom(7);
  const noisy = (base: number): Slice => {
    const speed = 1 + (random.next() < 0.3 ? 0.5 * random.next() : 0);
    return slice(base * speed * (1 + (random.next() - 0.5) / 10), 9 * speed ** 0.6);
  };
  const cycle = (): SwitchCycle => ({
    off: Array.from({ length: 16 }, () => noisy(100)),
    on: Array.from({ length: 20 }, () => noisy(101)),
  });
  const [few, many] = [lossOf([cycle(), cycle()]), lossOf(Array.from({ length: 32 }, cycle))];
  t.true(Math.abs((many?.percent ?? 0) - 1) < 3 * (many?.plusMinus ?? 0), JSON.stringify(many));
  t.true((many?.plusMinus ?? 1) < (few?.plusMinus ?? 0) / 3, JSON.stringify([few, many]));
});
