import type { MetricsSnapshot } from '../../core/contract/metrics.ts';
import { labelText } from '../../core/observe/labels.ts';
import { MetricsTable } from '../../core/observe/metrics.ts';

type Series = MetricsSnapshot['series'][number];

/** Gauges that say the same of every worker; all others are sums. */
const sameOfAll = /^heddle_cluster_(hosts.*|panic)$/;

/**
 * The metrics of all workers as one. Counters and histograms are sums over every process that there has been, each
 * (worker, generation) once; gauges are those of the workers that live.
 */
export class MetricsView {
  /** Of the supervisor itself, with what was merged. */
  readonly table = new MetricsTable({ instance: 'supervisor' });
  readonly #latest = new Map<number, MetricsSnapshot>();

  /** @param generation grows with each process of that worker */
  take(worker: number, generation: number, snapshot: MetricsSnapshot): void {
    const before = this.#latest.get(worker);
    this.table.merge({ ...snapshot, instance: `worker-${worker}`, generation });
    this.#latest.set(worker, { ...snapshot, generation });
    if (before?.generation === generation) this.#forgetReleased(before, snapshot);
  }

  /** The worker's process is gone; what it counted stays. */
  left(worker: number): void {
    this.#latest.delete(worker);
  }

  totals(): MetricsSnapshot {
    const totals = this.table.totals();
    return { ...totals, series: [...totals.series, ...this.#gauges()] };
  }

  #gauges(): Series[] {
    const sums = new Map<string, { series: Series; value: number }>();
    for (const snapshot of this.#latest.values()) {
      for (const series of snapshot.series) {
        if (series.kind === 'gauge') addGauge(sums, series);
      }
    }
    return [...sums.values()].map(({ series, value }) => ({ ...series, values: [value] }));
  }

  /** A host that is gone gave its series back: it goes here as well once no worker has it. */
  #forgetReleased(before: MetricsSnapshot, now: MetricsSnapshot): void {
    if (
      before.series.length === now.series.length &&
      before.series.every((each, i) => isSame(each, now.series[i]))
    ) {
      return;
    }
    const kept = new Set<string>();
    for (const { series } of this.#latest.values()) for (const each of series) kept.add(keyOf(each));
    for (const each of before.series) {
      if (each.kind !== 'gauge' && !kept.has(keyOf(each))) this.table.release(each.name, each.labels);
    }
  }
}

function addGauge(sums: Map<string, { series: Series; value: number }>, series: Series): void {
  const key = keyOf(series);
  const known = sums.get(key);
  const value = series.values[0] ?? 0;
  if (known === undefined) sums.set(key, { series, value });
  else known.value = sameOfAll.test(series.name) ? Math.max(known.value, value) : known.value + value;
}

const keyOf = ({ name, labels }: Series): string => `${name}{${labelText(labels)}}`;

const isSame = (a: Series, b: Series | undefined): boolean =>
  b !== undefined && a.name === b.name && keyOf(a) === keyOf(b);
