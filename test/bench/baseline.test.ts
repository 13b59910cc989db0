import test from 'ava';
import { regressions, slowdown } from '../../bench/harness/baseline.ts';

const baseline = { calibrationNs: 100, machine: 'a chip', minNs: { 'proxy-full': 1000 } };

test('a machine that is half as fast is no regression', (t) => {
  t.is(slowdown(baseline, 'proxy-full', 2000, 200), 1);
  t.deepEqual(regressions(baseline, { 'proxy-full': 2000 }, 200), []);
});

test('a path that became much slower on the same machine is named with its ratio', (t) => {
  t.deepEqual(regressions(baseline, { 'proxy-full': 1500 }, 100), [
    'proxy-full is 1.50 times as slow as committed in bench/pure.baseline.json',
  ]);
});

test('a path without a committed figure cannot become slower', (t) => {
  t.is(slowdown(baseline, 'new', 1, 100), null);
  t.deepEqual(regressions(null, { 'proxy-full': 9e9 }, 100), []);
});
