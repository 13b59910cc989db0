import type { Clock } from '../core/base/clock.ts';

/** How often it looks. */
const lookMs = 20;

/** Waits until `isBusy` says no, at most to `untilMs` of the clock. */
export async function untilQuiet(clock: Clock, untilMs: number, isBusy: () => boolean): Promise<void> {
  while (isBusy() && clock.now() < untilMs) {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(lookMs, resolve);
    await promise;
  }
}
