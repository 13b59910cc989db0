import test from 'ava';
import { decideDay } from '../../bench/scenarios/day.ts';
import type { SignalSample } from '../../src/core/contract/signal.ts';
import { changedRules } from '../../src/diagnostics/rules/change.ts';
import { defaultRules } from '../../src/diagnostics/rules/defaults.ts';
import { type RuleAction, RuleEngine } from '../../src/diagnostics/rules/engine.ts';
import { HolmesRules } from '../../src/diagnostics/rules/holmes-rules.ts';
import { parseRules } from '../../src/diagnostics/rules/parse.ts';
import { replayRules } from '../../src/diagnostics/rules/replay.ts';
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
  const both = [
    { signal: 'cpuPercent', above: 50 },
    { signal: 'cpuPercent', below: 30 },
  ];
  t.regex(problems([{ ...hot, when: both }]), /cpuPercent cannot be above 50 and below 30/);
  t.regex(
    problems([{ ...hot, when: [{ signal: 'gcTimePercent', above: 120 }] }]),
    /gcTimePercent is never above 100/,
  );
  t.regex(problems([{ ...hot, when: [{ signal: 'rssBytes', below: -1 }] }]), /rssBytes is never below 0/);
  t.notThrows(() => parseRules([{ ...hot, when: [{ signal: 'user:balance', below: -1 }] }]));
  t.regex(
    problems({ stall: { above: 3 } }),
    /rules\.stall\.above: there is no such setting; there are .*aboveMs/,
  );
  t.regex(
    problems({ holmes: { cpu: { mn: 3 } } }),
    /cpu\.mn: there is no such setting; there are enabled, min/,
  );
  t.regex(problems([{ ...hot, forMs: 500_000 }]), /longer than the ring/);
  const twoSided = [
    { signal: 'cpuPercent', above: 90 },
    { signal: 'cpuPercent', below: 10 },
  ];
  t.regex(problems([{ ...hot, when: twoSided }]), /cpuPercent cannot be above 90 and below 10/);
  t.regex(
    problems([{ ...hot, when: [{ signal: 'loopUtilization', above: 90 }] }]),
    /never above 1, so above 90 can never fire/,
  );
  const waiting = { name: 'waiting', type: 'deviation', signal: 'serverInFlight', floor: 5 };
  t.regex(problems([{ ...waiting, forMs: 200_000, overMs: 300_000 }]), /longer than the ring/);
  t.regex(problems([{ ...waiting, forMs: 5000, overMs: 5000 }]), /no time before to compare/);
  t.regex(problems([{ ...hot, capture: ['cpu', 'snapshot'] }]), /"snapshot" .* on request only/);
  t.regex(problems({ stal: true }), /no such rule; known are stall/);
  t.regex(problems({ holmes: { goroutine: { min: 50, max: 20 } } }), /max 20 is not above min 50/);
  t.regex(problems([{ ...hot, capture: ['everything'] }]), /rules\[0\]\.capture/);
  t.regex(problems(7), /is not "default"/);
});

/** The reason of the first finding, as the page tells it. */
function reasonOf(rule: Rule, values: readonly Record<string, number>[]): string {
  const engine = new RuleEngine([rule], { intervalMs: 1000, warmUpMs: 0 });
  const actions = values.flatMap((value, second) => engine.step({ atMs: second * 1000, values: value }));
  const [found] = actions.filter((one) => one.type === 'capture' || one.type === 'held');
  return found?.trigger.reason ?? '';
}

test('a reason tells its numbers with their units, and every condition', (t) => {
  const range = [{ signal: 'rssBytes', above: 2 ** 20, below: 8 * 2 ** 20 }];
  const inRange = { rssBytes: 4 * 2 ** 20 };
  t.is(
    reasonOf({ ...hot, when: range }, [inRange, inRange, inRange]),
    'rssBytes >= 1.0 MB and rssBytes <= 8.0 MB for 3 s',
  );
  const slope: Rule = {
    ...common,
    name: 'rise',
    type: 'slope',
    signal: 'externalBytes',
    windowMs: 3000,
    minGrowth: 1,
    minGrowthRatio: 0,
    confirm: 'none',
    confirmMs: 0,
  };
  const rise = [10, 20, 30, 40].map((megabytes) => ({ externalBytes: megabytes * 2 ** 20 }));
  t.is(reasonOf(slope, rise), 'externalBytes rose from 10.0 MB to 40.0 MB in 3 s without pause');
});

test('live changes go on top of the rules that a monitor has, in either mode', (t) => {
  const own: Rule = { ...hot, forMs: 7000 };
  const states = new RuleEngine([own, { ...hot, name: 'other' }], { intervalMs: 1000 }).states(0);
  const rules = parseRules(changedRules(states, { hot: { cooldownMs: 1 } }));
  t.deepEqual(rules, {
    mode: 'default',
    rules: [
      { ...own, cooldownMs: 1 },
      { ...hot, name: 'other' },
    ],
  });
  t.throws(() => changedRules(states, { stall: { aboveMs: 900 } }), {
    code: 'ERR_MONITOR_RULES',
    message: /no rule "stall"; this monitor has hot, other/,
  });
  const holmes = parseRules({ holmes: { cpu: { abs: 80 }, cpuMax: 95 } });
  if (holmes.mode !== 'holmes') return t.fail();
  const checks = new HolmesRules(holmes.holmes, () => 0).states();
  const changed = parseRules(changedRules(checks, { mem: { enabled: true } }));
  t.deepEqual(changed, {
    mode: 'holmes',
    holmes: { ...holmes.holmes, mem: { ...holmes.holmes.mem, enabled: true } },
  });
});

test('a growth outside the heap is confirmed by its own signal when it is replayed', (t) => {
  const samples = Array.from({ length: 30 }, (_, second) => ({
    atMs: second * 1000,
    values: { externalBytes: (10 + Math.max(0, second - 12) * 10) * 2 ** 20, heapAfterGcBytes: 2 ** 20 },
  }));
  const fired = replayRules({ mode: 'default', rules: defaultRules }, samples);
  t.true(fired.some(({ rule, outcome }) => rule === 'external-growth' && outcome === 'fired'));
});
