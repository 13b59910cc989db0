import { spawn } from 'node:child_process';
import test from 'ava';
import { cleanEnvironment, testDirectory } from './diagnostics/attach/child.ts';

const preload = new URL('../src/monitor.ts', import.meta.url).href;

/** What an application writes that has the monitor preloaded with these variables. */
async function outputWith(env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string; code: number }> {
  const args = ['--import', preload, '-e', 'console.log("served")'];
  const child = spawn(process.execPath, args, { env: cleanEnvironment(env) });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const code = await new Promise<number>((resolve) => child.once('close', resolve));
  return { ...output, code };
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
