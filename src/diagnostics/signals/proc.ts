import type { TextSource } from './read-text.ts';

/** Linux reports CPU time in ticks of 10 ms on every platform that Node runs on. */
const tickMs = 10;

/** What /proc tells of a process or of one of its threads. */
export interface ProcStat {
  /** Up to 15 bytes; a thread's own name in a task. */
  readonly name: string;
  /** R running, S sleeping, D waiting for a disk, T stopped, Z gone. */
  readonly state: string;
  readonly cpuMs: number;
  readonly threads: number;
  /** In ticks since boot; with the pid it names a process for good. */
  readonly startTicks: number;
}

/** Reads `/proc/<pid>/stat`; the name may hold spaces and brackets, so the fields are counted after the last one. */
export function readStat(source: TextSource, path: string): ProcStat | undefined {
  const text = source.read(path);
  if (text === undefined) return undefined;
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const at = (index: number): number => Number(fields[index] ?? Number.NaN);
  const cpuMs = (at(11) + at(12)) * tickMs;
  if (!Number.isFinite(cpuMs)) return undefined;
  return {
    name: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    cpuMs,
    threads: at(17),
    startTicks: at(19),
  };
}

/** Resident bytes by `/proc/<pid>/statm`. Node runs on 4 KiB pages, on arm64 also on 16 and 64: `pageBytes` says. */
export function readRssBytes(source: TextSource, pid: number | 'self', pageBytes = 4096): number | undefined {
  const text = source.read(`/proc/${pid}/status`);
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  const pages = Number(source.read(`/proc/${pid}/statm`)?.split(' ')[1] ?? Number.NaN);
  return Number.isFinite(pages) ? pages * pageBytes : undefined;
}

/** Time on a core and time in the run queue, by `/proc/<pid>/task/<tid>/schedstat`; undefined where it is off. */
export function readSchedule(
  source: TextSource,
  pid: number | 'self',
  threadId: number,
): { cpuMs: number; waitMs: number } | undefined {
  const [cpu, wait] = (source.read(`/proc/${pid}/task/${threadId}/schedstat`) ?? '').split(' ').map(Number);
  if (cpu === undefined || wait === undefined || !Number.isFinite(cpu) || !Number.isFinite(wait))
    return undefined;
  return { cpuMs: cpu / 1e6, waitMs: wait / 1e6 };
}

/** Memory of the machine in bytes. */
export function readMemTotalBytes(source: TextSource): number | undefined {
  const kilobytes = /^MemTotal:\s+(\d+) kB$/m.exec(source.read('/proc/meminfo') ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
