import type { Clock, Timer } from '../../core/base/clock.ts';

const firstPauseMs = 100;
const longestPauseMs = 5000;

/** When to try to accept again: after 100 ms, then twice as long each time that it does not work, at most 5 s. */
export class AcceptPause {
  readonly #clock: Clock;
  /** Resolves whether accepting goes on. */
  readonly #resume: () => Promise<boolean>;
  #delayMs = firstPauseMs;
  #timer: Timer | null = null;

  constructor(clock: Clock, resume: () => Promise<boolean>) {
    this.#clock = clock;
    this.#resume = resume;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  begin(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#delayMs, () => void this.#try());
    this.#delayMs = Math.min(this.#delayMs * 2, longestPauseMs);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** A connection was accepted: the next pause is a short one again. */
  succeeded(): void {
    this.#delayMs = firstPauseMs;
  }

  async #try(): Promise<void> {
    const timer = this.#timer;
    if ((await this.#resume()) || this.#timer !== timer) return;
    this.begin();
  }
}
