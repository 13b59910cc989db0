import type { Random } from './random.ts';

export interface BackoffOptions {
  /** Longest first wait (1 s). */
  readonly baseMs: number;
  /** Longest wait at all (30 s). */
  readonly maxMs: number;
}

/**
 * Waits that double, with jitter over their upper half: at least half of the nominal wait passes, so that a source that
 * is down is never asked in a tight loop, and clients that failed together do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the last `reset`. */
  get failures(): number {
    return this.#failures;
  }

  /** The wait after one more failure, in milliseconds. */
  nextMs(): number {
    const { baseMs, maxMs } = this.#options;
    const nominal = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return nominal / 2 + (this.#random.next() * nominal) / 2;
  }

  reset(): void {
    this.#failures = 0;
  }
}
