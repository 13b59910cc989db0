import * as v from 'valibot';
import type { Clock } from '../base/clock.ts';
import type { Limiter, LimiterDefinition } from '../contract/limiter.ts';
import { WindowCounter } from './window-counter.ts';

const config = v.strictObject({
  /** Tokens that pass within any `windowMs`. */
  limit: v.pipe(v.number(), v.integer(), v.minValue(0)),
  windowMs: v.pipe(v.number(), v.finite(), v.minValue(10)),
  /** Parts of the window that fall out one by one (10): more are finer. */
  buckets: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 10),
});
export type SlidingWindowConfig = v.InferOutput<typeof config>;

/** At most `limit` tokens in the last `windowMs`. What was refused does not count. */
export class SlidingWindow implements Limiter {
  readonly #config: SlidingWindowConfig;
  readonly #clock: Clock;
  readonly #counter: WindowCounter;

  constructor(config: SlidingWindowConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
    this.#counter = new WindowCounter(config.windowMs, config.buckets);
  }

  tryAcquire(_s: unknown, tokens: number): boolean {
    const nowMs = this.#clock.now();
    if (this.#counter.sum(nowMs) + tokens > this.#config.limit) return false;
    this.#counter.add(nowMs, tokens);
    return true;
  }

  /** Tokens are spent, not lent. */
  release(): void {}

  /** Until one more token may pass. */
  retryAfterMs(): number {
    const nowMs = this.#clock.now();
    const over = this.#counter.sum(nowMs) + 1 - this.#config.limit;
    return this.#counter.freedAfterMs(nowMs, over);
  }
}

export const slidingWindow: LimiterDefinition<SlidingWindowConfig> = {
  name: 'slidingWindow',
  config,
  create: (given, context) => new SlidingWindow(given, context.clock),
};
