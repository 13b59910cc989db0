import type { TierTally, ZoneTally } from '../contract/cluster.ts';
import type { ClusterHost } from './host.ts';

/** The hosts of one priority and zone, counted. */
export interface HostTally extends ZoneTally {
  readonly priority: number;
  total: number;
  healthy: number;
}

/** Counts hosts with a weight above 0 by priority and zone, as they change. */
export class TierCounts {
  readonly #byPriority = new Map<number, Map<string, HostTally>>();

  get tally(): TierTally {
    return this.#byPriority;
  }

  /** After any change of the host. @param isIn it is in the list */
  count(host: ClusterHost, isIn: boolean): void {
    const wanted = isIn && host.weight > 0;
    const isHealthy = wanted && host.isHealthy;
    const before = host.tally;
    if (wanted && before !== null && before.priority === host.priority && before.zone === host.zone) {
      if (isHealthy !== host.isTalliedHealthy) before.healthy += isHealthy ? 1 : -1;
      host.isTalliedHealthy = isHealthy;
      return;
    }
    if (before !== null) this.#forget(before, host.isTalliedHealthy);
    host.tally = wanted ? this.#tallyOf(host.priority, host.zone) : null;
    host.isTalliedHealthy = isHealthy;
    if (host.tally === null) return;
    host.tally.total++;
    if (isHealthy) host.tally.healthy++;
  }

  #forget(tally: HostTally, wasHealthy: boolean): void {
    tally.total--;
    if (wasHealthy) tally.healthy--;
    if (tally.total > 0) return;
    const zones = this.#byPriority.get(tally.priority);
    zones?.delete(tally.zone);
    if (zones?.size === 0) this.#byPriority.delete(tally.priority);
  }

  #tallyOf(priority: number, zone: string): HostTally {
    let zones = this.#byPriority.get(priority);
    if (zones === undefined) {
      zones = new Map();
      this.#byPriority.set(priority, zones);
    }
    let tally = zones.get(zone);
    if (tally === undefined) {
      tally = { priority, zone, total: 0, healthy: 0 };
      zones.set(zone, tally);
    }
    return tally;
  }
}
