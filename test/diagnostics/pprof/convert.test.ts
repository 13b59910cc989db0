import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import {
  decodePprof,
  encodePprof,
  fromCpuProfile,
  fromHeapProfile,
  fromHeapSamples,
  ProfileBuilder,
  toCpuProfile,
  toFolded,
  topFunctions,
  toSpeedscope,
} from '../../../src/diagnostics/pprof/index.ts';
import { convertProfile } from '../../../src/diagnostics/profile-file.ts';
import { rawCpu, rawHeap } from './sample-profiles.ts';

const cpu = fromCpuProfile(rawCpu, { kind: 'cpu', startMs: 1_700_000_000_000, labels: { service: 'shop' } });

test('a sample weighs the time until the next one and idle time is left out', (t) => {
  t.is(toFolded(cpu), 'handler;parse 4000000\nhandler;(anonymous server.js:20) 2000000\nhandler 1000000\n');
  t.is(cpu.durationMs, 13);
});

test('time in which no sample could be taken counts for nobody', (t) => {
  // The first sample, in the collector, then 300 ms without a core for the sampler, then one a millisecond.
  const samples = [2, ...Array.from({ length: 19 }, () => 3)];
  const timeDeltas = samples.map((_, index) => (index === 1 ? 300_000 : 1000));
  const endTime = rawCpu.startTime + timeDeltas.reduce<number>((sum, delta) => sum + delta, 1000);
  const profile = fromCpuProfile({ ...rawCpu, samples, timeDeltas, endTime }, { kind: 'cpu', startMs: 0 });
  const [first, second] = topFunctions(profile);
  t.deepEqual([first?.name, first?.flat], ['parse', 19_000_000]);
  t.deepEqual([second?.name, second?.flat], ['handler', 5_000_000]);
});

test('a wall profile keeps the time in which the loop waited', (t) => {
  const wall = fromCpuProfile(rawCpu, { kind: 'wall', startMs: 0 });
  t.regex(toFolded(wall), /^\(idle\) 5000000$/m);
});

test('the own time of a function is split over its lines', (t) => {
  const { samples, tree } = cpu;
  const byLine = new Map(samples.map(({ node, values }) => [tree.lines[node], values[1]]));
  t.is(byLine.get(31), 3_000_000);
  t.is(byLine.get(33), 1_000_000);
});

test('a window of the profile and labels of spans are taken by the time of the sample', (t) => {
  const spans = [{ startUs: 1_001_500, endUs: 1_003_500, labels: { route: '/cart' } }];
  const part = fromCpuProfile(rawCpu, { kind: 'cpu', startMs: 0, fromUs: 1_002_000, toUs: 1_005_000, spans });
  const sums = part.samples.map(({ values, labels }) => [values[0], labels?.['route']]);
  t.deepEqual(sums, [
    [1.5, '/cart'],
    [0.5, '/cart'],
    [0.75, undefined],
    [0.25, undefined],
  ]);
  t.is(part.durationMs, 3);
});

test('a heap profile counts bytes by stack', (t) => {
  const heap = fromHeapProfile(rawHeap, { kind: 'heap', startMs: 0 });
  t.is(toFolded(heap), 'leak 3000000\nleak;grow 1000000\n');
  t.deepEqual(topFunctions(heap)[0], {
    name: 'leak',
    file: '/app/leak.js',
    line: 5,
    flat: 3_000_000,
    cumulative: 4_000_000,
    flatRatio: 0.75,
    cumulativeRatio: 1,
  });
  t.is(fromHeapProfile(rawHeap, { kind: 'allocations', startMs: 0 }).sampleTypes[1]?.type, 'alloc_space');
});

test('of a heap profile what was sampled after a moment can be told apart, in its order', (t) => {
  const samples = rawHeap.samples?.map((sample, index) => ({ ...sample, ordinal: index + 7 }));
  const growth = fromHeapSamples({ ...rawHeap, samples }, 7, { kind: 'growth', startMs: 0 });
  t.is(toFolded(growth), 'leak 1500000\nleak;grow 1000000\n');
  t.deepEqual(
    growth.samples.map(({ labels }) => labels?.['ordinal']),
    [8, 9],
  );
});

test('pprof keeps frames, lines, values, labels, times and kind', (t) => {
  const again = decodePprof(encodePprof({ ...cpu, comments: ['why not'] }));
  t.is(toFolded(again), toFolded(cpu));
  t.is(again.kind, 'cpu');
  t.is(again.startMs, cpu.startMs);
  t.is(again.durationMs, cpu.durationMs);
  t.deepEqual(again.sampleTypes, cpu.sampleTypes);
  t.deepEqual(again.comments, ['why not']);
  t.deepEqual(again.samples[0]?.labels, { service: 'shop' });
  const parse = again.frames.find(({ name }) => name === 'parse');
  t.is(parse?.url, '/app/parse er.js');
  t.is(parse?.line, 30);
});

test('any tree of any names and values comes back from pprof', (t) => {
  const sample = fc.record({
    path: fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.nat(9)), {
      minLength: 1,
      maxLength: 6,
    }),
    value: fc.integer({ min: -(2 ** 40), max: 2 ** 50 }).filter((value) => value !== 0),
    label: fc.option(fc.oneof(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 1e9 })), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 20 }), (samples) => {
      const builder = new ProfileBuilder([{ type: 'things', unit: 'count' }]);
      for (const { path, value, label } of samples) {
        const frames = path.map(([name, line]) =>
          builder.frame({ name, url: `/${name}`, line: line + 1, column: 0 }),
        );
        builder.add(builder.path(frames), [value], label === undefined ? undefined : { key: label });
      }
      const profile = builder.build({ kind: 'cpu', startMs: 12 });
      const again = decodePprof(encodePprof(profile));
      t.is(toFolded(again), toFolded(profile));
      t.deepEqual(
        again.samples.map(({ labels }) => labels),
        profile.samples.map(({ labels }) => labels),
      );
    }),
    { numRuns: 200 },
  );
});

test('bytes that are no pprof are refused by name', (t) => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('not a profile'),
    gzipSync('neither'),
    Buffer.from([0x1f, 0x8b, 0]),
  ]) {
    t.throws(() => decodePprof(bytes, 'a.pb.gz'), { code: 'ERR_PROFILE_INVALID', message: /a\.pb\.gz/ });
  }
});

test('a tree beyond the bound is counted as truncated, not lost', (t) => {
  const builder = new ProfileBuilder([{ type: 'things', unit: 'count' }], 3);
  for (const name of ['a', 'b', 'c', 'd']) {
    builder.add(builder.child(0, builder.frame({ name, url: '', line: 0, column: 0 })), [1]);
  }
  t.is(toFolded(builder.build({ kind: 'cpu' })), '[truncated] 2\na 1\nb 1\n');
});

test('speedscope and cpuprofile hold the same weights', (t) => {
  const sheet = toSpeedscope(cpu, 'x') as { profiles: { weights: number[]; endValue: number }[] };
  t.is(sheet.profiles[1]?.endValue, 7_000_000);
  const again = fromCpuProfile(toCpuProfile(cpu), { kind: 'cpu', startMs: 0 });
  t.is(toFolded(again), toFolded(cpu));
});

test('a function that took nearly all the time keeps it in a cpuprofile', (t) => {
  const builder = new ProfileBuilder([{ type: 'cpu', unit: 'nanoseconds' }]);
  const path = (name: string): number =>
    builder.path([builder.frame({ name, url: '/a.js', line: 1, column: 1 })]);
  for (const [name, milliseconds] of [
    ['tiny', 0.2],
    ['caller', 10],
    ['collector', 44],
    ['culprit', 889],
  ] as const)
    builder.add(path(name), [milliseconds * 1e6]);
  const again = fromCpuProfile(toCpuProfile(builder.build({ kind: 'cpu' })), { kind: 'cpu', startMs: 0 });
  t.deepEqual(
    topFunctions(again).map(({ name, flat }) => [name, Math.round(flat / 1e5) / 10]),
    [
      ['culprit', 889],
      ['collector', 44],
      ['caller', 10],
      ['tiny', 0.2],
    ],
  );
});

test('bytes do not pass for times', (t) => {
  const builder = new ProfileBuilder([{ type: 'inuse_space', unit: 'bytes' }]);
  t.throws(() => convertProfile(builder.build({ kind: 'heap' }), 'cpuprofile', 'x'), {
    code: 'ERR_PROFILE_INVALID',
    message: /a cpuprofile holds times, and this heap profile bytes/,
  });
});
