import { channels } from '../base/channels.ts';
import { Code } from '../base/codes.ts';
import type { Cluster, ClusterSlots, Host, HostSet, UpstreamFactory } from '../contract/cluster.ts';
import type { RegistryDelta } from '../contract/registry.ts';
import type { HasHealth, Health, Stateful } from '../contract/state.ts';
import type { Stream } from '../contract/stream.ts';
import { CircuitBreakers, type PermitKind } from './circuit-breakers.ts';
import { ClusterChecks } from './cluster-checks.ts';
import { ClusterHealth } from './cluster-health.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import {
  type ClusterState,
  type ClusterStats,
  checkClusterState,
  clusterStats,
  dumpCluster,
  restoreHealth,
} from './cluster-state.ts';
import type { ClusterHost, HostOwner } from './host.ts';
import { HostList } from './host-list.ts';
import { HostRecord } from './host-statistics.ts';
import { Membership } from './membership.ts';
import { panicShare, Selector } from './selector.ts';
import type { ClusterDependencies, ClusterSettings } from './settings.ts';

/** A cluster as those see it who feed, reload and show it; the stream core sees `Cluster`. */
export interface LiveCluster extends Cluster, HasHealth, Stateful<ClusterState> {
  readonly settings: ClusterSettings;
  readonly breakers: CircuitBreakers;
  /** Takes over what discovery says. Hosts change at once; the host set is built when it is next needed. */
  applyDelta(delta: RegistryDelta): void;
  /**
   * A reload. Hosts, health, ejections and permits stay; the balancer stays when it was not changed.
   * @param createUpstream given when pools are to be made anew: the old ones drain
   * @throws HeddleError ERR_CONFIG_INVALID; nothing has changed then
   */
  update(settings: ClusterSettings, createUpstream?: UpstreamFactory): void;
  /** Why the first streams would fare better later: hosts wait for their first check, a balancer for its first table; or null. */
  readonly preparing: string | null;
  /** As an active check that went well, or enough that did not. */
  setHealthy(address: string, isHealthy: boolean): void;
  /** @param maxHosts hosts listed (1,000) */
  stats(maxHosts?: number): ClusterStats;
  /** Takes no new streams; connections close as they fall idle. */
  drain(): void;
  /** Drops every connection and timer. */
  close(): void;
}

/** @throws HeddleError ERR_CONFIG_INVALID when the load balancer is unknown or refuses its configuration. */
export function createCluster(settings: ClusterSettings, dependencies: ClusterDependencies): LiveCluster {
  return new BalancedCluster(settings, dependencies);
}

class BalancedCluster implements LiveCluster {
  readonly name: string;
  settings: ClusterSettings;
  readonly slots: ClusterSlots;
  readonly breakers: CircuitBreakers;
  readonly #dependencies: ClusterDependencies;
  readonly #metrics: ClusterMetrics;
  readonly #list: HostList;
  readonly #membership: Membership;
  readonly #owner: { name: string; createUpstream: UpstreamFactory } & HostOwner;
  readonly #health: ClusterHealth;
  readonly #checks: ClusterChecks;
  readonly #selector: Selector;
  #code: number = Code.none;

  constructor(settings: ClusterSettings, dependencies: ClusterDependencies) {
    this.#selector = new Selector(settings, dependencies);
    this.name = settings.name;
    this.settings = settings;
    this.#dependencies = dependencies;
    this.#metrics = new ClusterMetrics(dependencies.metrics, settings.name);
    this.slots = this.#metrics.slots;
    this.breakers = new CircuitBreakers(settings.circuitBreakers, {
      onOverflow: (kind) => this.#count(this.#metrics.overflows[kind]),
      onBug: (kind) => this.#onPermitBug(kind),
    });
    this.#list = new HostList(panicShare(settings));
    const { outlierDetection } = settings;
    this.#health = new ClusterHealth(
      settings.name,
      outlierDetection,
      this.#list,
      this.#metrics,
      dependencies,
    );
    this.#checks = new ClusterChecks(settings.name, this.#list, this.#health, this.#metrics, dependencies);
    this.#checks.configure(settings, false);
    this.#owner = {
      name: settings.name,
      createUpstream: dependencies.createUpstream,
      permits: this.breakers,
    };
    this.#membership = new Membership(this.#list, this.#owner, {
      onAdded: (host) => {
        this.#checks.added(host);
        this.#warm(host);
      },
      onRemoved: (host) => {
        this.#health.ejections.forget(host);
        this.#checks.removed(host);
      },
      onDuplicate: (address) =>
        dependencies.logger.warn('endpoint listed twice, the last entry counts', {
          cluster: this.name,
          address,
        }),
    });
    this.#rebuild();
  }

  get connectTimeoutMs(): number {
    return this.settings.connectTimeoutMs;
  }

  get hostSet(): HostSet {
    if (this.#list.isDirty) this.#rebuild();
    return this.#list.snapshot();
  }

  chooseHost(s: Stream): Host | number {
    if (this.#code !== Code.none) return this.#code;
    if (this.#list.isDirty) this.#rebuild();
    if (!this.breakers.tryRequest()) return Code.requestOverflow;
    const host = this.#selector.pick(s);
    if (host === null) {
      this.breakers.releaseRequest();
      this.#count(this.slots.noHost);
      return Code.noHost;
    }
    return this.#taken(host);
  }

  takeHost(host: Host): Host | number {
    if (this.#code !== Code.none) return this.#code;
    return this.breakers.tryRequest() ? this.#taken(host) : Code.requestOverflow;
  }

  #taken(host: Host): Host {
    host.active++;
    const values = this.#dependencies.metrics.values;
    values[this.slots.requests] = (values[this.slots.requests] as number) + 1;
    values[this.slots.active] = this.breakers.requests;
    return host;
  }

  release(host: Host): void {
    if (host.active > 0) host.active--;
    if (host.isRemoved && host.active === 0) (host as ClusterHost).drain();
    this.breakers.releaseRequest();
    this.#dependencies.metrics.values[this.slots.active] = this.breakers.requests;
  }

  report(host: Host, status: number, code: number, durationMs: number): void {
    const ours = host as ClusterHost;
    if (this.#selector.usesStatistics) {
      const nowMs = this.#dependencies.clock.now();
      ours.statistics ??= new HostRecord(nowMs);
      ours.statistics.add(status, code, durationMs, nowMs);
    }
    this.#health.report(ours, status, code);
  }

  takeRetry(): boolean {
    return this.breakers.tryRetry();
  }

  releaseRetry(): void {
    this.breakers.releaseRetry();
  }

  applyDelta(delta: RegistryDelta): void {
    if (this.#code === Code.meshClosed) return;
    this.#membership.apply(delta, this.#dependencies.clock.now());
    if (channels.hostsUpdate.hasSubscribers) {
      const { version, full, added, removed, changed } = delta;
      channels.hostsUpdate.publish({
        cluster: this.name,
        version,
        full,
        added: added.length,
        removed: removed.length,
        changed: changed.length,
      });
    }
    this.#checks.begin();
  }

  update(settings: ClusterSettings, createUpstream?: UpstreamFactory): void {
    this.#selector.change(settings, this.settings, this.hostSet);
    this.settings = settings;
    this.breakers.settings = settings.circuitBreakers;
    this.#health.settings = settings.outlierDetection;
    this.#list.panicThreshold = panicShare(settings);
    this.#checks.configure(settings, createUpstream !== undefined);
    if (createUpstream === undefined) return;
    this.#owner.createUpstream = createUpstream;
    for (const host of this.#list.hosts) {
      host.renewUpstream();
      this.#warm(host);
    }
  }

  get preparing(): string | null {
    if (this.#checks.unchecked > 0) return 'no host has been checked yet';
    if (this.#list.isDirty) this.#rebuild();
    return this.#selector.isPreparing ? 'the load balancer has no table yet' : null;
  }

  setHealthy(address: string, isHealthy: boolean): void {
    const host = this.#list.get(address);
    if (host !== undefined) this.#health.setHealthy(host, isHealthy);
  }

  health(): Health {
    if (this.#list.isDirty) this.#rebuild();
    return this.#health.toHealth();
  }

  stats(maxHosts = 1000): ClusterStats {
    if (this.#list.isDirty) this.#rebuild();
    const nowMs = this.#dependencies.clock.now();
    return clusterStats(this.name, this.#list, this.breakers, this.#health.ejections.count, nowMs, maxHosts);
  }

  dumpState(): ClusterState {
    return dumpCluster(this.name, this.#list, this.#dependencies.clock.now());
  }

  /** Applies the endpoints of the dump as a full delta, then health and ejections. */
  restoreState(state: ClusterState): void {
    checkClusterState(state, this.name);
    this.applyDelta({
      service: this.name,
      version: 0,
      full: true,
      added: state.endpoints,
      removed: [],
      changed: [],
    });
    restoreHealth(state, this.#list, this.#health.ejections);
  }

  drain(): void {
    if (this.#code !== Code.none) return;
    this.#code = Code.draining;
    this.#health.close();
    this.#checks.close();
    for (const host of this.#list.hosts) host.drain();
  }

  close(): void {
    if (this.#code === Code.meshClosed) return;
    this.#code = Code.meshClosed;
    this.#health.close();
    this.#checks.close();
    for (const host of this.#list.hosts) host.close();
    this.#metrics.release();
  }

  #rebuild(): void {
    const set = this.#list.snapshot();
    this.#selector.update(set);
    this.#health.judge(set);
  }

  #onPermitBug(kind: PermitKind): void {
    this.#dependencies.logger.error('permit released twice', { cluster: this.name, permit: kind });
  }

  #warm(host: ClusterHost): void {
    if ((this.settings.pool?.preconnect ?? 0) > 0) void host.upstream;
  }

  #count(slot: number): void {
    const values = this.#dependencies.metrics.values;
    values[slot] = (values[slot] as number) + 1;
  }
}
