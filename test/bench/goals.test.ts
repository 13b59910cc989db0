import test from 'ava';
import { type GoalDefinition, goals, judge, judgeAll } from '../../bench/harness/goals.ts';

test('a value at the limit meets a goal where less is better', (t) => {
  t.true(judge({ id: 'http1.vsHaproxy', value: 1.2 }).met);
  t.false(judge({ id: 'http1.vsHaproxy', value: 1.21 }).met);
});

test('a value at the limit meets a goal where more is better', (t) => {
  t.true(judge({ id: 'admission.goodputMin', value: 1 }).met);
  t.false(judge({ id: 'admission.goodputMin', value: 0.99 }).met);
});

test('a goal without a value counts as missed and says why', (t) => {
  const goal = judge({ id: 'http1.vsMosn', value: null, reason: 'MOSN full: not built' });
  t.deepEqual(goal, {
    id: 'http1.vsMosn',
    value: null,
    limit: 0.5,
    aim: 0.3,
    better: 'lower',
    met: false,
    skipped: 'MOSN full: not built',
  });
});

test('a value that is no number counts as missed', (t) => {
  t.like(judge({ id: 'idle.bytes', value: Number.NaN }), { value: null, met: false });
});

test('a goal that a suite promised and did not measure counts as missed', (t) => {
  const judged = judgeAll(
    ['idle.bytes', 'idle.bytesAfterBurst'],
    [{ id: 'idle.bytes', value: 4000 }],
    'no gcc',
  );
  t.deepEqual(
    judged.map(({ id, met, skipped }) => ({ id, met, skipped })),
    [
      { id: 'idle.bytes', met: true, skipped: undefined },
      { id: 'idle.bytesAfterBurst', met: false, skipped: 'no gcc' },
    ],
  );
});

test('every aim is at least as hard as its limit', (t) => {
  for (const [id, goal] of Object.entries<GoalDefinition>(goals)) {
    if (goal.aim === null) continue;
    t.true(goal.better === 'lower' ? goal.aim <= goal.limit : goal.aim >= goal.limit, id);
  }
});
