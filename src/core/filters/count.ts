import type { Metrics } from '../contract/metrics.ts';
import type { FilterContext } from '../contract/stream-filter.ts';

/** Slot of `heddle_filter_<filter>_<what>_total{listener}`. */
export function filterCounter(context: FilterContext, filter: string, what: string): number {
  const name = `heddle_filter_${filter.replaceAll('-', '_')}_${what}_total`;
  return context.metrics.counter(name, { listener: context.owner });
}

export function countOne(metrics: Metrics, slot: number): void {
  const values = metrics.values;
  values[slot] = (values[slot] as number) + 1;
}
