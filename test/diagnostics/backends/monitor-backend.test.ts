import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { encodePprof } from '../../../src/diagnostics/pprof/index.ts';
import { ProfileBuilder } from '../../../src/diagnostics/pprof/profile-builder.ts';
import { cleanEnvironment, testDirectory } from '../attach/child.ts';

const run = promisify(execFile);
const fixture = new URL('../../fixtures/diagnostics/monitored-backend.ts', import.meta.url).pathname;

interface Outcome {
  readonly backend: { readonly name: string; readonly note: string };
  readonly problems: readonly string[];
  readonly tops: readonly string[];
  readonly missing: readonly string[];
}

async function monitoredIn(cwd: string, backend: string): Promise<Outcome> {
  const args = [fixture, backend, join(cwd, 'captures')];
  const { stdout } = await run(process.execPath, args, { cwd, env: cleanEnvironment() });
  return JSON.parse(stdout) as Outcome;
}

/** A pprof file of one function, in base64. */
function profileOf(name: string, type: string): string {
  const builder = new ProfileBuilder([{ type, unit: 'count' }]);
  const frame = builder.frame({ name, url: 'file:///app/native.js', line: 3, column: 1 });
  builder.add(builder.path([frame]), [7]);
  return Buffer.from(encodePprof(builder.build({ kind: type }))).toString('base64');
}

test('the monitor profiles with the package that it was told to use', async (t) => {
  const directory = await testDirectory(t);
  const home = join(directory, 'node_modules', '@datadog', 'pprof');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'package.json'), JSON.stringify({ name: '@datadog/pprof', main: 'index.js' }));
  const file = (name: string, type: string): string =>
    `{ encode: () => Buffer.from('${profileOf(name, type)}', 'base64') }`;
  const code = `exports.time = { start() {}, stop: () => (${file('nativeBurner', 'cpu')}) };
exports.heap = { start() {}, stop() {}, profile: () => (${file('nativeKeeper', 'inuse_space')}) };`;
  await writeFile(join(home, 'index.js'), code);
  const { backend, problems, tops } = await monitoredIn(directory, 'auto');
  t.deepEqual(backend, { name: 'datadog', note: '' });
  t.deepEqual(problems, []);
  t.true(tops.includes('cpu nativeBurner'), tops.join(', '));
  t.true(tops.includes('heap nativeKeeper'), tops.join(', '));
});

test('one that cannot be loaded is told at once and on each page, and the inspector takes its place', async (t) => {
  const { backend, problems, tops, missing } = await monitoredIn(await testDirectory(t), 'pprof');
  t.is(backend.name, 'inspector');
  t.regex(backend.note, /"pprof" is not installed .*; the inspector is used instead$/);
  t.deepEqual(missing, [backend.note]);
  t.true(problems.length <= 1 && (problems[0] ?? backend.note) === backend.note);
  t.true(tops.some((top) => top.startsWith('heap ')));
});
