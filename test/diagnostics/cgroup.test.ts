import test from 'ava';
import { Cgroup } from '../../src/diagnostics/signals/cgroup.ts';
import { HostSignals } from '../../src/diagnostics/signals/host-signals.ts';
import { readStat } from '../../src/diagnostics/signals/proc.ts';
import type { TextSource } from '../../src/diagnostics/signals/read-text.ts';

const sourceOf = (files: Record<string, string>): TextSource => ({
  read: (path) => files[path],
  count: (path) => (path.endsWith('/fd') ? 12 : undefined),
});

test('cgroup v2: the tightest limit on the way to the root counts, "max" is none', (t) => {
  const group = new Cgroup(
    sourceOf({
      '/proc/self/cgroup': '0::/kubepods/pod1/app\n',
      '/sys/fs/cgroup/kubepods/pod1/app/memory.max': 'max\n',
      '/sys/fs/cgroup/kubepods/pod1/memory.max': '536870912\n',
      '/sys/fs/cgroup/kubepods/pod1/app/memory.high': '400000000\n',
      '/sys/fs/cgroup/kubepods/pod1/app/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/app/cpu.stat':
        'usage_usec 5\nnr_periods 100\nnr_throttled 40\nthrottled_usec 2500000\n',
    }),
  );
  t.deepEqual(group.limits(), {
    version: 2,
    memoryLimitBytes: 536_870_912,
    memoryHighBytes: 400_000_000,
    cpuCores: 1.5,
  });
  t.deepEqual(group.throttling(), { periods: 100, throttledPeriods: 40, throttledMs: 2500 });
});

test('cgroup v1: quota -1 and the huge memory number are no limit', (t) => {
  const files = {
    '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/box\n2:cpu,cpuacct:/box\n',
    '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us': '100000\n',
  };
  const unlimited = {
    version: 1,
    memoryLimitBytes: undefined,
    memoryHighBytes: undefined,
    cpuCores: undefined,
  } as const;
  t.deepEqual(new Cgroup(sourceOf(files)).limits(), unlimited);
  const limited = {
    ...files,
    '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '1073741824',
    '/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us': '50000',
    '/sys/fs/cgroup/cpu,cpuacct/box/cpu.stat': 'nr_periods 10\nnr_throttled 3\nthrottled_time 7000000\n',
  };
  t.deepEqual(new Cgroup(sourceOf(limited)).limits(), {
    ...unlimited,
    memoryLimitBytes: 1_073_741_824,
    cpuCores: 0.5,
  });
  t.is(new Cgroup(sourceOf(limited)).throttling()?.throttledMs, 7);
});

test('a container whose own path is not mounted falls back to the root of the mount', (t) => {
  const group = new Cgroup(
    sourceOf({ '/proc/self/cgroup': '0::/not/mounted\n', '/sys/fs/cgroup/memory.max': '1000000\n' }),
  );
  t.is(group.limits()?.memoryLimitBytes, 1_000_000);
});

test('without cgroups there are no limits', (t) => {
  t.is(new Cgroup(sourceOf({})).limits(), undefined);
});

const statOf = (cpuTicks: number, start: number, state = 'R'): string =>
  `42 (a (b) c) ${state} 1 1 1 0 -1 0 0 0 0 0 ${cpuTicks} 0 0 0 20 0 7 0 ${start} 0 0`;

test('the name of a process may hold spaces and brackets', (t) => {
  const stat = readStat(sourceOf({ '/x': statOf(150, 99) }), '/x');
  t.deepEqual(stat, { name: 'a (b) c', state: 'R', cpuMs: 1500, threads: 7, startTicks: 99 });
});

test('another process is read from /proc alone, and its pid is not mistaken for a later process', (t) => {
  const files: Record<string, string> = {
    '/proc/42/stat': statOf(100, 5),
    '/proc/42/task/42/stat': statOf(80, 5),
    '/proc/42/status': 'Name:\tnode\nVmRSS:\t  204800 kB\n',
    '/proc/42/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.max': '419430400\n',
    '/sys/fs/cgroup/cpu.max': '200000 100000\n',
    '/proc/meminfo': 'MemTotal:       16000000 kB\n',
  };
  const host = new HostSignals({ pid: 42, cores: 8, source: sourceOf(files) });
  t.is(host.cpuCores, 2);
  t.is(host.read(0)?.['cpuPercent'], undefined);
  files['/proc/42/stat'] = statOf(200, 5);
  files['/proc/42/task/42/stat'] = statOf(170, 5);
  const values = host.read(1000);
  t.is(values?.['cpuPercent'], 100);
  t.is(values?.['cpuOfLimitPercent'], 50);
  t.is(values?.['mainCpuPercent'], 90);
  t.is(values?.['memoryPercent'], 50);
  t.is(values?.['threads'], 7);
  t.is(values?.['fileDescriptors'], 12);
  files['/proc/42/stat'] = statOf(200, 77);
  t.is(host.read(2000), undefined);
});

test('memory counts against what slows the process down first', (t) => {
  const limitOf = (more: Record<string, string>): number | undefined => {
    const files = {
      '/proc/42/stat': statOf(100, 5),
      '/proc/42/cgroup': '0::/app\n',
      '/proc/meminfo': 'MemTotal:       16000000 kB\n',
      ...more,
    };
    return new HostSignals({ pid: 42, cores: 4, source: sourceOf(files) }).memoryLimitBytes;
  };
  t.is(limitOf({}), 16_000_000 * 1024);
  const max = { '/sys/fs/cgroup/app/memory.max': '400000000\n' };
  t.is(limitOf(max), 400_000_000);
  t.is(limitOf({ ...max, '/sys/fs/cgroup/app/memory.high': '300000000\n' }), 300_000_000);
});
