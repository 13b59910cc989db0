import type { Clock, Timer } from '../core/base/clock.ts';
import { DrivenWheel } from '../transport/system-clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

const firstNowMs = 1000;
/** 2026-01-01T00:00:00Z */
const firstWallMs = 1_767_225_600_000;

/** Time that stands still until a test moves it. Timers run in the order of their due times, ties in order of setting. */
export class FakeClock implements Clock {
  #nowMs = firstNowMs;
  #wallOffsetMs = firstWallMs - firstNowMs;
  #order = 0;
  #pending: Pending[] = [];

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#pending.push(pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((each) => each !== pending);
      },
    };
  }

  /** Timers that are set and not due yet. */
  get pendingTimers(): number {
    return this.#pending.length;
  }

  /** Moves time on and runs what falls due, also what those timers set. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (let next = this.#earliest(untilMs); next !== null; next = this.#earliest(untilMs)) {
      this.#pending = this.#pending.filter((each) => each !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }

  /** The wall clock jumps; monotonic time does not. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #earliest(untilMs: number): Pending | null {
    let best: Pending | null = null;
    for (const each of this.#pending) {
      if (each.atMs > untilMs) continue;
      if (best === null || each.atMs < best.atMs || (each.atMs === best.atMs && each.order < best.order)) {
        best = each;
      }
    }
    return best;
  }
}

/** A fake clock with a timer wheel that turns as the clock is advanced. */
export function createFakeTime(tickMs = 10): { clock: FakeClock; wheel: DrivenWheel } {
  const clock = new FakeClock();
  return { clock, wheel: new DrivenWheel(clock, tickMs) };
}
