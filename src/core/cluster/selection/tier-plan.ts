import type { Host, TierTally, ZoneTally } from '../../contract/cluster.ts';
import type { LocalityConfig } from '../../contract/cluster-config.ts';
import { type ZoneHealth, zoneLoads } from './locality-load.ts';
import { priorityLoads } from './priority-load.ts';

export interface TierSettings {
  /** Per cent by which a level is taken to have more hosts than it needs (140). */
  readonly overprovisioningPercent: number;
  /** Share of healthy hosts of a level below which all of them get traffic, 0 to 1. */
  readonly panicThreshold: number;
  readonly locality: LocalityConfig | null;
}

/** What one priority gets, and how its zones share it. */
export interface TierPlan {
  readonly priority: number;
  /** Per cent of the traffic. */
  readonly load: number;
  /** All its hosts get traffic, healthy or not. */
  readonly isPanic: boolean;
  /** Null: zones do not matter. */
  readonly zones: readonly string[] | null;
  /** One per zone, or one for all, adding up to 1. */
  readonly shares: readonly number[];
}

/** From how many hosts there are and how many of them are healthy; which they are does not matter. */
export function planTiers(tally: TierTally, settings: TierSettings): TierPlan[] {
  const factor = settings.overprovisioningPercent / 100;
  const priorities = [...tally.keys()].sort((a, b) => a - b);
  const zones = priorities.map((priority) => [...(tally.get(priority)?.values() ?? [])]);
  const loads = priorityLoads(zones.map(sumOf), factor, settings.panicThreshold);
  return priorities.map((priority, i) => {
    const { load, isPanic } = loads[i] as (typeof loads)[number];
    return { priority, load, isPanic, ...sharesOf(zones[i] as ZoneTally[], isPanic, settings) };
  });
}

/** Whether hosts belong where they belonged: only loads and shares differ, and nobody panics. */
export function isSameShape(a: readonly TierPlan[], b: readonly TierPlan[]): boolean {
  return (
    a.length === b.length &&
    a.every((plan, i) => {
      const other = b[i] as TierPlan;
      const isCalm = !plan.isPanic && !other.isPanic;
      return isCalm && plan.priority === other.priority && sameZones(plan.zones, other.zones);
    })
  );
}

/** For sets that do not say it themselves. */
export function tallyOf(hosts: Iterable<Host>): TierTally {
  const tally = new Map<number, Map<string, { zone: string; total: number; healthy: number }>>();
  for (const host of hosts) {
    if (host.weight <= 0) continue;
    const zones = tally.get(host.priority) ?? new Map();
    tally.set(host.priority, zones);
    const zone = zones.get(host.zone) ?? { zone: host.zone, total: 0, healthy: 0 };
    zones.set(host.zone, zone);
    zone.total++;
    if (isHealthy(host)) zone.healthy++;
  }
  return tally;
}

export function isHealthy(host: Host): boolean {
  return !host.isUnhealthy && host.ejectedUntilMs === 0;
}

function sharesOf(
  zones: readonly ZoneHealth[],
  isPanic: boolean,
  { locality, overprovisioningPercent }: TierSettings,
): Pick<TierPlan, 'zones' | 'shares'> {
  const shares =
    locality === null || isPanic ? null : zoneLoads(zones, locality, overprovisioningPercent / 100);
  const sum = shares?.reduce((all, each) => all + each, 0) ?? 0;
  if (shares === null || sum === 0) return { zones: null, shares: [1] };
  return { zones: zones.map(({ zone }) => zone), shares: shares.map((each) => each / sum) };
}

function sumOf(zones: readonly ZoneHealth[]): { total: number; healthy: number } {
  let total = 0;
  let healthy = 0;
  for (const zone of zones) {
    total += zone.total;
    healthy += zone.healthy;
  }
  return { total, healthy };
}

function sameZones(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((zone, i) => zone === b[i]);
}
