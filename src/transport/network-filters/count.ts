import type { NetworkFilterContext } from '../../core/contract/network-filter.ts';

/** Counts `heddle_network_<filter>_<what>_total{listener}`. */
export function networkCounters<What extends string>(
  context: NetworkFilterContext,
  filter: string,
  names: readonly What[],
): (what: What) => void {
  const { metrics, owner } = context;
  const slots = new Map(
    names.map((what) => [
      what,
      metrics.counter(`heddle_network_${filter}_${what}_total`, { listener: owner }),
    ]),
  );
  return (what) => {
    const slot = slots.get(what) as number;
    metrics.values[slot] = (metrics.values[slot] as number) + 1;
  };
}
