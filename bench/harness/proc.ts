/** What /proc says about a process with all its threads and children. Linux only. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel reports process times in ticks of 10 ms (USER_HZ), whatever its own timer does. */
const tickUs = 10_000;

export interface ProcessStat {
  readonly parent: number;
  /** Of all threads, the ended ones included. */
  readonly userUs: number;
  readonly systemUs: number;
  /** Of ended children that were waited for. */
  readonly endedChildrenUs: number;
}

/** Reads /proc/PID/stat. The name may hold blanks and brackets, so counting starts behind its last bracket (proc(5)). */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    parent: field(4),
    userUs: field(14) * tickUs,
    systemUs: field(15) * tickUs,
    endedChildrenUs: (field(16) + field(17)) * tickUs,
  };
}

/** Resident bytes from /proc/PID/statm. */
export function parseStatm(text: string, pageBytes = 4096): number {
  return Number(text.split(' ')[1]) * pageBytes;
}

export interface MachineTime {
  readonly busyUs: number;
  readonly stolenUs: number;
}

/** The first line of /proc/stat: all cores together. */
export function parseMachineStat(text: string): MachineTime {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (text.split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .map(Number);
  return { busyUs: (user + nice + system + irq + softirq) * tickUs, stolenUs: steal * tickUs };
}

export function machineTime(): MachineTime {
  return parseMachineStat(readFileSync('/proc/stat', 'utf8'));
}

/** `root` and all its descendants that live now. */
export function processTree(root: number, parents: ReadonlyMap<number, number> = readParents()): number[] {
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

function readParents(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = readOrEmpty(`/proc/${name}/stat`);
    if (text !== '') parents.set(Number(name), parseStat(text).parent);
  }
  return parents;
}

/** A process may end between two reads; then there is nothing to read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The CPU account of a process tree at one moment. */
export interface CpuSample {
  readonly userUs: number;
  readonly systemUs: number;
  /** Of children that ended and were waited for. */
  readonly endedChildrenUs: number;
  /** Process id to nanoseconds, all threads, ended ones included: finer than ticks. */
  readonly processes: ReadonlyMap<number, number>;
}

/** @param clock the compiled bench/load/cpuclock.c */
export function sampleCpu(root: number, clock: string): CpuSample {
  let userUs = 0;
  let systemUs = 0;
  let endedChildrenUs = 0;
  const tree = processTree(root);
  for (const pid of tree) {
    const text = readOrEmpty(`/proc/${pid}/stat`);
    if (text === '') continue;
    const stat = parseStat(text);
    userUs += stat.userUs;
    systemUs += stat.systemUs;
    endedChildrenUs += stat.endedChildrenUs;
  }
  const output = execFileSync(clock, tree.map(String), { encoding: 'utf8' });
  return { userUs, systemUs, endedChildrenUs, processes: parseClocks(output) };
}

/** Reads cpuclock's lines: process id, blank, nanoseconds. */
export function parseClocks(text: string): Map<number, number> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => line.split(' ').map(Number) as [number, number]));
}

export interface CpuUse {
  readonly totalUs: number;
  readonly userUs: number;
  readonly systemUs: number;
}

/** CPU between two samples: the total from the process clocks, the split into user and system from the ticks. */
export function cpuBetween(before: CpuSample, after: CpuSample): CpuUse {
  let processUs = 0;
  for (const [pid, ns] of after.processes) processUs += (ns - (before.processes.get(pid) ?? 0)) / 1000;
  // A child that ended in between shows with its whole life in its parent's account.
  for (const [pid, ns] of before.processes) if (!after.processes.has(pid)) processUs -= ns / 1000;
  const endedUs = after.endedChildrenUs - before.endedChildrenUs;
  return {
    totalUs: processUs + endedUs,
    userUs: after.userUs - before.userUs,
    systemUs: after.systemUs - before.systemUs,
  };
}

/** Resident bytes of a process tree; pages that its processes share count in each. */
export function residentBytes(root: number): number {
  let bytes = 0;
  for (const pid of processTree(root)) {
    const text = readOrEmpty(`/proc/${pid}/statm`);
    if (text !== '') bytes += parseStatm(text);
  }
  return bytes;
}
