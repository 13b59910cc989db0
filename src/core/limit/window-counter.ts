/**
 * Sums over the last `windowMs`, as Sentinel's leap array: a ring of buckets, each stamped with its number on the time
 * line; a stale bucket is emptied when its turn comes, so nothing runs while nobody counts.
 */
export class WindowCounter {
  readonly #bucketMs: number;
  readonly #ticks: Float64Array;
  readonly #counts: Float64Array;

  /** @param buckets parts of the window; the oldest falls out as a whole */
  constructor(windowMs: number, buckets: number) {
    this.#bucketMs = windowMs / buckets;
    this.#ticks = new Float64Array(buckets).fill(-1);
    this.#counts = new Float64Array(buckets);
  }

  add(nowMs: number, amount: number): void {
    const tick = this.#tickOf(nowMs);
    const at = tick % this.#ticks.length;
    if (this.#ticks[at] !== tick) {
      this.#ticks[at] = tick;
      this.#counts[at] = 0;
    }
    this.#counts[at] = (this.#counts[at] as number) + amount;
  }

  sum(nowMs: number): number {
    const oldest = this.#tickOf(nowMs) - this.#ticks.length + 1;
    let sum = 0;
    for (let at = 0; at < this.#ticks.length; at++) {
      if ((this.#ticks[at] as number) >= oldest) sum += this.#counts[at] as number;
    }
    return sum;
  }

  /** Milliseconds until at least `amount` of what is in the window has fallen out; 0 when `amount` is 0 or less. */
  freedAfterMs(nowMs: number, amount: number): number {
    if (amount <= 0) return 0;
    const count = this.#ticks.length;
    const oldest = this.#tickOf(nowMs) - count + 1;
    let freed = 0;
    for (let tick = oldest; tick < oldest + count; tick++) {
      const at = tick % count;
      if (this.#ticks[at] === tick) freed += this.#counts[at] as number;
      if (freed >= amount) return Math.max(0, (tick + count) * this.#bucketMs - nowMs);
    }
    return this.#bucketMs * count;
  }

  #tickOf(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs);
  }
}
