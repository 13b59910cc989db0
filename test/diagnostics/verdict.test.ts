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
  t.regex(page, /^# shop: sync-work \(stall\)/);
  t.true(page.includes('spin\\| me'));
  t.true(page.includes('| stallMs | 0.0 ms | 600.0 ms |'));
  t.true(page.includes('- heap: no'));
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
