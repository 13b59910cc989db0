import type { Clock, Timer } from '../../base/clock.ts';

/** How long the loop is held up at a time; a step of a build is shorter. */
const sliceMs = 2;

/** Runs a build in slices between other work of the loop, or at once to its end. */
export class SlicedBuild<T> {
  readonly #steps: Generator<void, T>;
  readonly #clock: Clock;
  readonly #onDone: (result: T) => void;
  #timer: Timer;

  /** Begins after `delayMs`. @param onDone called once, from a timer or from `finish` */
  constructor(steps: Generator<void, T>, clock: Clock, delayMs: number, onDone: (result: T) => void) {
    this.#steps = steps;
    this.#clock = clock;
    this.#onDone = onDone;
    this.#timer = clock.setTimer(delayMs, this.#slice);
  }

  /** Does the rest now. */
  finish(): void {
    this.#timer.cancel();
    for (;;) {
      const { done, value } = this.#steps.next();
      if (done === true) {
        this.#onDone(value);
        return;
      }
    }
  }

  readonly #slice = (): void => {
    const untilMs = this.#clock.now() + sliceMs;
    do {
      const { done, value } = this.#steps.next();
      if (done === true) {
        this.#onDone(value);
        return;
      }
    } while (this.#clock.now() < untilMs);
    this.#timer = this.#clock.setTimer(0, this.#slice);
  };
}
