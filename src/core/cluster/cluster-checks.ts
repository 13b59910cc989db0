import type { HealthCheckConfig } from '../contract/cluster-health-config.ts';
import type { ClusterHealth } from './cluster-health.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';
import { ActiveHealth } from './health/active.ts';
import type { ClusterHost } from './host.ts';
import type { HostList } from './host-list.ts';
import type { CheckDependencies, ClusterDependencies, ClusterSettings } from './settings.ts';

/** The active checks of a cluster over reloads: what did not change goes on, what changed begins anew with what is known. */
export class ClusterChecks {
  readonly #name: string;
  readonly #list: HostList;
  readonly #health: ClusterHealth;
  readonly #metrics: ClusterMetrics;
  readonly #dependencies: ClusterDependencies;
  #active: ActiveHealth | null = null;

  constructor(
    name: string,
    list: HostList,
    health: ClusterHealth,
    metrics: ClusterMetrics,
    dependencies: ClusterDependencies,
  ) {
    this.#name = name;
    this.#list = list;
    this.#health = health;
    this.#metrics = metrics;
    this.#dependencies = dependencies;
  }

  get isOn(): boolean {
    return this.#active !== null;
  }

  /** Hosts whose first check has not ended. */
  get unchecked(): number {
    return this.#active?.unchecked ?? 0;
  }

  /** @param isDialledAnew how hosts are reached has changed */
  configure(settings: ClusterSettings, isDialledAnew: boolean): void {
    const wanted = settings.healthCheck;
    const before = this.#active;
    if (!isDialledAnew && JSON.stringify(wanted) === JSON.stringify(before?.settings)) return;
    before?.close();
    this.#active = null;
    const { checks } = this.#dependencies;
    if (wanted !== undefined && checks !== undefined) this.#begin(settings, wanted, checks);
    else if (before !== null) this.#forget();
  }

  added(host: ClusterHost): void {
    if (this.#active === null) return;
    this.#active.add(host, true);
    this.#list.refresh(host);
  }

  /** To be called after hosts were added. */
  begin(): void {
    this.#active?.begin();
  }

  removed(host: ClusterHost): void {
    this.#active?.remove(host);
  }

  close(): void {
    this.#active?.close();
    this.#active = null;
  }

  #begin(
    settings: ClusterSettings,
    check: HealthCheckConfig,
    { wheel, openProbes }: CheckDependencies,
  ): void {
    const { clock, random, metrics } = this.#dependencies;
    const requests = this.#metrics.slots.requests;
    const openProbe = openProbes(settings, check);
    this.#active = new ActiveHealth(
      check,
      { clock, random, wheel, openProbe },
      {
        get requestCount() {
          return metrics.values[requests] as number;
        },
        onHealthy: (host, isFirst) => this.#onHealthy(host, isFirst),
        onUnhealthy: (host, reason) => this.#onUnhealthy(host, reason),
        onChecked: (host, reason) => this.#onChecked(host, reason),
      },
    );
    for (const host of this.#list.hosts) this.#active.add(host, false);
    this.#active.begin();
  }

  /** Nobody checks any more: nobody is unhealthy any more. */
  #forget(): void {
    for (const host of [...this.#list.hosts]) if (host.isUnhealthy) this.#health.setHealthy(host, true);
  }

  #onHealthy(host: ClusterHost, isFirst: boolean): void {
    this.#health.setHealthy(host, true);
    this.#count(this.#metrics.healthFlips);
    const fields = { cluster: this.#name, host: host.address };
    if (isFirst) this.#dependencies.logger.debug('host healthy', fields);
    else this.#dependencies.logger.info('host healthy', fields);
  }

  #onUnhealthy(host: ClusterHost, reason: string): void {
    this.#health.setHealthy(host, false);
    this.#count(this.#metrics.healthFlips);
    this.#dependencies.logger.warn('host unhealthy', { cluster: this.#name, host: host.address, reason });
  }

  #onChecked(host: ClusterHost, reason: string): void {
    this.#count(reason === '' ? this.#metrics.checksPassed : this.#metrics.checksFailed);
    if (reason === '') this.#health.passedCheck(host);
  }

  #count(slot: number): void {
    const { values } = this.#dependencies.metrics;
    values[slot] = (values[slot] as number) + 1;
  }
}
