import type { Clock, Timer } from '../base/clock.ts';

export interface DebounceOptions {
  /** Runs once nothing more came for this long (100 ms)... */
  readonly quietMs: number;
  /** ...but at the latest this long after the first (800 ms: with the way through the registry to the next pick, a second). */
  readonly maxMs: number;
}

export const defaultDebounce: DebounceOptions = { quietMs: 100, maxMs: 800 };

/** Joins a burst of calls into one. */
export class Debounce {
  readonly #clock: Clock;
  readonly #options: DebounceOptions;
  readonly #run: () => void;
  #timer: Timer | null = null;
  #firstMs = 0;

  constructor(clock: Clock, options: DebounceOptions, run: () => void) {
    this.#clock = clock;
    this.#options = options;
    this.#run = run;
  }

  get isPending(): boolean {
    return this.#timer !== null;
  }

  call(): void {
    const nowMs = this.#clock.now();
    if (this.#timer === null) this.#firstMs = nowMs;
    this.#timer?.cancel();
    const latestMs = this.#firstMs + this.#options.maxMs;
    const delayMs = Math.max(0, Math.min(this.#options.quietMs, latestMs - nowMs));
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.#run();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
