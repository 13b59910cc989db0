import { HeddleError } from '../base/errors.ts';
import type { Labels, Metrics, MetricsSnapshot } from '../contract/metrics.ts';
import { BucketFinder, countAt, histogramWidth, quantileOf, sumAt } from './histogram-buckets.ts';
import { checkLabels, checkMetricName, labelText, otherLabels } from './labels.ts';
import { MergedSnapshots } from './merged-snapshots.ts';
import type { MetricKind, Series } from './series.ts';

const firstSlots = 1024;

export interface MetricsOptions {
  /** Which process this is, for `merge` elsewhere ("main"). */
  readonly instance?: string;
  /** Grows with each restart of that instance (1). */
  readonly generation?: number;
  /** Series a name may have before the rest shares `_other` (10,000 counters and gauges, 1,000 histograms). */
  readonly maxSeriesPerName?: number;
  readonly maxHistogramsPerName?: number;
}

interface Family {
  readonly kind: MetricKind;
  readonly byLabels: Map<string, Series>;
  /** Series that count towards the cap: all but `_other`. */
  used: number;
}

/**
 * The metrics of one mesh.
 *
 *   families   name -> kind, label text -> Series { slot, width }
 *   values     [ counter | gauge | histogram: 450 buckets, sum, count | ... ]
 *
 * Counting touches `values` only. A series that is released gives its slots to the next of the same width; whoever
 * still holds the old slot then counts for somebody else, so let go of a slot before releasing it.
 */
export class MetricsTable implements Metrics {
  values: Float64Array = new Float64Array(firstSlots);
  readonly #instance: string;
  readonly #generation: number;
  readonly #caps: Readonly<Record<MetricKind, number>>;
  readonly #families = new Map<string, Family>();
  readonly #finder = new BucketFinder();
  readonly #free = new Map<number, number[]>();
  readonly #merged = new MergedSnapshots((name, kind, labels) => this.#series(name, kind, labels));
  #used = 0;

  constructor(options: MetricsOptions = {}) {
    this.#instance = options.instance ?? 'main';
    this.#generation = options.generation ?? 1;
    const scalars = options.maxSeriesPerName ?? 10_000;
    this.#caps = { counter: scalars, gauge: scalars, histogram: options.maxHistogramsPerName ?? 1000 };
  }

  /** @throws HeddleError ERR_OPTION_INVALID for a name Prometheus does not allow, or one used for another kind */
  counter(name: string, labels: Labels = {}): number {
    return this.#series(name, 'counter', labels).slot;
  }

  gauge(name: string, labels: Labels = {}): number {
    return this.#series(name, 'gauge', labels).slot;
  }

  histogram(name: string, labels: Labels = {}): number {
    return this.#series(name, 'histogram', labels).slot;
  }

  record(histogram: number, value: number): void {
    const values = this.values;
    const index = histogram + this.#finder.find(value);
    values[index] = (values[index] as number) + 1;
    if (value > 0) values[histogram + sumAt] = (values[histogram + sumAt] as number) + value;
    values[histogram + countAt] = (values[histogram + countAt] as number) + 1;
  }

  /** Of this process only; `quantileOf(totals().series[i].values, q)` includes the merged ones. */
  quantile(histogram: number, quantile: number): number {
    return quantileOf(this.values, quantile, histogram);
  }

  release(name: string, labels: Labels): void {
    const family = this.#families.get(name);
    const series = family?.byLabels.get(labelText(labels));
    if (family === undefined || series === undefined || series.isOther) return;
    family.byLabels.delete(series.labelText);
    family.used--;
    if (family.byLabels.size === 0) this.#families.delete(name);
    this.values.fill(0, series.slot, series.slot + series.width);
    const free = this.#free.get(series.width);
    if (free === undefined) this.#free.set(series.width, [series.slot]);
    else free.push(series.slot);
  }

  /** What this process counted; merged snapshots are not in it, so that merging in a circle counts nothing twice. */
  snapshot(): MetricsSnapshot {
    return this.#dump(false);
  }

  /** As `snapshot`, with the counters and histograms of the merged processes added: what `/metrics` shows. */
  totals(): MetricsSnapshot {
    return this.#dump(true);
  }

  /** Refused and counted in `heddle_metrics_merge_refused_total` when it is malformed or outdated. */
  merge(snapshot: MetricsSnapshot): void {
    if (this.#merged.add(snapshot)) return;
    const refused = this.counter('heddle_metrics_merge_refused_total');
    this.values[refused] = (this.values[refused] as number) + 1;
  }

  #dump(withMerged: boolean): MetricsSnapshot {
    const series: MetricsSnapshot['series'][number][] = [];
    for (const [name, family] of this.#families) {
      for (const each of family.byLabels.values()) {
        const values = Array.from(this.values.subarray(each.slot, each.slot + each.width));
        const merged = withMerged ? each.merged : null;
        if (merged !== null) {
          for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) + (merged[i] as number);
        }
        series.push({ name, kind: family.kind, labels: each.labels, values });
      }
    }
    return { version: 1, instance: this.#instance, generation: this.#generation, series };
  }

  #series(name: string, kind: MetricKind, labels: Labels): Series {
    const family = this.#family(name, kind);
    const text = labelText(labels);
    const known = family.byLabels.get(text);
    if (known !== undefined) return known;
    checkLabels(name, labels);
    if (family.used < this.#caps[kind]) {
      family.used++;
      return this.#addSeries(family, labels, text, false);
    }
    const other = otherLabels(labels);
    const otherText = labelText(other);
    return family.byLabels.get(otherText) ?? this.#addSeries(family, other, otherText, true);
  }

  #family(name: string, kind: MetricKind): Family {
    const known = this.#families.get(name);
    if (known === undefined) {
      checkMetricName(name);
      const family: Family = { kind, byLabels: new Map(), used: 0 };
      this.#families.set(name, family);
      return family;
    }
    if (known.kind === kind) return known;
    throw new HeddleError('ERR_OPTION_INVALID', `metric ${name} is a ${known.kind} and cannot be a ${kind}`);
  }

  #addSeries(family: Family, labels: Labels, text: string, isOther: boolean): Series {
    const width = family.kind === 'histogram' ? histogramWidth : 1;
    const series = { labels, labelText: text, slot: this.#allocate(width), width, isOther, merged: null };
    family.byLabels.set(text, series);
    return series;
  }

  #allocate(width: number): number {
    const reused = this.#free.get(width)?.pop();
    if (reused !== undefined) return reused;
    const slot = this.#used;
    this.#used += width;
    if (this.#used > this.values.length) {
      const larger = new Float64Array(Math.max(this.values.length * 2, this.#used));
      larger.set(this.values);
      this.values = larger;
    }
    return slot;
  }
}
