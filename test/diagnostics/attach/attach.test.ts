import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  attach,
  controlSocketPath,
  RemoteControl,
  readProcess,
} from '../../../src/diagnostics/attach/index.ts';
import { listeningPorts, readListeners } from '../../../src/diagnostics/attach/listening-ports.ts';
import { decodePprof, topFunctions } from '../../../src/diagnostics/pprof/index.ts';
import { startApp, startChild, testDirectory, until } from './child.ts';

// Without --inspect-port=0 every target would want port 9229, and tests run at the same time.
const anyPort = ['--inspect-port=0'];
const threadsOf = (pid: number): number => readProcess(pid)?.threads ?? 0;
const isAlive = (pid: number): boolean => /^State:\s+[^Z]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

test.serial('a monitor is put into a running process, profiles it and leaves nothing behind', async (t) => {
  const app = await startApp(t, '', anyPort);
  const threads = threadsOf(app.pid);
  const monitor = { directory: await testDirectory(t), service: 'shop' };
  const { control, wasRunning } = await attach(app.pid, { monitor });
  t.false(wasRunning);
  t.is(control.hello.pid, app.pid);
  t.is((await control.status()).service, 'shop');
  t.deepEqual([...listeningPorts(app.pid)], []);
  const second = await attach(app.pid);
  t.true(second.wasRunning);
  second.control.close();
  await control.stop();
  await until('the thread to end', () => threadsOf(app.pid) <= threads + 1);
  const again = await attach(app.pid, { monitor });
  t.false(again.wasRunning);
  again.control.close();
  t.true(isAlive(app.pid));
});

test.serial('it works while the process is blocked, and the port stays closed when it goes on', async (t) => {
  const directory = await testDirectory(t);
  const end = join(directory, 'end');
  const block = `
    const isOver = () => require('node:fs').existsSync(${JSON.stringify(end)});
    function hotLoop() {
      for (let sum = 0; ; ) {
        const look = Date.now() + 100;
        while (Date.now() < look) sum += Math.sqrt(sum + 1);
        if (isOver()) return sum;
      }
    }
    setTimeout(() => { hotLoop(); console.log('over'); }, 100);`;
  const app = await startApp(t, block, anyPort);
  await until('the loop to be hot', () => (readProcess(app.pid)?.cpuTicks ?? 0) > 20);
  const { control } = await attach(app.pid, {
    monitor: { directory, recorder: false },
  });
  t.deepEqual([...listeningPorts(app.pid)], []);
  const capture = await control.capture({ kinds: ['cpu'], durationMs: 1500 });
  const file = capture.files.find(({ kind }) => kind === 'cpu');
  const [top] = topFunctions(decodePprof(await readFile(file?.path ?? '')));
  t.is(top?.name, 'hotLoop');
  await writeFile(end, '');
  await until('the loop to end', () => app.output.stdout.includes('over'));
  await until('the port to be closed', () => listeningPorts(app.pid).size === 0);
  control.close();
});

test.serial('a monitor that the application has started itself is joined and left as it was', async (t) => {
  const directory = await testDirectory(t);
  const preload = new URL('../../../src/monitor.ts', import.meta.url).href;
  const own = JSON.stringify({ service: 'own', directory, recorder: false });
  const app = await startApp(t, '', [...anyPort, '--import', preload], { HEDDLE_MONITOR: own });
  const first = await attach(app.pid, { monitor: { service: 'other', directory } });
  t.true(first.wasRunning);
  const threads = threadsOf(app.pid);
  t.is((await first.control.status()).service, 'own');
  first.control.close();
  const { control, wasRunning } = await attach(app.pid);
  t.true(wasRunning);
  t.is(app.output.stderr.match(/Debugger listening/g)?.length, 1, 'the second time it answers by itself');
  const { files } = await control.capture({ kinds: ['heap'] });
  t.is(files[0]?.kind, 'heap', 'nobody took its heap sampler away');
  t.true(threadsOf(app.pid) >= threads);
  control.close();
});

test.serial('a process that ends takes its control socket with it', async (t) => {
  const app = await startApp(t, `process.on('SIGTERM', () => process.exit(0));`, anyPort);
  const monitor = { directory: await testDirectory(t), recorder: false };
  const { control } = await attach(app.pid, { monitor });
  const path = controlSocketPath(app.pid);
  t.true(existsSync(path));
  const gone = new Promise<void>((resolve) => control.onClose(resolve));
  app.process.kill('SIGTERM');
  await gone;
  await app.exited;
  t.false(existsSync(path));
  await t.throwsAsync(control.status(), { code: 'ERR_MONITOR_STOPPED', message: /process \d+ has ended/ });
});

test.serial('an old Node.js is named by its version, and goes on untouched', async (t) => {
  const old = `delete process.getBuiltinModule; Object.defineProperty(process.versions, 'node', { value: '18.20.8' });
    setInterval(() => console.log('turn'), 20);`;
  const app = await startApp(t, old, anyPort);
  await t.throwsAsync(attach(app.pid), { code: 'ERR_NODE_VERSION', message: /runs Node\.js 18\.20\.8/ });
  const { length } = app.output.stdout;
  await until('the loop to turn on', () => app.output.stdout.length > length + 20);
  t.true(isAlive(app.pid));
  t.is(listeningPorts(app.pid).size, 0);
});

test.serial('settings that the process cannot use come back as the error that they are', async (t) => {
  const app = await startApp(t, '', anyPort);
  const failure = await t.throwsAsync(attach(app.pid, { monitor: { directory: '/proc/none' } }), {
    code: 'ERR_MONITOR_DIRECTORY',
    message: new RegExp(`process ${app.pid}: /proc/none: ENOENT`),
  });
  t.false(failure?.message.includes(' at '), 'no stack');
  t.is(readListeners(app.pid).own.size, 0);
});

test.serial('what must not be attached to is refused with the reason and goes on untouched', async (t) => {
  const sleep = await startChild(t, 'sleep', ['1000'], { waitForReady: false });
  const deaf = await startApp(t, '', ['--disable-sigusr1']);
  const debugged = await startApp(t, '', ['--inspect=127.0.0.1:0']);
  const stopped = await startApp(t, '', anyPort);
  stopped.process.kill('SIGSTOP');
  await until('the process to stop', () => readProcess(stopped.pid)?.state === 'T');
  const cases: readonly [number, RegExp][] = [
    [sleep.pid, /is not Node\.js \(it runs .*sleep\)/],
    [deaf.pid, /does not listen to SIGUSR1/],
    [debugged.pid, /already has a debugger/],
    [stopped.pid, /is stopped/],
    [process.pid, /it is this process/],
    [2 ** 22 + 1, /there is no process/],
  ];
  for (const [pid, reason] of cases) {
    await t.throwsAsync(attach(pid), { code: 'ERR_ATTACH_REFUSED', message: reason });
  }
  for (const { pid } of [sleep, deaf, debugged, stopped]) t.true(isAlive(pid), `${pid}`);
});

test.serial(
  'a process with its own SIGUSR1 handler is told apart by the port that does not appear',
  async (t) => {
    const app = await startApp(t, `process.on('SIGUSR1', () => console.log('mine'));`);
    const failure = attach(app.pid, { timeoutMs: 700 });
    await t.throwsAsync(failure, { code: 'ERR_ATTACH_FAILED', message: /own SIGUSR1 handler/ });
    t.true(isAlive(app.pid));
    t.deepEqual([...listeningPorts(app.pid)], []);
  },
);

test.serial('a process that ends while it is attached to is named', async (t) => {
  const app = await startApp(t, `process.on('SIGUSR1', () => process.exit(3));`);
  await t.throwsAsync(attach(app.pid), { code: 'ERR_ATTACH_FAILED', message: /has ended/ });
  await t.throwsAsync(RemoteControl.connect('/no/such.sock'), { code: 'ERR_ATTACH_FAILED' });
});

test.serial('a signal waits until the inspector of the other process is closed', async (t) => {
  const module = new URL('../../../src/diagnostics/attach/hold-signals.ts', import.meta.url).href;
  const code = `import(${JSON.stringify(module)}).then(({ holdSignals }) => {
    const release = holdSignals();
    process.on('SIGHUP', () => console.log('hup'));
    process.kill(process.pid, 'SIGHUP');
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => { console.log('closed'); release(); }, 100);
  });`;
  const child = await startApp(t, code);
  t.deepEqual(await child.exited, { code: null, signal: 'SIGTERM' });
  t.regex(child.output.stdout, /hup\nclosed\n$/);
});
