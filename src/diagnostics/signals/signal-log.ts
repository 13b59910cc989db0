import { closeSync, existsSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { messageOf } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';

export interface SignalLogOptions {
  readonly path: string;
  /** A file that would grow beyond this is rotated. @default 16777216 */
  readonly maxBytes?: number;
  /** Files kept: the one that is written and older ones, `path.1` the youngest of them. @default 4 */
  readonly files?: number;
  /** Told once, when nothing more can be written. */
  readonly onProblem?: (message: string) => void;
}

/** One line of a recording. */
export interface RecordedSample extends SignalSample {
  /** `service[pid]`, where several processes write to one recording. */
  readonly process?: string;
  /** A look between two ticks: only rules about stalls and the end of the heap judge it. */
  readonly urgent?: true;
}

const defaults = { maxBytes: 16 * 1024 * 1024, files: 4 };

/**
 * Signals as JSON lines (0600), for `heddle watch --replay`: 16 MiB hold eight hours at one sample a second. Whatever
 * fails is told once and ends the recording, never the caller.
 */
export class SignalLog {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #files: number;
  readonly #onProblem: (message: string) => void;
  #file: number | undefined;
  #sizeBytes = 0;

  constructor(options: SignalLogOptions) {
    this.path = options.path;
    this.#maxBytes = options.maxBytes ?? defaults.maxBytes;
    this.#files = options.files ?? defaults.files;
    this.#onProblem = options.onProblem ?? (() => {});
    this.#guard(() => this.#open());
  }

  write(sample: RecordedSample): void {
    if (this.#file === undefined) return;
    const line = `${JSON.stringify(sample, (_key, value) => (typeof value === 'number' ? short(value) : value))}\n`;
    this.#guard(() => {
      if (this.#sizeBytes > 0 && this.#sizeBytes + line.length > this.#maxBytes) this.#rotate();
      this.#sizeBytes += writeSync(this.#file as number, line);
    });
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    this.#file = openSync(this.path, 'a', 0o600);
    this.#sizeBytes = fstatSync(this.#file).size;
  }

  #rotate(): void {
    this.close();
    const older = (age: number): string => (age === 0 ? this.path : `${this.path}.${age}`);
    rmSync(older(this.#files - 1), { force: true });
    for (let age = this.#files - 2; age >= 0; age--)
      if (existsSync(older(age))) renameSync(older(age), older(age + 1));
    this.#open();
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.close();
      this.#onProblem(`signals are no longer recorded: ${messageOf(error)}`);
    }
  }
}

/** What a look between two ticks knows anew; the rest is as it was. */
export function urgentLine({ atMs, values }: SignalSample): RecordedSample {
  const fresh = Object.entries(values).filter(([name]) => urgentSignals.has(name));
  return { atMs, urgent: true, values: Object.fromEntries(fresh) };
}

const urgentSignals: ReadonlySet<string> = new Set(['stallMs', 'heapUsedBytes', 'heapOfLimitPercent']);

/** Three decimals are more than any rule looks at. */
const short = (value: number): number => Math.round(value * 1000) / 1000;
