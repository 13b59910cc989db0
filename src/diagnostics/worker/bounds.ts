/** Global bounds over all rules: captures an hour and the time spent profiling in it. */
export class CaptureBounds {
  readonly #capturesPerHour: number;
  readonly #profileMsPerHour: number;
  #spent: { readonly atMs: number; readonly profileMs: number }[] = [];

  constructor(bounds: { readonly capturesPerHour: number; readonly profileMsPerHour: number }) {
    this.#capturesPerHour = bounds.capturesPerHour;
    this.#profileMsPerHour = bounds.profileMsPerHour;
  }

  /**
   * `ring` keeps only what was recorded anyway, when captures or profile time are used up: the monitor degrades, it
   * does not go blind. That is bounded too, by as many again.
   */
  allows(nowMs: number): 'full' | 'ring' | 'nothing' {
    this.#spent = this.#spent.filter(({ atMs }) => nowMs - atMs < 3_600_000);
    const full = this.#spent.filter((one) => one.profileMs > 0);
    const profileMs = full.reduce((sum, one) => sum + one.profileMs, 0);
    if (full.length < this.#capturesPerHour && profileMs < this.#profileMsPerHour) return 'full';
    return this.#spent.length - full.length < this.#capturesPerHour ? 'ring' : 'nothing';
  }

  /** @param profileMs 0 for one that took nothing but the ring. */
  spend(nowMs: number, profileMs: number): void {
    this.#spent.push({ atMs: nowMs, profileMs });
  }
}
