import test from 'ava';
import {
  type HolmesCheck,
  HolmesEngine,
  type HolmesOptions,
  holmesDefaults,
  holmesReasons,
  matchHolmes,
} from '../../src/diagnostics/rules/holmes.ts';
import { HolmesRules } from '../../src/diagnostics/rules/holmes-rules.ts';
import { IntRing } from '../../src/diagnostics/rules/int-ring.ts';
import { formatSignal } from '../../src/diagnostics/signals/format.ts';

const ringOf = (...values: number[]): IntRing => {
  const ring = new IntRing(10);
  for (const value of values) ring.push(value);
  return ring;
};
const rule = { enabled: true, min: 10, diff: 25, abs: 70, max: 0, cooldownMs: 60_000 };
const optionsWith = (check: HolmesCheck, cpuMax = 0): HolmesOptions => ({
  ...holmesDefaults,
  [check]: { ...holmesDefaults[check], enabled: true },
  cpuMax,
});
const quiet = { mem: 0, cpu: 0, thread: 0, goroutine: 0 };

test('the ring averages what it holds with integer division and tells it oldest first, padded with zeros', (t) => {
  t.is(new IntRing(10).average(), 0);
  t.is(ringOf(1, 2, 3).average(), 2);
  t.deepEqual(ringOf(1, 2, 3).sequence(), [1, 2, 3, 0, 0, 0, 0, 0, 0, 0]);
  const full = ringOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  t.deepEqual(full.sequence(), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  t.is(full.average(), 7);
  const one = new IntRing(1);
  for (const value of [1, 2, 3]) one.push(value);
  t.is(one.average(), 3);
});

test('the tests come in the order min, max, abs, diff', (t) => {
  const ring = ringOf(40, 40, 40);
  t.deepEqual(matchHolmes(ring, 9, rule), { dump: false, reason: holmesReasons.lessThanMin });
  t.deepEqual(matchHolmes(ring, 90, { ...rule, max: 90 }), {
    dump: false,
    reason: holmesReasons.greaterThanMax,
  });
  t.deepEqual(matchHolmes(ring, 71, rule), { dump: true, reason: holmesReasons.greaterThanAbs });
  t.deepEqual(matchHolmes(ring, 50, rule), { dump: true, reason: holmesReasons.diff });
  t.deepEqual(matchHolmes(ring, 49, rule), { dump: false, reason: holmesReasons.noDiff });
});

test('with an average of nothing every value from the minimum on fires, as in holmes', (t) => {
  t.true(matchHolmes(ringOf(), 10, rule).dump);
});

test('nothing is decided before the tenth sample', (t) => {
  const engine = new HolmesEngine(optionsWith('cpu'));
  for (let tick = 1; tick < 10; tick++) t.deepEqual(engine.tick({ ...quiet, cpu: 99 }, tick), []);
  t.true(engine.tick({ ...quiet, cpu: 99 }, 10)[0]?.dump);
});

test('a check rests for its cool-down and fires again at its very end', (t) => {
  const engine = new HolmesEngine(optionsWith('cpu'));
  for (let tick = 1; tick < 10; tick++) engine.tick({ ...quiet, cpu: 99 }, 0);
  t.is(engine.tick({ ...quiet, cpu: 99 }, 1000).length, 1);
  engine.dumped('cpu', 6000);
  t.deepEqual(engine.tick({ ...quiet, cpu: 99 }, 65_999), []);
  t.true(engine.tick({ ...quiet, cpu: 99 }, 66_000)[0]?.dump);
});

test('above cpuMax nothing at all is decided in that tick', (t) => {
  const engine = new HolmesEngine(optionsWith('mem', 90));
  for (let tick = 1; tick < 10; tick++) engine.tick(quiet, 0);
  t.deepEqual(engine.tick({ ...quiet, mem: 95, cpu: 90 }, 0), []);
  t.true(engine.tick({ ...quiet, mem: 95, cpu: 89 }, 0)[0]?.dump);
});

test('a thread dump brings the goroutines under one event and rests their check', (t) => {
  const engine = new HolmesEngine({
    ...optionsWith('thread'),
    goroutine: { ...holmesDefaults.goroutine, enabled: true },
  });
  for (let tick = 1; tick < 10; tick++) engine.tick(quiet, 0);
  const decisions = engine.tick({ ...quiet, thread: 80, goroutine: 300_000 }, 0);
  t.deepEqual(
    decisions.map(({ check, dump, eventId }) => [check, dump, eventId]),
    [
      ['thread', true, 'thr-0'],
      ['goroutine', true, 'thr-0'],
    ],
  );
});

test('a heap dump is followed by a forced one at the next collection under the same event', (t) => {
  const engine = new HolmesEngine(optionsWith('gcHeap'));
  for (let cycle = 1; cycle < 10; cycle++) t.is(engine.gcCycle(20, 0), undefined);
  const first = engine.gcCycle(50, 0);
  const second = engine.gcCycle(1, 0);
  t.deepEqual([first?.dump, first?.eventId, second?.dump, second?.eventId], [true, 'heap-0', true, 'heap-0']);
  t.is(engine.gcCycle(50, 59_999), undefined);
  t.is(engine.gcCycle(50, 60_000)?.eventId, 'heap-1');
});

test('a heap check speaks of the share of the limit, which is what it compares', (t) => {
  const rules = new HolmesRules(optionsWith('gcHeap'), () => 100 * 2 ** 20);
  const captures = Array.from({ length: 12 }, (_, tick) =>
    rules.step({
      atMs: tick * 5000,
      values: { majorGcCount: tick + 1, heapAfterGcBytes: (tick < 10 ? 5 : 60) * 2 ** 20 },
    }),
  ).flat();
  t.is(captures[0]?.trigger.signal, 'gcHeapPercent');
  t.is(captures[0]?.trigger.current, 60);
  t.is(formatSignal('gcHeapPercent', 60), '60.0 %');
});
