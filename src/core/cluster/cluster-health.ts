import { channels } from '../base/channels.ts';
import type { Clock } from '../base/clock.ts';
import { HealthRecord } from '../base/health-record.ts';
import type { ExtensionContext } from '../contract/extension.ts';
import type { Health } from '../contract/state.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import { type EjectionKind, Ejections } from './health/ejections.ts';
import { Outliers } from './health/outlier.ts';
import { Outcome, outcomeOf } from './health/passive.ts';
import type { ClusterHost } from './host.ts';
import type { HostList, Snapshot } from './host-list.ts';
import type { OutlierSettings } from './settings.ts';

/** What a cluster knows about the health of its hosts: passive ejection, results of checks, and its own health. */
export class ClusterHealth {
  readonly ejections: Ejections;
  readonly #outliers: Outliers;
  readonly #name: string;
  readonly #list: HostList;
  readonly #metrics: ClusterMetrics;
  readonly #context: ExtensionContext;
  readonly #clock: Clock;
  readonly #record: HealthRecord;
  #settings: OutlierSettings;

  constructor(
    name: string,
    settings: OutlierSettings,
    list: HostList,
    metrics: ClusterMetrics,
    context: ExtensionContext,
  ) {
    this.#name = name;
    this.#settings = settings;
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
    this.ejections.settings = settings;
    this.#outliers.settings = settings;
  }

  /** How a try went. */
  report(host: ClusterHost, status: number, code: number): void {
    const limit = this.#settings.consecutiveErrors;
    const isComparing = this.#outliers.isOn;
    if (limit === 0 && !isComparing) return;
    const outcome = outcomeOf(status, code);
    if (isComparing) this.#outliers.add(host, outcome);
    if (outcome === Outcome.success) host.consecutiveErrors = 0;
    else if (outcome === Outcome.serverError && limit !== 0 && ++host.consecutiveErrors >= limit) {
      host.consecutiveErrors = 0;
      this.ejections.eject(host, 'consecutiveErrors');
    }
  }

  /** The result of an active check. */
  setHealthy(host: ClusterHost, isHealthy: boolean): void {
    // A check that succeeds also ends an ejection (Envoy: successful_active_health_check_uneject_host).
    const hasReturned = isHealthy && this.ejections.forget(host);
    if (host.isUnhealthy !== isHealthy && !hasReturned) return;
    host.isUnhealthy = !isHealthy;
    if (isHealthy) host.sinceMs = this.#clock.now();
    this.#list.refresh(host);
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

  #onEjected(host: ClusterHost, kind: EjectionKind, durationMs: number): void {
    this.#list.refresh(host);
    this.#count(this.#metrics.ejections);
    const fields = { cluster: this.#name, host: host.address, reason: kind, durationMs };
    this.#context.logger.warn('host ejected', fields);
    if (channels.hostEject.hasSubscribers) channels.hostEject.publish(fields);
  }

  #onReturned(host: ClusterHost): void {
    this.#list.refresh(host);
    this.#context.logger.info('host returned', { cluster: this.#name, host: host.address });
  }

  #count(slot: number): void {
    const values = this.#context.metrics.values;
    values[slot] = (values[slot] as number) + 1;
  }
}
