import test from 'ava';
import { decideDay } from '../../bench/scenarios/day.ts';
import type { SignalSample } from '../../src/core/contract/signal.ts';
import { defaultRules } from '../../src/diagnostics/rules/defaults.ts';
import { type RuleAction, RuleEngine } from '../../src/diagnostics/rules/engine.ts';
import { parseRules } from '../../src/diagnostics/rules/parse.ts';
import type { Rule } from '../../src/diagnostics/rules/rule-types.ts';

const common = {
  enabled: true,
  capture: ['cpu'],
  prepare: [],
  durationMs: 1000,
  cooldownMs: 5000,
  maxPerHour: 3,
  twiceTheLast: false,
  warmUp: false,
} as const;
const hot: Rule = {
  ...common,
  name: 'hot',
  type: 'hold',
  when: [{ signal: 'cpuPercent', above: 90 }],
  forMs: 3000,
};

/** Feeds one sample a second and collects what fired, as `second:type`. */
function feed(rules: readonly Rule[], values: readonly Record<string, number>[], warmUpMs = 0): string[] {
  const engine = new RuleEngine(rules, { intervalMs: 1000, warmUpMs });
  return values.flatMap((value, second) =>
    engine.step({ atMs: second * 1000, values: value }).map((one) => `${second}:${one.type}`),
  );
}
const cpu = (...values: number[]): Record<string, number>[] => values.map((cpuPercent) => ({ cpuPercent }));

test('a condition fires once it held for its whole window, and not for a burst that is shorter', (t) => {
  t.deepEqual(feed([hot], cpu(10, 95, 95, 10, 95, 95, 10)), []);
  t.deepEqual(feed([hot], cpu(10, 95, 95, 95)), ['3:capture']);
});

test('after a capture the condition must have been gone, and the cool-down be over', (t) => {
  const long = cpu(...Array.from({ length: 20 }, () => 95));
  t.deepEqual(feed([hot], long), ['2:capture']);
  t.deepEqual(feed([hot], cpu(95, 95, 95, 10, 95, 95, 95, 10, 10, 95, 95, 95)), [
    '2:capture',
    '6:held',
    '11:capture',
  ]);
});

test('nothing but a rule that cannot wait fires during the warm-up', (t) => {
  const warm = { ...hot, warmUp: true };
  t.deepEqual(feed([warm], cpu(95, 95, 95, 95), 10_000), ['2:held']);
});

test('the captures of an hour are counted', (t) => {
  const often = cpu(...Array.from({ length: 60 }, (_, index) => (index % 10 < 4 ? 95 : 10)));
  t.is(feed([hot], often).filter((one) => one.endsWith('capture')).length, 3);
});

test('twiceTheLast lets only a doubled value fire again', (t) => {
  const rule: Rule = { ...hot, twiceTheLast: true, cooldownMs: 0 };
  t.deepEqual(feed([rule], cpu(95, 95, 95, 1, 150, 150, 150, 1, 190, 190, 190)), [
    '2:capture',
    '6:held',
    '10:capture',
  ]);
});

test('a deviation needs its floor, its sigmas and its conditions at once', (t) => {
  const rule: Rule = {
    ...common,
    name: 'waiting',
    type: 'deviation',
    signal: 'serverInFlight',
    sigma: 4,
    floor: 50,
    overMs: 60_000,
    forMs: 2000,
    when: [{ signal: 'serverOldestMs', above: 1000 }],
  };
  const calm = Array.from({ length: 20 }, () => ({ serverInFlight: 10, serverOldestMs: 20 }));
  const piled = { serverInFlight: 200, serverOldestMs: 3000 };
  t.deepEqual(feed([rule], [...calm, piled, piled]), ['21:capture']);
  t.deepEqual(
    feed([rule], [...calm, { ...piled, serverOldestMs: 10 }, { ...piled, serverOldestMs: 10 }]),
    [],
  );
  const always = Array.from({ length: 30 }, () => ({ serverInFlight: 200, serverOldestMs: 3000 }));
  t.deepEqual(feed([rule], always), []);
});

test('a stall fires between two ticks and once for one stall', (t) => {
  const rule: Rule = { ...common, name: 'stall', type: 'stall', aboveMs: 500 };
  const engine = new RuleEngine([rule], { intervalMs: 1000, warmUpMs: 0 });
  const look = (atMs: number, stallMs: number): RuleAction[] =>
    engine.step({ atMs, values: { stallMs } }, true);
  engine.step({ atMs: 0, values: { stallMs: 0 } });
  t.deepEqual(look(400, 400), []);
  t.is(look(520, 520)[0]?.type, 'capture');
  t.not(look(620, 620)[0]?.type, 'capture');
});

const growth: Rule = {
  ...common,
  name: 'growth',
  type: 'slope',
  signal: 'heapUsedBytes',
  windowMs: 4000,
  minGrowth: 100,
  minGrowthRatio: 0,
  confirm: 'gc',
  confirmMs: 2000,
};
const heap = (second: number, heapUsedBytes: number): SignalSample => ({
  atMs: second * 1000,
  values: { heapUsedBytes },
});

test('a heap that rises is a leak only if two collections do not free it', (t) => {
  const engine = new RuleEngine([growth], { intervalMs: 1000, warmUpMs: 0 });
  const actions: string[] = [];
  for (let second = 0; second <= 4; second++)
    actions.push(...engine.step(heap(second, second * 100)).map((one) => one.type));
  t.deepEqual(actions, ['collect']);
  t.deepEqual(
    engine.confirm('growth', 390, 4000).map((one) => one.type),
    ['prepare'],
  );
  t.deepEqual(engine.step(heap(5, 500)), []);
  t.deepEqual(
    engine.step(heap(6, 600)).map((one) => one.type),
    ['collect'],
  );
  t.deepEqual(
    engine.confirm('growth', 590, 6000).map((one) => one.type),
    ['capture'],
  );
});

test('a heap that a collection frees is no leak, and each false suspicion rests longer', (t) => {
  const askedFor = (valueAt: (second: number) => number): number[] => {
    const engine = new RuleEngine([growth], { intervalMs: 1000, warmUpMs: 0 });
    const asked: number[] = [];
    for (let second = 0; second < 120; second++) {
      for (const action of engine.step(heap(second, valueAt(second)))) {
        if (action.type !== 'collect') continue;
        asked.push(second);
        engine.confirm('growth', 0, second * 1000);
      }
    }
    return asked;
  };
  t.deepEqual(
    askedFor((second) => (second % 6) * 100),
    [4, 10, 16, 28, 52, 100],
  );
  // What rises to half as much again as the false suspicion is news, rest or not.
  t.deepEqual(
    askedFor((second) => second * 100),
    [4, 6, 9, 14, 21, 32, 48, 72, 108],
  );
});

test('a rule that would fire but is held says why, once', (t) => {
  const engine = new RuleEngine([hot], { intervalMs: 1000, warmUpMs: 10_000 });
  engine.pause(true);
  t.deepEqual(engine.step({ atMs: 0, values: { cpuPercent: 99 } }), []);
  t.is(engine.states(0)[0]?.held, 'paused');
});

test('a capture that could not be taken is asked for again while the condition holds', (t) => {
  const engine = new RuleEngine([{ ...hot, forMs: 1000 }], { intervalMs: 1000, warmUpMs: 0 });
  const step = (second: number): unknown =>
    engine.step({ atMs: second * 1000, values: { cpuPercent: 95 } })[0]?.type;
  t.is(step(0), 'capture');
  engine.postponed('hot');
  t.is(step(1), 'capture');
  t.is(engine.states(1000)[0]?.firedCount, 1);
  t.is(step(2), undefined);
});

test('a change of rules keeps the cool-down of those that keep their name', (t) => {
  const engine = new RuleEngine([hot], { intervalMs: 1000, warmUpMs: 0 });
  for (let second = 0; second < 3; second++) engine.step({ atMs: second * 1000, values: { cpuPercent: 95 } });
  engine.setRules([{ ...hot, forMs: 1000 }]);
  engine.step({ atMs: 3000, values: { cpuPercent: 1 } });
  t.is(engine.step({ atMs: 4000, values: { cpuPercent: 99 } })[0]?.type, 'held');
});

test('24 simulated hours of a healthy service fire nothing', (t) => {
  t.deepEqual(decideDay(11), []);
});

test('rules are read in every form', (t) => {
  t.deepEqual(parseRules(undefined), { mode: 'default', rules: defaultRules });
  const changed = parseRules({ stall: { aboveMs: 1000 }, 'gc-thrash': false });
  t.true(
    changed.mode === 'default' &&
      changed.rules.some((rule) => rule.type === 'stall' && rule.aboveMs === 1000),
  );
  t.true(
    changed.mode === 'default' && changed.rules.find((rule) => rule.name === 'gc-thrash')?.enabled === false,
  );
  const holmes = parseRules({ holmes: { cpu: { abs: 80 } } });
  t.true(
    holmes.mode === 'holmes' &&
      holmes.holmes.cpu.enabled &&
      holmes.holmes.cpu.abs === 80 &&
      !holmes.holmes.mem.enabled,
  );
  const all = parseRules('holmes');
  t.true(all.mode === 'holmes' && all.holmes.goroutine.enabled);
});

test('rules that can never fire or contradict are refused, all at once and by name', (t) => {
  const problems = (input: unknown): string =>
    t.throws(() => parseRules(input), { code: 'ERR_MONITOR_RULES' })?.message ?? '';
  t.regex(
    problems([{ ...hot, when: [{ signal: 'cpuPercnt', above: 1 }] }]),
    /no signal is called "cpuPercnt"; did you mean "cpuPercent"/,
  );
  t.regex(
    problems([{ ...hot, when: [{ signal: 'cpuPercent', above: 9, below: 1 }] }, hot]),
    /can never fire.*another rule has that name/,
  );
  t.regex(problems([{ ...hot, forMs: 500_000 }]), /longer than the ring/);
  t.regex(problems({ stal: true }), /no such rule; known are stall/);
  t.regex(problems({ holmes: { goroutine: { min: 50, max: 20 } } }), /max 20 is not above min 50/);
  t.regex(problems([{ ...hot, capture: ['everything'] }]), /rules\[0\]\.capture/);
  t.regex(problems(7), /is not "default"/);
});
