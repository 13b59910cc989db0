import type { LocalityConfig } from '../../contract/cluster-config.ts';

export interface ZoneHealth {
  readonly zone: string;
  readonly total: number;
  readonly healthy: number;
}

/** Shares of the zones in any scale, or null where zones are not to matter. */
export function zoneLoads(
  zones: readonly ZoneHealth[],
  settings: LocalityConfig,
  factor: number,
): number[] | null {
  if (settings.mode === 'weighted') return weightedLoads(zones, settings.weights ?? {}, factor);
  return zoneAwareLoads(zones, settings);
}

/** Envoy: weight * min(1, factor * healthy / total), so that a zone that loses hosts gives up its share in time. */
function weightedLoads(
  zones: readonly ZoneHealth[],
  weights: Readonly<Record<string, number>>,
  factor: number,
): number[] {
  return zones.map(({ zone, total, healthy }) => {
    const weight = Object.hasOwn(weights, zone) ? (weights[zone] as number) : 1;
    return total === 0 ? 0 : weight * Math.min(1, (factor * healthy) / total);
  });
}

/**
 * Envoy's zone-aware routing. With U and C the per cents of hosts and of callers in a zone: where C <= U of the own zone
 * everything stays in it, else U / C does and the rest goes to zones with U > C, by that difference.
 */
function zoneAwareLoads(zones: readonly ZoneHealth[], settings: LocalityConfig): number[] | null {
  const hosts = zones.reduce((sum, each) => sum + each.healthy, 0);
  const own = zones.findIndex((each) => each.zone === (settings.zone ?? ''));
  if (zones.length < 2 || hosts < (settings.minHosts ?? 6) || own < 0) return null;
  const callers = zones.map(({ zone }) => callersIn(zone, settings));
  const allCallers = callers.reduce((sum, each) => sum + each, 0);
  if ((callers[own] as number) <= 0) return null;
  const spare = zones.map(({ healthy }, i) => healthy / hosts - (callers[i] as number) / allCallers);
  const stays = Math.min(
    1,
    (zones[own] as ZoneHealth).healthy / hosts / ((callers[own] as number) / allCallers),
  );
  const spareElsewhere = spare.reduce((sum, each, i) => (i === own ? sum : sum + Math.max(0, each)), 0);
  return zones.map((_, i) => {
    if (i === own) return stays;
    return spareElsewhere === 0 ? 0 : ((1 - stays) * Math.max(0, spare[i] as number)) / spareElsewhere;
  });
}

function callersIn(zone: string, settings: LocalityConfig): number {
  if (settings.callers === undefined) return 1;
  return Object.hasOwn(settings.callers, zone) ? Math.max(0, settings.callers[zone] as number) : 0;
}
