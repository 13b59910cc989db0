import { channels } from '../base/channels.ts';
import type { Clock } from '../base/clock.ts';
import { Code } from '../base/codes.ts';
import { HealthRecord } from '../base/health-record.ts';
import type { Health } from '../contract/state.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import { countInARow, countsInARow, forgetRows } from './health/consecutive.ts';
import { type EjectionKind, Ejections } from './health/ejections.ts';
import { Outliers } from './health/outlier.ts';
import { outcomeOf } from './health/passive.ts';
import type { ClusterHost } from './host.ts';
import type { HostList, Snapshot } from './host-list.ts';
import type { ClusterDependencies, OutlierSettings } from './settings.ts';

/** What a cluster knows about the health of its hosts: passive ejection, results of checks, and its own health. */
export class ClusterHealth {
  readonly ejections: Ejections;
  readonly #outliers: Outliers;
  readonly #name: string;
  readonly #list: HostList;
  readonly #metrics: ClusterMetrics;
  readonly #context: ClusterDependencies;
  readonly #clock: Clock;
  readonly #record: HealthRecord;
  #settings: OutlierSettings;
  #isCounting: boolean;

  constructor(
    name: string,
    settings: OutlierSettings,
    list: HostList,
    metrics: ClusterMetrics,
    context: ClusterDependencies,
  ) {
    this.#name = name;
    this.#settings = settings;
    this.#isCounting = countsInARow(settings);
    this.#list = list;
    this.#metrics = metrics;
    this.#context = context;
    this.#clock = context.clock;
    this.#record = new HealthRecord(context.clock);
    this.ejections = new Ejections(settings, context.clock, {
      get eligibleCount() {
        return list.eligibleCount;
      },
      get healthyCount() {
        return list.healthyCount;
      },
      onEjected: (host, kind, durationMs) => this.#onEjected(host, kind, durationMs),
      onRefused: () => this.#count(metrics.ejectionsRefused),
      onReturned: (host) => this.#onReturned(host),
    });
    this.#outliers = new Outliers(
      settings,
      context.clock,
      (host, kind) => void this.ejections.eject(host, kind),
    );
  }

  set settings(settings: OutlierSettings) {
    this.#settings = settings;
    this.#isCounting = countsInARow(settings);
    this.ejections.settings = settings;
    this.#outliers.settings = settings;
  }

  /** How a try went. */
  report(host: ClusterHost, status: number, code: number): void {
    const settings = this.#settings;
    const isComparing = this.#outliers.isOn;
    if (!this.#isCounting && !isComparing) return;
    const outcome = outcomeOf(status, code);
    // Split off, what a host did not answer is no part of how it answers.
    if (isComparing && (code === Code.none || settings.splitLocalOriginErrors !== true)) {
      this.#outliers.add(host, outcome);
    }
    if (!this.#isCounting) return;
    const kind = countInARow(host, status, code, outcome, settings);
    if (kind === null) return;
    forgetRows(host);
    this.ejections.eject(host, kind);
  }

  /** What active checks came to. */
  setHealthy(host: ClusterHost, isHealthy: boolean): void {
    const wasFine = host.isHealthy;
    if (isHealthy) this.#endEjection(host);
    if (host.isUnhealthy === isHealthy) {
      host.isUnhealthy = !isHealthy;
      if (isHealthy) host.sinceMs = this.#clock.now();
    }
    this.#flipped(host, wasFine);
  }

  /** An active check of the host went well; it may have been well all the time but for its ejection. */
  passedCheck(host: ClusterHost): void {
    if (host.isUnhealthy || host.ejectedUntilMs === 0) return;
    this.#endEjection(host);
    if (host.ejectedUntilMs !== 0) return;
    host.sinceMs = this.#clock.now();
    this.#onReturned(host);
  }

  /** Sums up after a new host set. */
  judge(set: Snapshot): void {
    const ejected = this.ejections.count;
    const healthy = this.#list.healthyCount;
    const eligible = this.#list.eligibleCount;
    const values = this.#context.metrics.values;
    values[this.#metrics.hosts] = set.allView.length;
    values[this.#metrics.available] = set.availableView.length;
    values[this.#metrics.ejected] = ejected;
    values[this.#metrics.unhealthy] = this.#list.unhealthyCount;
    values[this.#metrics.panic] = set.isPanic ? 1 : 0;
    if (set.availableView.length === 0) {
      this.#record.set('failed', set.allView.length === 0 ? 'no hosts are known' : 'no host may be chosen');
    } else if (set.isPanic) {
      this.#record.set('degraded', `${healthy} of ${eligible} hosts are healthy: all get traffic`);
    } else if (healthy < eligible) {
      this.#record.set('degraded', `${eligible - healthy} of ${eligible} hosts are out, ${ejected} ejected`);
    } else this.#record.set('ok', '');
  }

  toHealth(): Health {
    return this.#record.toHealth();
  }

  close(): void {
    this.ejections.close();
    this.#outliers.close();
  }

  /** Envoy: successful_active_health_check_uneject_host. */
  #endEjection(host: ClusterHost): void {
    if (this.#settings.healthyCheckReturns !== false) this.ejections.forget(host);
  }

  #onEjected(host: ClusterHost, kind: EjectionKind, durationMs: number): void {
    this.#flipped(host, !host.isUnhealthy);
    this.#count(this.#metrics.ejections);
    const fields = { cluster: this.#name, host: host.address, reason: kind, durationMs };
    this.#context.logger.warn('host ejected', fields);
    if (channels.hostEject.hasSubscribers) channels.hostEject.publish(fields);
  }

  #onReturned(host: ClusterHost): void {
    this.#flipped(host, false);
    this.#context.logger.info('host returned', { cluster: this.#name, host: host.address });
  }

  #flipped(host: ClusterHost, wasFine: boolean): void {
    this.#list.refresh(host);
    const isFine = host.isHealthy;
    if (isFine !== wasFine) this.#context.onHealthChange?.(host.address, isFine);
  }

  #count(slot: number): void {
    const values = this.#context.metrics.values;
    values[slot] = (values[slot] as number) + 1;
  }
}
