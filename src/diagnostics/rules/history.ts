import type { SignalSample } from '../../core/contract/signal.ts';

/** The samples of the last minutes, oldest first, bounded; rules look at nothing else. */
export class SignalHistory {
  readonly intervalMs: number;
  readonly #samples: SignalSample[] = [];
  readonly #capacity: number;

  /** @param keepMs how long a sample stays. @default 120000 */
  constructor(intervalMs: number, keepMs = 120_000) {
    this.intervalMs = intervalMs;
    this.#capacity = Math.max(10, Math.ceil(keepMs / intervalMs));
  }

  push(sample: SignalSample): void {
    this.#samples.push(sample);
    if (this.#samples.length > this.#capacity) this.#samples.shift();
  }

  get latest(): SignalSample | undefined {
    return this.#samples.at(-1);
  }

  all(): readonly SignalSample[] {
    return this.#samples;
  }

  /** The last `count` values of a signal, oldest first; undefined when one of them is missing. */
  last(signal: string, count: number): number[] | undefined {
    if (this.#samples.length < count) return undefined;
    const values = this.#samples.slice(-count).map((sample) => sample.values[signal]);
    return values.every((value) => value !== undefined) ? (values as number[]) : undefined;
  }

  /** Values of a signal before the last `skip` samples and not older than `overMs`, oldest first. */
  before(signal: string, skip: number, overMs: number): number[] {
    const newest = this.latest;
    if (newest === undefined) return [];
    const end = this.#samples.length - skip;
    const oldestMs = newest.atMs - overMs;
    const values: number[] = [];
    for (let index = 0; index < end; index++) {
      const sample = this.#samples[index];
      const value = sample?.values[signal];
      if (sample !== undefined && sample.atMs >= oldestMs && value !== undefined) values.push(value);
    }
    return values;
  }

  /** Samples that make up a time, at least one. */
  samplesOf(durationMs: number): number {
    return Math.max(1, Math.round(durationMs / this.intervalMs));
  }
}
