import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { fromNative } from '../../../src/diagnostics/backends/native.ts';
import { mergeProfiles } from '../../../src/diagnostics/captures/merge.ts';
import { encodePprof } from '../../../src/diagnostics/pprof/index.ts';
import { ProfileBuilder, syntheticFrame } from '../../../src/diagnostics/pprof/profile-builder.ts';
import type { Profile } from '../../../src/diagnostics/profile-model.ts';
import { cleanEnvironment, testDirectory } from '../attach/child.ts';

const run = promisify(execFile);
const fixture = new URL('../../fixtures/diagnostics/backend.ts', import.meta.url).pathname;

const profileIn = async (cwd: string, ...args: string[]) => {
  const { stdout } = await run(process.execPath, [fixture, ...args], { cwd, env: cleanEnvironment() });
  return JSON.parse(stdout) as { name: string; note: string; cpu: string[]; heap: string[] };
};

/** A package in `node_modules` of a directory of the test's own. */
const withPackage = async (
  t: Parameters<typeof testDirectory>[0],
  name: string,
  code: string,
): Promise<string> => {
  const directory = await testDirectory(t);
  const home = join(directory, 'node_modules', name);
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
  await writeFile(join(home, 'index.js'), code);
  return directory;
};

test('the inspector needs nothing and names who burns time and who keeps memory', async (t) => {
  const { name, note, cpu, heap } = await profileIn(await testDirectory(t), 'inspector');
  t.is(name, 'inspector');
  t.is(note, '');
  t.is(cpu[0], 'spin');
  t.is(heap[0], 'leak');
});

test('a package that is not installed is named with its install command, and the inspector takes its place', async (t) => {
  const directory = await testDirectory(t);
  for (const [backend, install] of [
    ['datadog', 'npm install @datadog/pprof'],
    ['pprof', 'npm install pprof'],
  ] as const) {
    const { name, note, cpu } = await profileIn(directory, backend);
    t.is(name, 'inspector');
    t.true(note.includes(`is not installed (${install}`), note);
    t.true(note.endsWith('the inspector is used instead'));
    t.is(cpu[0], 'spin');
  }
});

test('a package built for another Node.js says so', async (t) => {
  const message =
    'The module was compiled against a different Node.js version using\\nNODE_MODULE_VERSION 115. This version of Node.js requires\\nNODE_MODULE_VERSION 137. Please try';
  const directory = await withPackage(t, 'pprof', `throw new Error("${message}");`);
  const { note } = await profileIn(directory, 'pprof');
  t.regex(note, /built for another Node\.js \(module version 115, this one has 137\)/);
});

test('pprof in a worker thread is refused with the reason', async (t) => {
  const { note } = await profileIn(await testDirectory(t), 'pprof', 'worker');
  t.regex(note, /works on the main thread only/);
});

test('what a package calls otherwise than V8 gets V8’s name, so that the collector’s time is counted', (t) => {
  const builder = new ProfileBuilder([{ type: 'cpu', unit: 'nanoseconds' }]);
  const path = ['Node.js', 'Garbage Collection'].map((name) => builder.frame(syntheticFrame(name)));
  builder.add(builder.path(path), [7]);
  const own = builder.frame({ name: 'Garbage Collection', url: 'file:///app/game.js', line: 3, column: 1 });
  builder.add(builder.path([own]), [7]);
  const profile = fromNative(encodePprof(builder.build({ kind: 'cpu' })), 'cpu');
  const names = profile.frames.map(({ name }) => name);
  t.deepEqual(names, ['Node.js', '(garbage collector)', 'Garbage Collection']);
});

test('a package that counts microseconds or has other columns can be put together with what the recorder has', (t) => {
  const of = (types: readonly (readonly [string, string])[], values: readonly number[]): Profile => {
    const builder = new ProfileBuilder(types.map(([type, unit]) => ({ type, unit })));
    const frame = builder.frame({ name: 'spin', url: 'file:///app/x.js', line: 3, column: 1 });
    builder.add(builder.path([frame]), values);
    return builder.build({ kind: 'cpu' });
  };
  const native = of(
    [
      ['sample', 'count'],
      ['wall', 'microseconds'],
    ],
    [1, 2000],
  );
  const totals = (...profiles: Profile[]): number[] => {
    const merged = mergeProfiles(profiles);
    const columns = merged?.sampleTypes.map((_, column) => column) ?? [];
    return columns.map(
      (column) => merged?.samples.reduce((sum, { values }) => sum + (values[column] ?? 0), 0) ?? 0,
    );
  };
  const converted = fromNative(encodePprof(native), 'cpu');
  t.deepEqual(converted.sampleTypes[1], { type: 'wall', unit: 'nanoseconds' });
  const recorded = of(
    [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    [1, 5e6],
  );
  const three = of(
    [
      ['sample', 'count'],
      ['wall', 'nanoseconds'],
      ['cpu', 'nanoseconds'],
    ],
    [1, 9e6, 7e6],
  );
  t.deepEqual(totals(converted, recorded), [1, 7e6]);
  t.deepEqual(totals(three, recorded), [1, 9e6, 12e6]);
});
