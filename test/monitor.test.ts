import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { nodeProfilers } from '../src/diagnostics/node-profilers.ts';
import { cleanEnvironment, testDirectory } from './diagnostics/attach/child.ts';

const preload = new URL('../src/monitor.ts', import.meta.url).href;

/** What an application writes that has the monitor preloaded with these variables. */
async function outputWith(
  env: NodeJS.ProcessEnv,
  flags: readonly string[] = [],
  code = 'console.log("served")',
): Promise<{ stdout: string; stderr: string; code: number }> {
  const args = [...flags, '--import', preload, '-e', code];
  const child = spawn(process.execPath, args, { env: cleanEnvironment(env) });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const exitCode = await new Promise<number>((resolve) => child.once('close', resolve));
  return { ...output, code: exitCode };
}

test('settings that are wrong are one line that names them, and the application runs', async (t) => {
  const directory = await testDirectory(t);
  const cases: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [
      { HEDDLE_MONITOR: '{bad' },
      /^heddle\/monitor: HEDDLE_MONITOR is no JSON: .*; the application runs without it\n$/,
    ],
    [
      { HEDDLE_MONITOR: '{"rulez":1,"intervalMs":1}' },
      /^heddle\/monitor: .*intervalMs: .*rulez: there is no such setting.*\n$/,
    ],
    [
      { HEDDLE_MONITOR: '{"rules":{"stal":false}}' },
      /^heddle\/monitor: \[ERR_MONITOR_RULES\].*no such rule.*\n$/,
    ],
    [{ HEDDLE_PROFILES: '/proc/none' }, /^heddle\/monitor: \[ERR_MONITOR_DIRECTORY\].*\/proc\/none.*\n$/],
  ];
  const outputs = await Promise.all(cases.map(([env]) => outputWith({ HEDDLE_PROFILES: directory, ...env })));
  for (const [index, [, expected]] of cases.entries()) {
    t.like(outputs[index], { code: 0, stdout: 'served\n' });
    t.regex(outputs[index]?.stderr ?? '', expected);
  }
});

test('a Node.js that is too old runs the application without a monitor, and says so', async (t) => {
  const directory = await testDirectory(t);
  // What such a version has not got is taken away before anything of the package could use it.
  const old = join(directory, 'old.mjs');
  await writeFile(
    old,
    `delete process.getBuiltinModule; Object.defineProperty(process.versions, 'node', { value: '20.9.0' });`,
  );
  const { code, stdout, stderr } = await outputWith({ HEDDLE_PROFILES: directory }, [
    '--import',
    pathToFileURL(old).href,
  ]);
  t.is(code, 0);
  t.is(stdout, 'served\n');
  t.regex(stderr, /^heddle\/monitor: Node\.js 22\.18 or newer is needed, this is 20\.9\.0; the app.*\n$/);
});

test('where the inspector is not permitted the application runs without a monitor, and does not abort', async (t) => {
  const flags = ['--permission', '--allow-worker', '--allow-fs-read=*', '--allow-fs-write=*'];
  const { stdout, stderr, code } = await outputWith({ HEDDLE_PROFILES: await testDirectory(t) }, flags);
  t.is(code, 0);
  t.is(stdout, 'served\n');
  t.regex(
    stderr,
    /heddle\/monitor: \[ERR_MONITOR_START\].*--permission.*; the application runs without it\n/,
  );
});

test('profiles that Node itself takes of the run are not spoilt', async (t) => {
  const directory = await testDirectory(t);
  for (const kind of ['cpu', 'heap']) {
    const flags = [`--${kind}-prof`, `--${kind}-prof-dir=${directory}`];
    const { stderr, code } = await outputWith(
      { HEDDLE_PROFILES: join(directory, 'captures') },
      flags,
      // So that recorder and sampler run by then.
      'setTimeout(() => {}, 1500)',
    );
    t.is(code, 0);
    t.is(stderr, '', kind);
    t.true(
      readdirSync(directory).some((name) => name.endsWith(`.${kind}profile`)),
      kind,
    );
  }
  t.deepEqual(nodeProfilers('--cpu-prof-dir=x --heap-prof-interval=1'), { cpu: false, heap: false });
  t.deepEqual(nodeProfilers('--enable-source-maps --cpu-prof --heap-prof'), { cpu: true, heap: true });
});
