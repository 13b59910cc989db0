/** Hosts of one priority: with a weight above 0, and those of them that are healthy. */
export interface TierHealth {
  readonly total: number;
  readonly healthy: number;
}

export interface TierLoad {
  /** Per cent of the traffic. */
  readonly load: number;
  /** All its hosts get traffic, healthy or not. */
  readonly isPanic: boolean;
}

/**
 * Envoy's priority levels: health = min(100, factor * healthy / total); the best level takes its health, each next what is
 * left, all scaled to 100 when they do not reach it together. Only then is a level below the panic threshold in panic.
 * @param tiers in order of priority @param factor overprovisioning, 1.4 @param panicThreshold 0 to 1, 0 = never
 */
export function priorityLoads(
  tiers: readonly TierHealth[],
  factor: number,
  panicThreshold: number,
): TierLoad[] {
  const health = tiers.map(({ total, healthy }) =>
    total === 0 ? 0 : Math.min(100, Math.floor((100 * factor * healthy) / total)),
  );
  const sum = Math.min(
    100,
    health.reduce((all, each) => all + each, 0),
  );
  const isPanic = tiers.map(
    ({ total, healthy }) => sum < 100 && total > 0 && healthy < panicThreshold * total,
  );
  if (sum === 0) return loadsByHosts(tiers, isPanic);
  let left = 100;
  return health.map((each, i) => {
    const load = Math.min(left, (each * 100) / sum);
    left -= load;
    return { load, isPanic: isPanic[i] === true };
  });
}

/** Nobody is healthy: in panic each level gets a share by its hosts, else nothing. */
function loadsByHosts(tiers: readonly TierHealth[], isPanic: readonly boolean[]): TierLoad[] {
  const total = tiers.reduce((sum, tier, i) => sum + (isPanic[i] === true ? tier.total : 0), 0);
  return tiers.map((tier, i) =>
    isPanic[i] === true ? { load: (100 * tier.total) / total, isPanic: true } : { load: 0, isPanic: false },
  );
}
