import * as v from 'valibot';
import type { Clock } from '../base/clock.ts';
import type { Limiter, LimiterDefinition } from '../contract/limiter.ts';

const config = v.strictObject({
  /** Tokens a full bucket holds: the largest burst. It starts full. */
  maxTokens: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Tokens added each `fillIntervalMs` (1). */
  tokensPerFill: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
  /** At least 50, as Envoy's. */
  fillIntervalMs: v.pipe(v.number(), v.finite(), v.minValue(50)),
});
export type TokenBucketConfig = v.InferOutput<typeof config>;

/**
 * Envoy's token_bucket: `tokensPerFill` tokens at once each `fillIntervalMs`, never more than `maxTokens`. Fills are
 * worked out from the clock when somebody asks, so an idle bucket has no timer; they lie on a fixed grid, so that late
 * asking loses nothing.
 */
export class TokenBucket implements Limiter {
  readonly #clock: Clock;
  readonly #config: TokenBucketConfig;
  #tokens: number;
  /** When the last fill took place, or would have. */
  #filledMs: number;

  constructor(config: TokenBucketConfig, clock: Clock) {
    this.#clock = clock;
    this.#config = config;
    this.#tokens = config.maxTokens;
    this.#filledMs = clock.now();
  }

  /** Tokens that are there now: `x-ratelimit-remaining`. */
  get remaining(): number {
    this.#fill();
    return this.#tokens;
  }

  /** @param tokens above `maxTokens` never pass */
  tryAcquire(_s: unknown, tokens: number): boolean {
    if (this.#tokens < this.#config.maxTokens || tokens > this.#tokens) this.#fill();
    if (tokens > this.#tokens) return false;
    // A full bucket begins a new grid with its first token, else a fill could follow at once.
    if (this.#tokens === this.#config.maxTokens) this.#filledMs = this.#clock.now();
    this.#tokens -= tokens;
    return true;
  }

  /** Tokens are spent, not lent. */
  release(): void {}

  /** Until one more token is there; 0 when there is one. */
  retryAfterMs(): number {
    this.#fill();
    if (this.#tokens >= 1) return 0;
    return Math.max(0, this.#filledMs + this.#config.fillIntervalMs - this.#clock.now());
  }

  /** Until the bucket is full again: `x-ratelimit-reset`. */
  resetAfterMs(): number {
    this.#fill();
    const { maxTokens, tokensPerFill, fillIntervalMs } = this.#config;
    const fills = Math.ceil((maxTokens - this.#tokens) / tokensPerFill);
    return fills === 0 ? 0 : Math.max(0, this.#filledMs + fills * fillIntervalMs - this.#clock.now());
  }

  #fill(): void {
    const { maxTokens, tokensPerFill, fillIntervalMs } = this.#config;
    const fills = Math.floor((this.#clock.now() - this.#filledMs) / fillIntervalMs);
    if (fills <= 0) return;
    this.#tokens = Math.min(maxTokens, this.#tokens + fills * tokensPerFill);
    this.#filledMs += fills * fillIntervalMs;
  }
}

export const localTokenBucket: LimiterDefinition<TokenBucketConfig> = {
  name: 'localTokenBucket',
  config,
  create: (given, context) => new TokenBucket(given, context.clock),
};
