import { join } from 'node:path';
import test from 'ava';
import {
  type ProcessFacts,
  readProcess,
  WatchDaemon,
  type WatchedProcess,
} from '../../../src/diagnostics/attach/index.ts';
import { type Child, startApp, testDirectory, until } from './child.ts';

const list = (children: readonly Child[]) => () =>
  children
    .map(({ pid }) => readProcess(pid))
    .filter((facts) => facts !== undefined && facts.state !== 'Z') as ProcessFacts[];

test.serial(
  'a daemon attaches to what matches, names what it refuses and sees ends and restarts',
  async (t) => {
    const directory = await testDirectory(t);
    const flags = ['--inspect-port=0'];
    const labels = { HEDDLE_LABELS: 'team=shop' };
    const children = [
      await startApp(t, '', flags, labels),
      await startApp(t, '', ['--disable-sigusr1'], labels),
      await startApp(t, '', flags, { HEDDLE_LABELS: 'team=other' }),
    ];
    const changes: string[] = [];
    const daemon = await WatchDaemon.start({
      socketPath: join(directory, 'daemon.sock'),
      match: [{ labels: { team: 'shop' } }],
      monitor: { directory, recorder: false },
      scanIntervalMs: 100,
      listProcesses: list(children),
      onChange: ({ facts }: WatchedProcess, change) =>
        changes.push(`${children.findIndex(({ pid }) => pid === facts.pid)} ${change}`),
    });
    t.teardown(() => daemon.close());
    await until('the first process to be watched', () => changes.includes('0 joined'));
    t.true(changes.includes('1 refused'));
    const [watched, refused, ...others] = daemon.processes();
    t.is(watched?.state, 'watched');
    t.is((await watched?.control?.status())?.pid, children[0]?.pid);
    t.regex(refused?.reason ?? '', /does not listen to SIGUSR1/);
    t.deepEqual(others, []);
    children[0]?.process.kill('SIGKILL');
    await children[0]?.exited;
    await until('the end to be seen', () => changes.includes('0 ended'));
    children.push(await startApp(t, '', flags, labels));
    await until('the restarted process to be watched', () => changes.includes('3 joined'));
    t.deepEqual(
      changes.filter((change) => change.endsWith('refused')),
      ['1 refused'],
    );
  },
);

test.serial('agents find a daemon that was restarted', async (t) => {
  const directory = await testDirectory(t);
  const app = await startApp(t, '', ['--inspect-port=0']);
  const options = {
    socketPath: join(directory, 'daemon.sock'),
    monitor: { directory, recorder: false } as const,
    scanIntervalMs: 100,
    listProcesses: list([app]),
  };
  const first = await WatchDaemon.start(options);
  await until('the process to be watched', () => first.processes()[0]?.state === 'watched');
  await first.close();
  const second = await WatchDaemon.start({ ...options, monitor: { ...options.monitor, service: 'second' } });
  t.teardown(() => second.close());
  await until('the agent to be back', () => second.processes()[0]?.state === 'watched');
  const status = await second.processes()[0]?.control?.status();
  t.not(status?.service, 'second');
  t.is(app.output.stderr.match(/Debugger attached/g)?.length, 1);
});

test.serial('a monitor that dials a restarted daemon takes the rules that this one has', async (t) => {
  const directory = await testDirectory(t);
  const app = await startApp(t, '', ['--inspect-port=0']);
  const start = (aboveMs: number) =>
    WatchDaemon.start({
      socketPath: join(directory, 'daemon.sock'),
      monitor: { directory, recorder: false, rules: { stall: { aboveMs } } },
      scanIntervalMs: 50,
      listProcesses: list([app]),
    });
  const ruleOf = async (daemon: WatchDaemon): Promise<unknown> =>
    (await daemon.processes()[0]?.control?.status())?.rules[0]?.settings['aboveMs'];
  const first = await start(700);
  await until('the process to be watched', () => first.processes()[0]?.state === 'watched');
  t.is(await ruleOf(first), 700);
  await first.close();
  const second = await start(900);
  t.teardown(() => second.close());
  const deadlineMs = performance.now() + 10_000;
  while ((await ruleOf(second).catch(() => undefined)) !== 900) {
    if (performance.now() > deadlineMs) return t.fail(`still ${await ruleOf(second)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.pass();
});
