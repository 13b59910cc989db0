import type { TextSource } from './read-text.ts';

/** The limits of a process's control group, v1 or v2; undefined means unlimited or not known. */
export interface CgroupLimits {
  readonly version: 1 | 2;
  readonly memoryLimitBytes: number | undefined;
  /** v2 `memory.high`: reclaim starts here. */
  readonly memoryHighBytes: number | undefined;
  /** Quota over period, e.g. 1.5. */
  readonly cpuCores: number | undefined;
}

/** Cumulative counters of `cpu.stat`. */
export interface CgroupThrottling {
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledMs: number;
}

interface Paths {
  readonly version: 1 | 2;
  readonly memory: readonly string[];
  readonly cpu: readonly string[];
}

/** v1 writes a huge page-rounded number for "no limit". */
const unlimitedFromBytes = 2 ** 60;

/** Reads one process's control group. Inside a container the own path is the mount's root, so both are tried. */
export class Cgroup {
  readonly #source: TextSource;
  readonly #paths: Paths | undefined;

  constructor(source: TextSource, pid: number | 'self' = 'self') {
    this.#source = source;
    this.#paths = findPaths(source, pid);
  }

  limits(): CgroupLimits | undefined {
    const paths = this.#paths;
    if (paths === undefined) return undefined;
    const memory = (file: string): number | undefined =>
      lowest(paths.memory, (path) => this.#bytes(`${path}/${file}`));
    if (paths.version === 2) {
      const cpuCores = lowest(paths.cpu, (path) => coresOfMax(this.#source.read(`${path}/cpu.max`)));
      const memoryHighBytes = memory('memory.high');
      return { version: 2, memoryLimitBytes: memory('memory.max'), memoryHighBytes, cpuCores };
    }
    const cpuCores = lowest(paths.cpu, (path) => this.#coresOfQuota(path));
    return {
      version: 1,
      memoryLimitBytes: memory('memory.limit_in_bytes'),
      memoryHighBytes: undefined,
      cpuCores,
    };
  }

  throttling(): CgroupThrottling | undefined {
    for (const path of this.#paths?.cpu ?? []) {
      const text = this.#source.read(`${path}/cpu.stat`);
      if (text?.includes('nr_periods')) return throttlingOf(text);
    }
    return undefined;
  }

  #bytes(file: string): number | undefined {
    const text = this.#source.read(file)?.trim();
    if (text === undefined || text === '' || text === 'max') return undefined;
    const bytes = Number(text);
    return Number.isFinite(bytes) && bytes > 0 && bytes < unlimitedFromBytes ? bytes : undefined;
  }

  #coresOfQuota(path: string): number | undefined {
    const quota = Number(this.#source.read(`${path}/cpu.cfs_quota_us`) ?? Number.NaN);
    const period = Number(this.#source.read(`${path}/cpu.cfs_period_us`) ?? Number.NaN);
    // -1 is "no limit": holmes reads it as 0 cores and stops for good.
    return quota > 0 && period > 0 ? quota / period : undefined;
  }
}

/** `max 100000` or `150000 100000`. */
function coresOfMax(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? '').trim().split(/\s+/).map(Number);
  return quota !== undefined && quota > 0 && period !== undefined && period > 0 ? quota / period : undefined;
}

function throttlingOf(text: string): CgroupThrottling {
  const field = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  // v2 has microseconds, v1 nanoseconds.
  const throttledMs = text.includes('throttled_usec')
    ? field('throttled_usec') / 1e3
    : field('throttled_time') / 1e6;
  return { periods: field('nr_periods'), throttledPeriods: field('nr_throttled'), throttledMs };
}

/** The tightest limit on the way from the own group to the root counts. */
function lowest(paths: readonly string[], read: (path: string) => number | undefined): number | undefined {
  const values = paths.map(read).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.min(...values);
}

function findPaths(source: TextSource, pid: number | 'self'): Paths | undefined {
  const root = '/sys/fs/cgroup';
  const entries = (source.read(`/proc/${pid}/cgroup`) ?? '')
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, controllers = '', path = '/']) => ({ controllers: controllers.split(','), path }));
  const ownPath = (controller: string): string | undefined =>
    entries.find((entry) => entry.controllers.includes(controller))?.path;
  const memory = ownPath('memory');
  const cpu = ownPath('cpu');
  if (memory !== undefined || cpu !== undefined) {
    const cpuMounts = [`${root}/cpu`, `${root}/cpu,cpuacct`];
    return {
      version: 1,
      memory: upwards(`${root}/memory`, memory ?? '/'),
      cpu: cpuMounts.flatMap((mount) => upwards(mount, cpu ?? '/')),
    };
  }
  const unified = entries.find((entry) => entry.controllers.includes(''))?.path;
  if (unified === undefined) return undefined;
  const paths = upwards(root, unified);
  return { version: 2, memory: paths, cpu: paths };
}

/** `/a/b` under a mount: mount/a/b, mount/a, mount. */
function upwards(mount: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return Array.from({ length: parts.length + 1 }, (_, index) => {
    const kept = parts.slice(0, parts.length - index);
    return kept.length === 0 ? mount : `${mount}/${kept.join('/')}`;
  });
}
