import * as v from 'valibot';
import type { Limiter, LimiterDefinition } from '../contract/limiter.ts';

const config = v.strictObject({
  /** So many at once; 0 lets nobody pass. */
  maxConcurrent: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type ConcurrencyConfig = v.InferOutput<typeof config>;

/** So many in progress at once, however large each is. `release` exactly once for each `tryAcquire` that said true. */
export class ConcurrencyLimit implements Limiter {
  maxConcurrent: number;
  #active = 0;

  constructor(maxConcurrent: number) {
    this.maxConcurrent = maxConcurrent;
  }

  get active(): number {
    return this.#active;
  }

  /** @param tokens a size above `maxConcurrent` never passes; any other counts as one */
  tryAcquire(_s: unknown, tokens: number): boolean {
    if (this.#active >= this.maxConcurrent || tokens > this.maxConcurrent) return false;
    this.#active++;
    return true;
  }

  /** A release too many is ignored: the count stays at 0, so the limit keeps limiting. */
  release(): void {
    if (this.#active > 0) this.#active--;
  }

  /** Unknown: it depends on those in progress. */
  retryAfterMs(): number {
    return 0;
  }
}

export const concurrency: LimiterDefinition<ConcurrencyConfig> = {
  name: 'concurrency',
  config,
  create: (given) => new ConcurrencyLimit(given.maxConcurrent),
};
