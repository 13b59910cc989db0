import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../core/base/clock.ts';
import { TimerWheel, type WheelNode } from '../core/base/timer-wheel.ts';

/**
 * The machine's time. `performance.now()` costs about 56 ns and the data path reads it twice a request; a reading kept
 * per loop turn gained nothing that a socket run could resolve, so there is none.
 */
export class SystemClock implements Clock {
  #heldMs = 0;

  now(): number {
    return this.#heldMs > 0 ? this.#heldMs : performance.now();
  }

  hold(): void {
    this.#heldMs = performance.now();
  }

  release(): void {
    this.#heldMs = 0;
  }

  wallNow(): number {
    return Date.now();
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const timeout = setTimeout(run, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  }
}

/**
 * A timer wheel that turns itself on `clock`: it sleeps until the next slot that holds something, so an idle mesh with
 * a timeout in ten seconds does not wake its process a hundred times a second, and one with none does not at all.
 */
export class DrivenWheel extends TimerWheel {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  readonly #turn = (): void => {
    this.#timer = null;
    // What callbacks arm is looked at below, not one by one.
    this.#wakeAtMs = 0;
    const nowMs = this.#clock.now();
    this.advance(nowMs);
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    const ticks = this.ticksToNext();
    if (ticks > 0) this.#sleepUntil((Math.floor(nowMs / this.tickMs) + ticks) * this.tickMs, nowMs);
  };

  constructor(clock: Clock, tickMs?: number, slots?: number) {
    super(clock.now(), tickMs, slots);
    this.#clock = clock;
  }

  override arm(node: WheelNode, deadlineMs: number): void {
    super.arm(node, deadlineMs);
    const dueMs = Math.ceil(deadlineMs / this.tickMs) * this.tickMs;
    if (dueMs < this.#wakeAtMs) this.#sleepUntil(dueMs, this.#clock.now());
  }

  /** Stops for good; armed nodes never fire. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #sleepUntil(atMs: number, nowMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#wakeAtMs = atMs;
    // Never at once: a deadline in the past is due at the next tick.
    this.#timer = this.#clock.setTimer(Math.max(1, atMs - nowMs), this.#turn);
  }
}

/** Longest delay of a Node timer. */
const foreverMs = 2 ** 31 - 1;

export interface KeepAlive {
  ref(): void;
  unref(): void;
  close(): void;
}

/** Holds the event loop open between `ref` and `unref`; made on first use, 0.1 us a change. */
export function createKeepAlive(): KeepAlive {
  let timer: NodeJS.Timeout | null = null;
  return {
    ref() {
      timer ??= setInterval(() => {}, foreverMs);
      timer.ref();
    },
    unref() {
      timer?.unref();
    },
    close() {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
  };
}
