/** Global bounds over all rules: captures an hour and the time spent profiling in it. */
export class CaptureBounds {
  readonly #capturesPerHour: number;
  readonly #profileMsPerHour: number;
  #spent: { readonly atMs: number; readonly profileMs: number }[] = [];

  constructor(bounds: { readonly capturesPerHour: number; readonly profileMsPerHour: number }) {
    this.#capturesPerHour = bounds.capturesPerHour;
    this.#profileMsPerHour = bounds.profileMsPerHour;
  }

  /** `ring` keeps only what was recorded anyway: the monitor degrades, it does not go blind. */
  allows(nowMs: number): 'full' | 'ring' | 'nothing' {
    this.#spent = this.#spent.filter(({ atMs }) => nowMs - atMs < 3_600_000);
    if (this.#spent.length >= this.#capturesPerHour) return 'nothing';
    const profileMs = this.#spent.reduce((sum, one) => sum + one.profileMs, 0);
    return profileMs >= this.#profileMsPerHour ? 'ring' : 'full';
  }

  spend(nowMs: number, profileMs: number): void {
    this.#spent.push({ atMs: nowMs, profileMs });
  }
}
