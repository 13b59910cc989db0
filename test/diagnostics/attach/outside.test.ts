import test from 'ava';
import { OutsideWatch } from '../../../src/diagnostics/attach/index.ts';
import type { MonitorEvent } from '../../../src/diagnostics/contract.ts';
import { parseRules } from '../../../src/diagnostics/rules/parse.ts';

/** A process 42 of some other container, as /proc shows it. */
function processOf() {
  const state = { rssKb: 100_000, cpuTicks: 0, start: 5, isGone: false };
  const stat = (): string =>
    `42 (java) S 1 1 1 0 -1 0 0 0 0 0 ${state.cpuTicks} 0 0 0 20 0 7 0 ${state.start} 0 0`;
  const files: Record<string, () => string> = {
    '/proc/42/stat': stat,
    '/proc/42/task/42/stat': stat,
    '/proc/42/status': () => `Name:\tjava\nVmRSS:\t  ${state.rssKb} kB\n`,
    '/proc/42/cgroup': () => '0::/\n',
    '/sys/fs/cgroup/memory.max': () => '1048576000\n',
    '/proc/meminfo': () => 'MemTotal:       16000000 kB\n',
  };
  const read = (path: string): string | undefined => (state.isGone ? undefined : files[path]?.());
  return { state, source: { read, count: () => 12 } };
}

test('a process is watched by what /proc tells, rules fire on it, and its end is told once', (t) => {
  const { state, source } = processOf();
  const events: MonitorEvent[] = [];
  let ends = 0;
  const watch = new OutsideWatch(42, {
    intervalMs: 1000,
    source,
    onEvent: (event) => events.push(event),
    onEnd: () => ends++,
  });
  t.teardown(() => watch.stop());
  const startMs = Date.now();
  for (let second = 1; second <= 20; second++) {
    state.rssKb = second < 10 ? 100_000 : 1_000_000;
    state.cpuTicks += 50;
    watch.look(startMs + second * 1000);
  }
  const samples = events.filter((event) => event.type === 'sample');
  t.is(Math.round(samples.at(-1)?.sample.values['cpuPercent'] ?? 0), 50);
  t.is(samples.at(-1)?.sample.values['fileDescriptors'], 12);
  const fired = events.filter((event) => event.type === 'fired');
  t.deepEqual(
    fired.map(({ rule, reason, outcome }) => [rule, reason, outcome]),
    [['memory-limit', 'memoryPercent >= 90.0 % for 3 s', 'seen from outside: nothing is captured']],
  );
  state.start = 6;
  watch.look(startMs + 21_000);
  t.is(ends, 1, 'the pid means another process now');
});

test('holmes’ rules watch from outside too, and a process that is not there is named', (t) => {
  const { state, source } = processOf();
  const fired: string[] = [];
  const watch = new OutsideWatch(42, {
    intervalMs: 5000,
    rules: parseRules('holmes'),
    source,
    onEvent: (event) => event.type === 'fired' && fired.push(event.rule),
  });
  t.teardown(() => watch.stop());
  const startMs = Date.now();
  for (let tick = 1; tick <= 12; tick++) {
    state.rssKb = tick < 12 ? 200_000 : 900_000;
    watch.look(startMs + tick * 5000);
  }
  t.deepEqual(fired, ['mem']);
  state.isGone = true;
  t.throws(() => new OutsideWatch(42, { source }), { message: /there is no process 42/ });
});
