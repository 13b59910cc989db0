import type { Labels, MetricsSnapshot } from '../contract/metrics.ts';
import { histogramWidth } from './histogram-buckets.ts';
import type { MetricKind, Series } from './series.ts';

/** Two generations of an instance may report at once: the old one drains while the new one serves. */
const openGenerations = 2;
const maxInstances = 1024;

type Part = readonly [series: Series, values: readonly number[]];

/**
 * Adds what other processes counted, each (instance, generation) once however often it reports: the last report of a
 * generation replaces the one before. Once a third generation of an instance reports, the oldest is closed: its
 * numbers stay for good and later reports of it are refused.
 */
export class MergedSnapshots {
  readonly #find: (name: string, kind: MetricKind, labels: Labels) => Series;
  readonly #open = new Map<string, Map<number, readonly Part[]>>();
  readonly #closedUpTo = new Map<string, number>();

  constructor(find: (name: string, kind: MetricKind, labels: Labels) => Series) {
    this.#find = find;
  }

  /** False: malformed, outdated, or from one instance too many. Nothing is changed then. */
  add(snapshot: MetricsSnapshot): boolean {
    const { instance, generation } = snapshot;
    if (snapshot.version !== 1 || !snapshot.series.every(isSound)) return false;
    if (generation <= (this.#closedUpTo.get(instance) ?? Number.NEGATIVE_INFINITY)) return false;
    let generations = this.#open.get(instance);
    if (generations === undefined) {
      if (this.#open.size >= maxInstances) return false;
      generations = new Map();
      this.#open.set(instance, generations);
    }
    for (const part of generations.get(generation) ?? []) apply(part, -1);
    const parts = this.#partsOf(snapshot);
    for (const part of parts) apply(part, 1);
    generations.set(generation, parts);
    if (generations.size > openGenerations) this.#closeOldest(instance, generations);
    return true;
  }

  #partsOf(snapshot: MetricsSnapshot): Part[] {
    const parts: Part[] = [];
    for (const each of snapshot.series) {
      // A gauge of another process says nothing about this one and goes stale when that process is gone.
      if (each.kind === 'gauge') continue;
      const series = this.#find(each.name, each.kind, each.labels);
      series.merged ??= new Float64Array(series.width);
      parts.push([series, each.values]);
    }
    return parts;
  }

  #closeOldest(instance: string, generations: Map<number, readonly Part[]>): void {
    const oldest = Math.min(...generations.keys());
    generations.delete(oldest);
    this.#closedUpTo.set(instance, oldest);
  }
}

function apply([series, values]: Part, sign: 1 | -1): void {
  const merged = series.merged as Float64Array;
  for (let i = 0; i < merged.length; i++) merged[i] = (merged[i] as number) + sign * (values[i] as number);
}

function isSound(each: MetricsSnapshot['series'][number]): boolean {
  const width = each.kind === 'histogram' ? histogramWidth : 1;
  return each.values.length === width && each.values.every(Number.isFinite);
}
