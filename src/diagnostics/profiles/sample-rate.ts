/** One in `every`, with `every` adapted to a budget of samples a second. */
export class SampleRate {
  every: number;
  /** Counted down at each resource; at 0 the resource is a sample. */
  untilNext: number;
  readonly #random: () => number;
  readonly #maxPerSecond: number;
  /** What `every` may fall back to. */
  #minEvery: number;
  #secondStartMs = performance.now();
  #thisSecond = 0;

  constructor(every: number, maxPerSecond: number, random: () => number) {
    this.every = every;
    this.#minEvery = every;
    this.#maxPerSecond = maxPerSecond;
    this.#random = random;
    this.untilNext = this.#gap();
  }

  taken(nowMs: number): void {
    this.#thisSecond++;
    if (this.#thisSecond > this.#maxPerSecond) {
      this.every *= 2;
      this.#begin(nowMs);
    } else if (nowMs - this.#secondStartMs >= 1000) {
      if (this.#thisSecond < this.#maxPerSecond / 4) this.every = Math.max(this.#minEvery, this.every / 2);
      this.#begin(nowMs);
    }
    this.untilNext = this.#gap();
  }

  halve(): void {
    this.every *= 2;
    this.#minEvery *= 2;
  }

  #begin(nowMs: number): void {
    this.#thisSecond = 0;
    this.#secondStartMs = nowMs;
  }

  /** Geometric gaps: each resource is taken with the same chance of 1 in `every`. */
  #gap(): number {
    return this.every <= 1 ? 1 : 1 + Math.floor(Math.log(1 - this.#random()) / Math.log(1 - 1 / this.every));
  }
}
