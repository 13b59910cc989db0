import test from 'ava';
import type { CaptureTrigger } from '../../src/core/contract/sink.ts';
import { ProfileBuilder } from '../../src/diagnostics/pprof/index.ts';
import type { Profile } from '../../src/diagnostics/profile-model.ts';
import { buildVerdict, type VerdictInput } from '../../src/diagnostics/verdict/build.ts';
import { verdictPage } from '../../src/diagnostics/verdict/markdown.ts';

/** Stacks are given root first, `name` for the application's functions, `node:x` for Node's, `(x)` for V8's. */
function profileOf(kind: string, type: string, stacks: readonly (readonly [string, number])[]): Profile {
  const builder = new ProfileBuilder([{ type, unit: type === 'cpu' ? 'nanoseconds' : 'count' }]);
  for (const [path, value] of stacks) {
    const frames = path.split(' > ').map((name) => {
      const url = /^[([]/.test(name) ? '' : name.startsWith('node:') ? name : 'file:///app/x.js';
      return builder.frame({ name, url, line: url === '' ? 0 : 7, column: 1 });
    });
    builder.add(builder.path(frames), [value]);
  }
  return builder.build({ kind, startMs: 0, durationMs: 1000 });
}
const triggerOf = (rule: string, signal: string, current = 600): CaptureTrigger => ({
  rule,
  signal,
  reason: 'r',
  current,
  average: 0,
  settings: {},
  previous: [],
  atMs: 60_000,
});
const inputOf = (
  trigger: CaptureTrigger,
  profiles: VerdictInput['profiles'],
  rest: Partial<VerdictInput> = {},
): VerdictInput => ({
  service: 'shop',
  trigger,
  samples: [],
  profiles,
  stallCpuShare: 1,
  hotLine: '',
  missing: [],
  ...rest,
});
const cpu = (
  stacks: readonly (readonly [string, number])[],
  window: 'before' | 'during' | 'quiet' = 'during',
) => ({ profile: profileOf('cpu', 'cpu', stacks), threadId: 0, window }) as const;
const stalled = triggerOf('stall', 'stallMs');

/** Of a page. */
const about = {
  schema: 1,
  id: 'i',
  eventId: 'e1',
  service: 'shop',
  pid: 1,
  startMs: 0,
  durationMs: 1,
} as const;

test('Node’s own functions and callbacks without a name count for the function that called them', (t) => {
  const stacks = [
    ['main > handle > (anonymous) > node:internal/x', 80] as const,
    ['main > other', 20] as const,
  ];
  const { cause } = buildVerdict(inputOf(stalled, [cpu(stacks)]));
  t.is(cause.name, 'sync-work');
  t.is(cause.guilty?.name, 'handle');
  t.is(cause.guilty?.share, 0.8);
});

test('the hottest line tells which native call it was', (t) => {
  const names = (hotLine: string): string =>
    buildVerdict(inputOf(stalled, [cpu([['main > read', 9]])], { hotLine })).cause.name;
  t.is(names('return JSON.parse(text)'), 'json');
  t.is(names('if (pattern.test(text)) {'), 'regular-expression');
  t.is(names('fs.readFileSync(path)'), 'native-call');
  t.is(names('sum += 1'), 'sync-work');
});

test('JSON in a loop on one line is not called a large document', (t) => {
  const input = inputOf(stalled, [cpu([['main > read', 9]])], {
    hotLine: 'while (Date.now() < end) JSON.stringify(small);',
  });
  t.regex(buildVerdict(input).cause.text, /in a loop/);
});

test('how much of a stall was processor time is evidence, where it is known', (t) => {
  const factsOf = (stallCpuShare: number): string =>
    buildVerdict(inputOf(stalled, [cpu([['main', 1]])], { stallCpuShare })).cause.evidence.join('\n');
  t.regex(factsOf(0.05), /on a core for 5 % of that time/);
  t.notRegex(factsOf(Number.NaN), /on a core/);
});

test('a stall without processor time is a system call', (t) => {
  t.is(
    buildVerdict(inputOf(stalled, [cpu([['main', 1]])], { stallCpuShare: 0.05 })).cause.name,
    'system-call',
  );
});

test('the share against the quiet window is told for what changed', (t) => {
  const { changed } = buildVerdict(
    inputOf(stalled, [
      cpu([
        ['spin', 90],
        ['rest', 10],
      ]),
      cpu(
        [
          ['spin', 10],
          ['rest', 90],
        ],
        'quiet',
      ),
    ]),
  );
  t.deepEqual(
    changed.map(({ name, from, to }) => [name, from, to]),
    [
      ['spin', 0.1, 0.9],
      ['rest', 0.9, 0.1],
    ],
  );
});

test('of async functions that await each other the innermost is the one to look at', (t) => {
  const pending = profileOf('pending', 'async_resources', [
    ['[PROMISE] > handle', 700],
    ['[PROMISE] > handle > work', 700],
    ['[PROMISE] > handle > work > enter', 700],
  ]);
  const waiting = buildVerdict(
    inputOf(triggerOf('requests-waiting', 'serverInFlight', 700), [
      { profile: pending, threadId: 0, window: 'during' },
    ]),
  );
  t.is(waiting.cause.name, 'lock-contention');
  t.is(waiting.cause.guilty?.name, 'enter');
});

test('what fits nothing is not known', (t) => {
  const { cause } = buildVerdict(inputOf(triggerOf('mine', 'user:queue'), [cpu([['main', 1]])]));
  t.is(cause.name, 'not-known');
  t.is(cause.confidence, 'none');
});

test('the page names cause, function, signals and what is missing, and names cannot break its tables', (t) => {
  const samples = Array.from({ length: 20 }, (_, second) => ({
    atMs: second * 1000,
    values: { stallMs: second < 18 ? 0 : 600, cpuPercent: 50 },
  }));
  const verdict = buildVerdict(
    inputOf(stalled, [cpu([['spin|\nme', 9]])], { samples, missing: ['heap: no'] }),
  );
  t.deepEqual(
    verdict.moved.map(({ signal, to }) => [signal, to]),
    [['stallMs', 600]],
  );
  const head = {
    schema: 1,
    id: 'i',
    eventId: 'e1',
    service: 'shop',
    pid: 1,
    startMs: 0,
    durationMs: 1,
    labels: {},
    files: [],
  } as const;
  const page = verdictPage({ ...head, trigger: stalled }, verdict);
  t.regex(page, /^# shop: the event loop was blocked: spin\| me \(rule stall\)\n/);
  t.true(page.includes('## Likely cause: sync-work, confidence high'));
  t.true(page.includes('spin\\| me'));
  t.regex(page, /\| stallMs +\| +0\.0 ms \| +600\.0 ms \| \+600\.0 ms \| 00:00:18\.000 /);
  t.true(page.includes('- heap: no'));
  const tables = page.split('\n').filter((line) => line.startsWith('| '));
  const signals = tables.slice(0, 3).map((line) => line.length);
  t.is(new Set(signals).size, 1, 'columns stand below each other');
});

/** Frames by name in the order of their samples, all called by `handle`; a sample is 1 MB. */
function growthOf(owners: readonly string[]): Profile {
  const builder = new ProfileBuilder([{ type: 'inuse_space', unit: 'bytes' }]);
  const frame = (name: string): number =>
    builder.frame({ name, url: `file:///app/${name}.js`, line: 3, column: 1 });
  owners.forEach((name, ordinal) => {
    const path = name === 'handle' ? ['handle'] : ['handle', name];
    builder.add(builder.path(path.map(frame)), [1 << 20], { ordinal });
  });
  return builder.build({ kind: 'growth', startMs: 0 });
}
const growing = triggerOf('heap-growth', 'heapUsedBytes', 60e6);
const guiltyOf = (owners: readonly string[]): string | undefined =>
  buildVerdict(
    inputOf(growing, [
      { profile: profileOf('heap', 'inuse_space', [['main > cache', 900e6]]), threadId: 0, window: 'during' },
      { profile: growthOf(owners), threadId: 0, window: 'during' },
    ]),
  ).cause.guilty?.name;
const times = (count: number, name: string): string[] => Array.from({ length: count }, () => name);

test('a leak is what has grown, not the largest thing that stands there', (t) => {
  t.is(guiltyOf(times(8, 'make')), 'make');
  t.is(guiltyOf(times(2, 'make')), 'cache', 'two samples are too few');
});

test('a function that gives way to its caller from some moment on was inlined into it', (t) => {
  t.is(guiltyOf([...times(5, 'make'), ...times(15, 'handle')]), 'make');
  t.is(guiltyOf([...times(15, 'handle'), ...times(5, 'make')]), 'handle');
  t.is(guiltyOf([...times(2, 'make'), ...times(15, 'handle')]), 'handle', 'two samples prove nothing');
  const mixed = times(5, 'make').flatMap((name) => [name, 'handle', 'handle', 'handle']);
  t.is(guiltyOf(mixed), 'handle', 'a caller that allocates all the time is not inlining');
});

const series = (values: readonly number[], signal = 'cpuPercent'): VerdictInput['samples'] =>
  values.map((value, second) => ({ atMs: second * 1000, values: { [signal]: value } }));
const movedOf = (values: readonly number[], trigger = stalled) =>
  buildVerdict(inputOf(trigger, [], { samples: series(values) })).moved.map(
    ({ signal, from, to, sinceMs, overMs }) => ({ signal, from: Math.round(from), to, sinceMs, overMs }),
  );
const calm = (count: number): number[] => Array.from({ length: count }, () => 10);

test('a signal has moved since it left its range the last time, not since an outlier long before', (t) => {
  const values = [...calm(5), 40, ...calm(20), 90, 92, 95];
  t.deepEqual(movedOf(values), [{ signal: 'cpuPercent', from: 11, to: 95, sinceMs: 26_000, overMs: 25_000 }]);
});

test('a signal that fell has moved as well', (t) => {
  t.deepEqual(movedOf([...calm(20), 10, 0, 0]), [
    { signal: 'cpuPercent', from: 10, to: 0, sinceMs: 21_000, overMs: 19_000 },
  ]);
});

test('what a rule saw between two samples is what moved, and the used heap follows it', (t) => {
  const samples = Array.from({ length: 10 }, (_, second) => ({
    atMs: second * 1000,
    values: { heapOfLimitPercent: 5, heapUsedBytes: 10 * 2 ** 20 },
  }));
  const heap = profileOf('heap', 'inuse_space', [['main > fill', 100]]);
  const { moved, cause } = buildVerdict(
    inputOf(
      triggerOf('near-heap-limit', 'heapOfLimitPercent', 80),
      [{ profile: heap, threadId: 0, window: 'during' }],
      { samples },
    ),
  );
  t.is(moved[0]?.signal, 'heapOfLimitPercent');
  t.is(moved[0]?.to, 80);
  t.true(cause.evidence.includes('used heap 160.0 MB'));
});

test('functions of one name at one place are one row', (t) => {
  const builder = new ProfileBuilder([{ type: 'cpu', unit: 'nanoseconds' }]);
  for (const column of [3, 30]) {
    const frame = builder.frame({ name: 'enter', url: 'file:///app/x.js', line: 7, column });
    builder.add(builder.path([frame]), [50]);
  }
  const profile = builder.build({ kind: 'cpu', startMs: 0 });
  const { profiles } = buildVerdict(inputOf(stalled, [{ profile, threadId: 0, window: 'during' }]));
  t.deepEqual(
    profiles[0]?.functions.map(({ name, value, share }) => [name, value, share]),
    [['enter', 100, 1]],
  );
});

const memoryAt = (values: Record<string, number>) => {
  const heap = profileOf('heap', 'inuse_space', [['main > cache', 100]]);
  const trigger = triggerOf('memory-limit', 'memoryPercent', 95);
  const samples = [
    { atMs: 0, values: { rssBytes: 1000 * 2 ** 20, memoryLimitBytes: 1050 * 2 ** 20, ...values } },
  ];
  return buildVerdict(inputOf(trigger, [{ profile: heap, threadId: 0, window: 'during' }], { samples }))
    .cause;
};

test('resident memory is blamed on the heap only where the heap is the larger part of it', (t) => {
  const native = memoryAt({ heapUsedBytes: 40 * 2 ** 20, externalBytes: 5 * 2 ** 20 });
  t.is(native.name, 'memory-limit');
  t.is(native.guilty, undefined);
  t.regex(native.evidence.join('\n'), /heap 40\.0 MB.*outside it 5\.0 MB, the rest 955\.0 MB/);
  const heap = memoryAt({ heapUsedBytes: 800 * 2 ** 20, externalBytes: 5 * 2 ** 20 });
  t.is(heap.guilty?.name, 'cache');
});

test('a throttled process is told by how much, and who uses the processor on any thread', (t) => {
  const worker = profileOf('cpu', 'cpu', [['compress', 90]]);
  const samples = [{ atMs: 0, values: { throttledMs: 420, cpuPercent: 98, mainCpuPercent: 8 } }];
  const { cause } = buildVerdict(
    inputOf(
      triggerOf('cpu-throttled', 'throttledPercent', 62),
      [cpu([['main', 9]]), { profile: worker, threadId: -1, threadName: 'all threads', window: 'during' }],
      { samples },
    ),
  );
  t.is(cause.guilty?.name, 'compress');
  t.regex(cause.evidence.join('\n'), /420 ms.*\n.*98 % of a core, its main thread 8 %/);
});

test('how long a stall lasted and the line that ran most are evidence', (t) => {
  const hot = { hotLine: '  while (busy) n++;', hotPlace: '/app/x.ts:9' };
  const facts = (isOver: boolean): string =>
    buildVerdict(
      inputOf(stalled, [cpu([['main > spin', 9]])], {
        ...hot,
        stall: { startMs: 3_600_000, lastedMs: 1400, isOver },
      }),
    ).cause.evidence.join('\n');
  t.regex(facts(true), /stood still for about 1\.40 s, from 01:00:00\.000 UTC on/);
  t.regex(facts(false), /still did 1\.40 s later/);
  t.regex(facts(true), /the line that ran most is \/app\/x\.ts:9: `while \(busy\) n\+\+;`/);
});

test('who is named for waiting work is the application, not a function of Node', (t) => {
  const pending = profileOf('pending', 'async_resources', [
    ['[TCPWRAP] > node:net', 900],
    ['[PROMISE] > handle', 90],
  ]);
  const { cause } = buildVerdict(
    inputOf(triggerOf('requests-waiting', 'serverInFlight', 700), [
      { profile: pending, threadId: 0, window: 'during' },
    ]),
  );
  t.is(cause.guilty?.name, 'handle');
});

test('a rule about the use of the processor gets the function that uses it, or is told that there is none', (t) => {
  const of = (stacks: readonly (readonly [string, number])[]) =>
    buildVerdict(inputOf(triggerOf('cpu', 'cpuOfLimitPercent', 92), [cpu(stacks)])).cause;
  const clear = of([
    ['main > render', 80],
    ['main > parse', 20],
  ]);
  t.is(clear.name, 'cpu-use');
  t.is(clear.guilty?.name, 'render');
  t.true(clear.evidence.includes('cpuOfLimitPercent was 92.0 %'));
  const spread = of(Array.from({ length: 20 }, (_, index) => [`main > f${index}`, 5] as const));
  t.is(spread.guilty, undefined);
  t.regex(spread.text, /no single function/);
});

test('promises that make up the pending count are what piles up, not descriptors', (t) => {
  const pending = profileOf('pending', 'async_resources', [['[PROMISE] > callBackend', 9000]]);
  const { cause } = buildVerdict(
    inputOf(
      triggerOf('goroutine', 'pendingCount', 9000),
      [{ profile: pending, threadId: 0, window: 'during' }],
      { samples: [{ atMs: 0, values: { 'resource:Timeout': 1 } }] },
    ),
  );
  t.is(cause.name, 'promise-leak');
  t.is(cause.guilty?.name, 'callBackend');
});

test('a pending count that nothing explains is not called a leak of descriptors', (t) => {
  const { cause } = buildVerdict(inputOf(triggerOf('goroutine', 'pendingCount', 9000), []));
  t.is(cause.name, 'not-known');
});

test('memory that has no place in the source is not blamed where a function has a fair share', (t) => {
  const guiltyOf = (stacks: readonly (readonly [string, number])[]): string | undefined =>
    buildVerdict(
      inputOf(triggerOf('heap-growth', 'heapUsedBytes', 60e6), [
        { profile: profileOf('heap', 'inuse_space', stacks), threadId: 0, window: 'during' },
      ]),
    ).cause.guilty?.name;
  const few: readonly (readonly [string, number])[] = [
    ['(external)', 60],
    ['cache', 40],
  ];
  t.is(guiltyOf(few), 'cache');
  t.is(guiltyOf([['(external)', 95] as const, ['cache', 5] as const]), '(external)');
});

test('a dump of suspended functions shows every await chain with its count', (t) => {
  const dump = profileOf('coroutines', 'await_chains', [
    ['handle > call > upstream', 700],
    ['retry > upstream', 40],
  ]);
  const trigger = { ...triggerOf('manual', ''), current: 0 };
  const verdict = buildVerdict(inputOf(trigger, [{ profile: dump, threadId: 0, window: 'during' }]));
  const page = verdictPage({ ...about, labels: {}, files: [], trigger }, verdict);
  t.regex(page, /\| +700 \| upstream \(\/app\/x\.js:7\) < call \(.*\) < handle/);
  t.regex(page, /\| +40 \| upstream \(.*\) < retry/);
});

const nanoseconds = (stacks: readonly (readonly [string, number])[]) =>
  stacks.map(([path, ms]) => [path, ms * 1e6] as const);

test('where the recorder charges the caller of an inlined function, what was sampled after it counts', (t) => {
  const during = cpu(
    nanoseconds([
      ['tick > handle > spin', 780],
      ['tick > handle', 20],
    ]),
  );
  const before = cpu(nanoseconds([['tick > handle', 900]]), 'before');
  const { cause, profiles } = buildVerdict(inputOf(stalled, [during, before]));
  t.is(cause.guilty?.name, 'spin');
  const recorded = profiles.find(({ window }) => window === 'before');
  t.is(recorded?.functions[0]?.name, 'spin');
  t.is(recorded?.inlinedInto?.name, 'handle');
});

test('what ran before the trigger and is no caller of what ran after it counts with its time', (t) => {
  const during = cpu(nanoseconds([['tick > rest', 300]]));
  const before = cpu(nanoseconds([['tick > spin', 900]]), 'before');
  t.is(buildVerdict(inputOf(stalled, [during, before])).cause.guilty?.name, 'spin');
});

test('what came after the trigger, and the window that the rule waited for, are not in the average', (t) => {
  const values = [...calm(30), 90, 90, 90, 90, 90, 90, 90, 300, 300, 300];
  const trigger = { ...triggerOf('busy', 'cpuPercent', 90), atMs: 36_000, settings: { forMs: 6000 } };
  t.deepEqual(movedOf(values, trigger), [
    { signal: 'cpuPercent', from: 10, to: 90, sinceMs: 30_000, overMs: 29_000 },
  ]);
});

test('what is not known names no function without a place', (t) => {
  const { cause } = buildVerdict(inputOf(triggerOf('mine', 'user:queue'), [cpu([['(program)', 1]])]));
  t.is(cause.name, 'not-known');
  t.is(cause.guilty, undefined);
});

test('of many worker threads the page shows all together and the busiest, after the main thread', (t) => {
  const workers = [1, 2, 3, 4, 5].map((threadId) => ({
    profile: profileOf('cpu', 'cpu', [[`work${threadId}`, threadId]]),
    threadId,
    threadName: `worker ${threadId}`,
    window: 'during' as const,
  }));
  const all = { ...cpu([['any', 15]]), threadId: -1, threadName: 'all threads' };
  const verdict = buildVerdict(inputOf(stalled, [cpu([['main', 1]]), ...workers, all]));
  const page = verdictPage({ ...about, labels: {}, files: [], trigger: stalled }, verdict);
  const sections = [...page.matchAll(/^## CPU time(?:, (.*?))?, while/gm)].map(
    ([, thread]) => thread ?? 'main',
  );
  t.deepEqual(sections, ['main', 'all threads', 'worker 5', 'worker 4', 'worker 3']);
});

test('memory outside the heap whose makers were not seen is not known, with what might have made it', (t) => {
  const heap = profileOf('heap', 'inuse_space', [['main > load', 100]]);
  const { cause } = buildVerdict(
    inputOf(triggerOf('external-growth', 'externalBytes', 90e6), [
      { profile: heap, threadId: 0, window: 'during' },
    ]),
  );
  t.is(cause.name, 'not-known');
  t.regex(cause.text, /Typed arrays.*native modules/);
  t.regex(cause.evidence.join('\n'), /memory outside the heap 85\.8 MB\n.*allocated in load/);
});
