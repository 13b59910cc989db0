import { Cgroup, type CgroupThrottling } from './cgroup.ts';
import { readMemTotalBytes, readRssBytes, readStat } from './proc.ts';
import { systemText, type TextSource } from './read-text.ts';

export interface HostSignalOptions {
  readonly pid: number;
  readonly cores: number;
  /** Overrides what cgroup and machine say. */
  readonly memoryLimitBytes?: number;
  readonly cpuCores?: number;
  readonly source?: TextSource;
  /** CPU milliseconds of the process; from /proc when absent (10 ms steps). */
  readonly cpuMs?: () => number;
}

/** Descriptors are counted every so many ticks: a directory of 10,000 entries costs milliseconds. */
const slowTicks = 5;

/**
 * What can be read of any process without attaching: CPU, memory, threads, descriptors, throttling.
 * One object per process; `read` makes the values of one tick from the difference to the last one.
 */
export class HostSignals {
  readonly memoryLimitBytes: number | undefined;
  readonly cpuCores: number;
  readonly startTicks: number | undefined;
  readonly #options: HostSignalOptions;
  readonly #source: TextSource;
  readonly #cgroup: Cgroup;
  #last:
    | { atMs: number; cpuMs: number; mainMs: number; throttling: CgroupThrottling | undefined }
    | undefined;
  #ticks = 0;
  #descriptors: number | undefined;

  constructor(options: HostSignalOptions) {
    this.#options = options;
    this.#source = options.source ?? systemText;
    this.#cgroup = new Cgroup(this.#source, options.pid);
    const limits = this.#cgroup.limits();
    // At `memory.high` the kernel takes memory back and slows the process down: that hurts before the end at the limit.
    const known = [limits?.memoryLimitBytes, limits?.memoryHighBytes, readMemTotalBytes(this.#source)];
    const bytes = known.filter((limit) => limit !== undefined);
    this.memoryLimitBytes = options.memoryLimitBytes ?? (bytes.length === 0 ? undefined : Math.min(...bytes));
    this.cpuCores = options.cpuCores ?? Math.min(limits?.cpuCores ?? options.cores, options.cores);
    this.startTicks = readStat(this.#source, `/proc/${options.pid}/stat`)?.startTicks;
  }

  /** The values of the tick that ends at `atMs`; undefined once the process is gone or its pid means another one. */
  read(atMs: number): Record<string, number> | undefined {
    const { pid } = this.#options;
    const stat = readStat(this.#source, `/proc/${pid}/stat`);
    if (stat === undefined || stat.startTicks !== this.startTicks || stat.state === 'Z') return undefined;
    const mainMs = readStat(this.#source, `/proc/${pid}/task/${pid}/stat`)?.cpuMs ?? Number.NaN;
    const cpuMs = this.#options.cpuMs?.() ?? stat.cpuMs;
    const throttling = this.#cgroup.throttling();
    const values: Record<string, number> = { threads: stat.threads };
    this.#addMemory(values);
    const descriptors = this.#countDescriptors();
    if (descriptors !== undefined) values['fileDescriptors'] = descriptors;
    const last = this.#last;
    if (last !== undefined && atMs > last.atMs) {
      const elapsedMs = atMs - last.atMs;
      const cpuPercent = ((cpuMs - last.cpuMs) / elapsedMs) * 100;
      values['cpuPercent'] = cpuPercent;
      values['cpuOfLimitPercent'] = cpuPercent / this.cpuCores;
      const main = ((mainMs - last.mainMs) / elapsedMs) * 100;
      if (Number.isFinite(main)) values['mainCpuPercent'] = main;
      addThrottling(values, last.throttling, throttling);
    }
    this.#last = { atMs, cpuMs, mainMs, throttling };
    return values;
  }

  #addMemory(values: Record<string, number>): void {
    const rss = readRssBytes(this.#source, this.#options.pid);
    if (rss === undefined) return;
    values['rssBytes'] = rss;
    if (this.memoryLimitBytes === undefined) return;
    values['memoryLimitBytes'] = this.memoryLimitBytes;
    values['memoryPercent'] = (rss / this.memoryLimitBytes) * 100;
  }

  #countDescriptors(): number | undefined {
    if (this.#ticks++ % slowTicks === 0) {
      this.#descriptors = this.#source.count(`/proc/${this.#options.pid}/fd`);
    }
    return this.#descriptors;
  }
}

function addThrottling(
  values: Record<string, number>,
  last: CgroupThrottling | undefined,
  now: CgroupThrottling | undefined,
): void {
  if (last === undefined || now === undefined) return;
  const periods = now.periods - last.periods;
  values['throttledPercent'] =
    periods > 0 ? ((now.throttledPeriods - last.throttledPeriods) / periods) * 100 : 0;
  values['throttledMs'] = Math.max(0, now.throttledMs - last.throttledMs);
}
