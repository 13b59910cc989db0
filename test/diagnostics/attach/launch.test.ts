import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { AgentHub, type HubAgent, preloadEnvironment } from '../../../src/diagnostics/attach/index.ts';
import { startChild, testDirectory, until } from './child.ts';

const launcher = new URL('../../fixtures/diagnostics/launch.ts', import.meta.url).pathname;
const launchChild = (t: Parameters<typeof startChild>[0], monitor: object, command: readonly string[]) =>
  startChild(t, process.execPath, [launcher, JSON.stringify(monitor), ...command], { waitForReady: false });

test.serial('a command runs with the monitor inside; its output and exit code are its own', async (t) => {
  const directory = await testDirectory(t);
  const code = `process.stdout.write('out'); process.stderr.write('err'); process.exitCode = 7;`;
  const app = await launchChild(t, { directory }, [process.execPath, '-e', code]);
  t.deepEqual(await app.exited, { code: 7, signal: null });
  t.deepEqual(app.output, { stdout: 'out', stderr: 'err' });
});

test.serial('children carry a monitor too, and all of them join the hub', async (t) => {
  const directory = await testDirectory(t);
  const joined: HubAgent[] = [];
  const hub = await AgentHub.open(join(directory, 'hub.sock'), { onJoin: (agent) => joined.push(agent) });
  t.teardown(() => hub.close());
  const code = `
    const { spawn } = require('node:child_process');
    if (process.argv[1] !== 'child') {
      const child = spawn(process.execPath, [...process.execArgv, 'child'], { stdio: 'inherit' });
      process.on('SIGTERM', () => { child.kill(); process.exit(0); });
    }
    setInterval(() => {}, 1e6);`;
  const monitor = { directory, control: { dial: hub.path } };
  const app = await launchChild(t, monitor, [process.execPath, '-e', code]);
  await until('two monitors', () => joined.length === 2);
  t.is(new Set(joined.map(({ hello }) => hello.pid)).size, 2);
  app.process.kill('SIGTERM');
  t.deepEqual(await app.exited, { code: 0, signal: null });
  await until('both to leave', () => hub.agents().length === 0);
});

test.serial('a signal that ends the command ends the launcher in the same way', async (t) => {
  const directory = await testDirectory(t);
  const app = await launchChild(t, { directory }, [
    process.execPath,
    '-e',
    `console.log('up'); setInterval(() => {}, 1e6)`,
  ]);
  await until('the command to run', () => app.output.stdout.includes('up'));
  app.process.kill('SIGTERM');
  t.is((await app.exited).signal, 'SIGTERM');
});

test.serial(
  'a process that kills itself, as shutdown libraries do, says nothing of a debugger',
  async (t) => {
    const directory = await testDirectory(t);
    const code = `setTimeout(() => process.kill(process.pid, 'SIGTERM'), 600); setInterval(() => {}, 1e6);`;
    const app = await launchChild(t, { directory }, [process.execPath, '-e', code]);
    t.is((await app.exited).signal, 'SIGTERM');
    t.deepEqual(app.output, { stdout: '', stderr: '' });
  },
);

test.serial('a command that does not exist is named', async (t) => {
  const app = await launchChild(t, {}, ['no-such-command-here']);
  t.is((await app.exited).code, 127);
  t.regex(app.output.stderr, /"no-such-command-here" cannot be started/);
});

test('the preload is an absolute URL, added once, behind what is there', (t) => {
  const first = preloadEnvironment({ NODE_OPTIONS: '--trace-warnings' }, { service: 'x' });
  t.regex(first['NODE_OPTIONS'] ?? '', /^--trace-warnings --import file:\/\/\/.*\/src\/monitor\.ts$/);
  t.is(preloadEnvironment(first, {})['NODE_OPTIONS'], first['NODE_OPTIONS']);
  t.deepEqual(JSON.parse(first['HEDDLE_MONITOR'] ?? ''), { service: 'x' });
  const own = { HEDDLE_MONITOR: '{"warmUpMs":5,"service":"y"}' };
  const both = preloadEnvironment(own, { service: 'x' })['HEDDLE_MONITOR'] ?? '';
  t.deepEqual(JSON.parse(both), { warmUpMs: 5, service: 'x' }, 'settings of the environment stay');
  t.throws(() => preloadEnvironment({ HEDDLE_MONITOR: '{' }, {}), { message: /HEDDLE_MONITOR is no JSON/ });
});

test.serial('a path taken by a live hub is refused, one left behind is taken over', async (t) => {
  const directory = await testDirectory(t);
  const path = join(directory, 'hub.sock');
  const hub = await AgentHub.open(path, {});
  await t.throwsAsync(AgentHub.open(path, {}), { code: 'ERR_ATTACH_FAILED', message: /already serves/ });
  await hub.close();
  t.deepEqual(await readdir(directory), []);
  const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const dead = await startChild(t, process.execPath, ['-e', code], { waitForReady: false });
  await dead.exited;
  t.deepEqual(await readdir(directory), ['hub.sock']);
  const next = await AgentHub.open(path, {});
  await next.close();
});
