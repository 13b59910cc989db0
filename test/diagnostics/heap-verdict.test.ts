import test from 'ava';
import type { SignalSample } from '../../src/core/contract/signal.ts';
import type { CaptureTrigger } from '../../src/core/contract/sink.ts';
import type { CaptureJob } from '../../src/diagnostics/captures/job.ts';
import { ProfileBuilder } from '../../src/diagnostics/pprof/index.ts';
import type { Profile } from '../../src/diagnostics/profile-model.ts';
import { buildVerdict } from '../../src/diagnostics/verdict/build.ts';
import { heapTrend } from '../../src/diagnostics/verdict/heap-trend.ts';
import type { Cause } from '../../src/diagnostics/verdict/verdict-types.ts';
import { SecondLook } from '../../src/diagnostics/worker/second-look.ts';

const megabyte = 1024 * 1024;
const limitBytes = 150 * megabyte;

interface Second {
  readonly usedMb: number;
  readonly afterGcMb: number;
  readonly collections: number;
  readonly gcPercent: number;
}

/** One sample a second; `collections` are those of that second. */
function samplesOf(seconds: readonly Second[]): SignalSample[] {
  let majorGcCount = 0;
  return seconds.map(({ usedMb, afterGcMb, collections, gcPercent }, second) => {
    majorGcCount += collections;
    const heapUsedBytes = usedMb * megabyte;
    return {
      atMs: second * 1000,
      values: {
        heapUsedBytes,
        heapAfterGcBytes: afterGcMb * megabyte,
        heapOfLimitPercent: (heapUsedBytes / limitBytes) * 100,
        majorGcCount,
        gcTimePercent: gcPercent,
      },
    };
  });
}

const times = (count: number, make: (index: number) => Second): Second[] =>
  Array.from({ length: count }, (_, index) => make(index));
const quiet = times(10, () => ({ usedMb: 12, afterGcMb: 11, collections: 0, gcPercent: 0 }));
const filling: Second = { usedMb: 96, afterGcMb: 80, collections: 5, gcPercent: 6 };
/** A large live set: garbage comes and goes on top of it. */
const full = (seconds: number, gcPercent: number): Second[] =>
  times(seconds, (index) => ({ usedMb: 113 + (index % 4) * 8, afterGcMb: 112, collections: 4, gcPercent }));
/** Each collection leaves more than the one before. */
const growing = (seconds: number, fromMb: number, byMb: number, gcPercent: number): Second[] =>
  times(seconds, (index) => ({
    usedMb: fromMb + byMb * index + (index % 3) * 5,
    afterGcMb: fromMb + byMb * index,
    collections: 4,
    gcPercent,
  }));

function profileOf(kind: string, type: string, stacks: readonly (readonly [string, number])[]): Profile {
  const builder = new ProfileBuilder([{ type, unit: type === 'cpu' ? 'nanoseconds' : 'bytes' }]);
  for (const [name, value] of stacks) {
    const url = name.startsWith('(') ? '' : 'file:///app/x.js';
    const frame = builder.frame({ name, url, line: url === '' ? 0 : 7, column: 1 });
    builder.add(builder.path([frame]), [value]);
  }
  return builder.build({ kind, startMs: 0, durationMs: 1000 });
}

const heap = profileOf('heap', 'inuse_space', [
  ['loadCatalog', 90],
  ['price', 10],
]);
const cpu = profileOf('cpu', 'cpu', [
  ['(garbage collector)', 80],
  ['price', 15],
  ['loadCatalog', 5],
]);
const triggerOf = (signal: string, current: number): CaptureTrigger => ({
  rule: signal === 'gcTimePercent' ? 'gc-thrash' : 'near-heap-limit',
  signal,
  reason: 'r',
  current,
  average: 0,
  settings: {},
  previous: [],
  atMs: 10_200,
});
const nearLimit = triggerOf('heapOfLimitPercent', 88);

const causeOf = (seconds: readonly Second[], trigger = nearLimit, profiles = [heap]): Cause =>
  verdictOf(samplesOf(seconds), trigger, profiles);

function verdictOf(
  samples: readonly SignalSample[],
  trigger: CaptureTrigger,
  profiles: readonly Profile[],
): Cause {
  return buildVerdict({
    service: 'shop',
    trigger,
    samples,
    profiles: profiles.map((profile) => ({ profile, threadId: 0, window: 'during' })),
    stallCpuShare: 1,
    hotLine: '',
    missing: [],
  }).cause;
}

test('a full heap that collections leave as it is, at the price of most of the time, is thrashed by who allocates', (t) => {
  const cause = causeOf([...quiet, filling, ...full(6, 70)], nearLimit, [heap, cpu]);
  t.is(cause.name, 'gc-thrash');
  t.is(cause.guilty?.name, 'price', 'it makes the garbage; what is alive was made by another');
  t.is(cause.confidence, 'high');
  t.true(
    cause.evidence.some((fact) =>
      fact.includes('90 % of the sampled heap in use was allocated in loadCatalog'),
    ),
  );
  t.true(cause.evidence.some((fact) => fact.includes('112.0 MB to 112.0 MB: it does not grow')));
});

test('without a profile that shows garbage the largest owner of the heap is named', (t) => {
  const cause = causeOf([...quiet, filling, ...full(6, 70)]);
  t.is(cause.name, 'gc-thrash');
  t.is(cause.guilty?.name, 'loadCatalog');
});

test('a heap that grows after each collection is a leak, however busy the collector is', (t) => {
  const cause = causeOf(growing(30, 70, 2, 70), nearLimit, [heap, cpu]);
  t.is(cause.name, 'heap-leak');
  t.is(cause.guilty?.name, 'loadCatalog');
  t.is(cause.confidence, 'high');
  t.true(cause.evidence.some((fact) => fact.endsWith('it grows')));
});

test('a slow leak is one too: it has crept to the limit for two minutes', (t) => {
  t.is(causeOf(growing(120, 100, 0.3, 40)).name, 'heap-leak');
});

test('near the limit with few collections seen yet the verdict does not pretend to know', (t) => {
  for (const seconds of [[...quiet, filling], [...quiet, filling, ...full(2, 60)], quiet]) {
    const cause = causeOf(seconds);
    t.is(cause.name, 'heap-leak');
    t.is(cause.confidence, 'medium');
    t.regex(cause.text, /Too few collections/);
  }
});

test('a full heap without much work for the collector is a limit that is too low', (t) => {
  const cause = causeOf([...quiet, filling, ...full(8, 8)]);
  t.is(cause.name, 'memory-limit');
  t.is(cause.guilty?.name, 'loadCatalog');
});

test('a collector that is busy because the heap has grown for long is a symptom of the leak', (t) => {
  const busy = triggerOf('gcTimePercent', 60);
  t.is(causeOf(growing(30, 70, 2, 60), busy).name, 'heap-leak');
  t.is(causeOf([...quiet, filling, ...full(5, 60)], busy).name, 'gc-thrash');
  t.is(causeOf([...quiet, ...growing(5, 90, 6, 60)], busy).name, 'gc-thrash', 'it may just be filling');
});

test('a heap that was freed is judged by what is left', (t) => {
  const seconds = [
    ...growing(10, 100, 3, 20),
    ...times(5, () => ({ usedMb: 30, afterGcMb: 20, collections: 1, gcPercent: 1 })),
  ];
  t.not(heapTrend(samplesOf(seconds)).state, 'grows');
  t.is(heapTrend([]).state, 'unknown');
});

const jobOf = (seconds: readonly Second[]): CaptureJob => ({
  id: 'shop-1-0-e1',
  eventId: 'e1',
  serial: 1,
  service: 'shop',
  pid: 1,
  directory: '/nowhere',
  labels: {},
  trigger: nearLimit,
  artifacts: [],
  samples: samplesOf(seconds),
  startMs: 10_200,
  endMs: 10_500,
  troubleMs: 5_200,
  stallCpuShare: 1,
  missing: [],
  bounds: { maxFiles: 1, maxBytes: 1, maxAgeMs: 1 },
  keepRaw: false,
});
const freedBelowBytes = 72 * megabyte;

test('an emergency that could not be judged is judged again, once, as soon as the samples tell', (t) => {
  const look = new SecondLook();
  const first = [...quiet, filling];
  look.watch({ job: jobOf(first), freedBelowBytes });
  const all = samplesOf([...first, ...full(9, 70)]);
  const later = all.slice(first.length).map((_, index) => look.due(all.slice(0, first.length + index + 1)));
  const found = later.filter((job) => job !== undefined);
  t.is(found.length, 1);
  const [job] = found;
  t.is(job?.eventId, 'e1', 'both pages belong to one event');
  t.is(job?.startMs, 15_000);
  t.regex(job?.trigger.reason ?? '', /looked at again 4\.8 s later/);
});

test('where the collector takes over after the second look there is a third one, and no more', (t) => {
  const look = new SecondLook();
  const first = [...quiet, filling];
  look.watch({ job: jobOf(first), freedBelowBytes });
  const later = [...full(5, 2), ...full(12, 90)];
  const all = samplesOf([...first, ...later]);
  const found = later.map((_, index) => look.due(all.slice(0, first.length + index + 1)));
  const jobs = found.filter((job) => job !== undefined);
  t.is(jobs.length, 2);
  const causes = jobs.map(({ trigger, samples }) => verdictOf(samples, trigger, [heap]).name);
  t.deepEqual(causes, ['memory-limit', 'gc-thrash']);
});

test('pauses that are told late count for the time that they took', (t) => {
  const told = [0, 0, 0, 0, 400, 400, 400, 400, 2400];
  const values = (gcPauseMs: number, index: number) => ({
    ...(samplesOf(full(9, Math.min(100, index === 8 ? 200 : 0)))[index]?.values ?? {}),
    gcPauseMs,
  });
  const samples = told.map((gcPauseMs, index) => ({ atMs: index * 1000, values: values(gcPauseMs, index) }));
  t.is(heapTrend(samples).collectorPercent, 30);
  const withoutTotal = samples.map(({ atMs, values: { gcPauseMs: _, ...rest } }) => ({ atMs, values: rest }));
  t.true(heapTrend(withoutTotal).collectorPercent < 15);
});

test('there is no second look where the first verdict knew, nor where the heap was freed or nothing tells', (t) => {
  const looksOf = (first: readonly Second[], later: readonly Second[]): number => {
    const look = new SecondLook();
    look.watch({ job: jobOf(first), freedBelowBytes });
    const all = samplesOf([...first, ...later]);
    return later.filter((_, index) => look.due(all.slice(0, first.length + index + 1)) !== undefined).length;
  };
  t.is(looksOf(growing(30, 70, 2, 70), full(9, 70)), 0);
  const freed = times(9, () => ({ usedMb: 30, afterGcMb: 20, collections: 2, gcPercent: 1 }));
  t.is(looksOf([...quiet, filling], freed), 0);
  const still = times(30, () => ({ usedMb: 120, afterGcMb: 80, collections: 0, gcPercent: 0 }));
  t.is(looksOf([...quiet, filling], [...still, ...full(9, 70)]), 0);
});
