/**
 * Metrics are slots in one Float64Array: counting is `metrics.values[slot]++` (0.5 ns), names live in a table that is
 * built once. `values` is replaced when it grows: read it anew each time, never keep it.
 * Series are bounded: names come from strangers, beyond the cap everything lands in the series `_other`.
 */
export interface Metrics {
  values: Float64Array;
  /** The slot of a counter; the same name and labels give the same slot. */
  counter(name: string, labels?: Labels): number;
  gauge(name: string, labels?: Labels): number;
  /** The handle of a histogram of milliseconds with log-linear buckets; see `record`. */
  histogram(name: string, labels?: Labels): number;
  record(histogram: number, value: number): void;
  /** Value at `quantile` (0 to 1) of a histogram, NaN when empty. */
  quantile(histogram: number, quantile: number): number;
  /** Frees the series of a label set (a host that is gone); its slots are reused. */
  release(name: string, labels: Labels): void;
  snapshot(): MetricsSnapshot;
  /** Adds another process's counters and histograms; a second snapshot of the same (instance, generation) replaces the first. */
  merge(snapshot: MetricsSnapshot): void;
}

export type Labels = Readonly<Record<string, string>>;

export interface MetricsSnapshot {
  readonly version: 1;
  readonly instance: string;
  readonly generation: number;
  readonly series: readonly {
    readonly name: string;
    readonly kind: 'counter' | 'gauge' | 'histogram';
    readonly labels: Labels;
    /** One number, or the bucket counts followed by sum and count. */
    readonly values: readonly number[];
  }[];
}
