/** What the figures were measured on, and which core does what. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    loadAverage: loadAverage(),
  };
}

function loadAverage(): number {
  try {
    return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
  } catch {
    return Number.NaN;
  }
}

export interface Cores {
  /** The proxy's own core; null on a machine with one core. */
  readonly proxy: number | null;
  /** Load generator and backend share this one. */
  readonly load: number | null;
}

export function chooseCores(count = availableParallelism()): Cores {
  return count < 2 ? { proxy: null, load: null } : { proxy: 1, load: 0 };
}
