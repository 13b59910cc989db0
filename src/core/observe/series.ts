import type { Labels, MetricsSnapshot } from '../contract/metrics.ts';

export type MetricKind = MetricsSnapshot['series'][number]['kind'];

/** One name with one set of labels: a range of slots. */
export interface Series {
  readonly labels: Labels;
  /** The labels as Prometheus writes them, sorted by name: the key within the family. */
  readonly labelText: string;
  readonly slot: number;
  readonly width: number;
  /** Beyond the cap: the series that the rest shares. */
  readonly isOther: boolean;
  /** What other processes counted, `width` numbers; null until something was merged. */
  merged: Float64Array | null;
}
