import { HeddleError } from '../core/base/errors.ts';
import { createCluster, type LiveCluster } from '../core/cluster/cluster.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import { loadedExtension } from '../core/config/late-extension.ts';
import type { Endpoint, HostUpstream, UpstreamFactory } from '../core/contract/cluster.ts';
import type { Codec, ServerConnection } from '../core/contract/codec.ts';
import type { ClusterConfig } from '../core/contract/config.ts';
import type { Pool } from '../core/contract/pool.ts';
import type { ClusterRef } from '../core/contract/route.ts';
import type { Dialer, Wire } from '../core/contract/wire.ts';
import { createPool } from '../transport/pool/index.ts';
import type { TlsDialing } from '../transport/tls/dial.ts';
import { handlerAddress } from './handler-address.ts';
import { checkDependencies } from './host-checks.ts';
import { type OwnDialer, ownDialer } from './own-dialer.ts';
import { Registries } from './registries.ts';
import type { Runtime } from './runtime.ts';
import { type ServiceList, subscribeList } from './service-list.ts';

/** How long a removed cluster may finish its streams before its connections, timers and metric series go. */
const removedCloseMs = 60_000;

interface Entry {
  config: ClusterConfig;
  readonly live: LiveCluster;
  list: ServiceList;
  /** The directory of last good lists at the time of `list`. */
  lastGood: string | null;
}

const noList: ServiceList = { listed: Promise.resolve(), unsubscribe() {}, setHealth() {} };
/** How often a start looks whether the first checks of hosts have ended, or tables are built. */
const preparingLookMs = 10;

/** The clusters of one mesh by name. Routes hold `ClusterRef` cells, so a reload never touches them. */
export class ClusterTable {
  readonly #runtime: Runtime;
  readonly #entries = new Map<string, Entry>();
  readonly #refs = new Map<string, ClusterRef>();
  readonly #handlers = new Map<string, UpstreamFactory>();
  readonly #dialers = new Map<string, OwnDialer>();
  readonly #pools = new Set<Pool>();
  readonly registries: Registries;
  #version = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.registries = new Registries(runtime);
  }

  readonly ref = (name: string): ClusterRef => {
    let ref = this.#refs.get(name);
    if (ref === undefined) {
      ref = { name, current: null };
      this.#refs.set(name, ref);
    }
    return ref;
  };

  get all(): readonly LiveCluster[] {
    return [...this.#entries.values()].map((entry) => entry.live);
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  get(name: string): LiveCluster | null {
    return this.#entries.get(name)?.live ?? null;
  }

  configOf(name: string): ClusterConfig | null {
    return this.#entries.get(name)?.config ?? null;
  }

  /** As the cluster's pools dial. */
  ownDialerOf(name: string): Dialer {
    const own = this.#dialers.get(name);
    if (own?.tls?.config.allowPlainHosts !== true) return own?.dial ?? this.#runtime.dial;
    const { tls } = own;
    return (address, connectTimeoutMs) => {
      const host = this.get(name)?.hostSet.all.find((each) => each.address === address);
      return tls.dialHost(host ?? { metadata: {} }, address, connectTimeoutMs);
    };
  }

  /** TLS of a cluster, null where it has none. */
  tlsOf(name: string): TlsDialing | null {
    return this.#dialers.get(name)?.tls ?? null;
  }

  /** As its pools dial that host. */
  dialHost(name: string, host: Endpoint, address: string, connectTimeoutMs: number): Wire {
    const own = this.#dialers.get(name);
    if (own?.tls != null) return own.tls.dialHost(host, address, connectTimeoutMs);
    return (own?.dial ?? this.#runtime.dial)(address, connectTimeoutMs);
  }

  /** For who writes a PROXY header himself: TLS where the cluster has it, else plain. */
  dialerOf(name: string): Dialer {
    return this.configOf(name)?.tls === undefined ? this.#runtime.dial : this.ownDialerOf(name);
  }

  /** Adds or changes; what is equal keeps its object with pools, health and counts. */
  put(config: ClusterConfig): void {
    const entry = this.#entries.get(config.name);
    if (entry === undefined) this.#add(config);
    else if (canonicalJson(entry.config) !== canonicalJson(config)) this.#change(entry, config);
    else if (this.#isKeptElsewhere(entry)) this.#resubscribe(entry);
  }

  /** Removes what is not in `names`; its streams finish. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const [name, entry] of this.#entries) {
      if (names.has(name) || this.#handlers.has(name)) continue;
      this.#entries.delete(name);
      this.#dialers.get(name)?.tls?.close();
      this.#dialers.delete(name);
      this.ref(name).current = null;
      entry.list.unsubscribe();
      entry.live.drain();
      this.#runtime.clock.setTimer(removedCloseMs, () => entry.live.close());
    }
  }

  /** Serves a cluster by code of the application: its one host is the handler. */
  serve(name: string, config: ClusterConfig, createUpstream: UpstreamFactory): void {
    this.#handlers.set(name, createUpstream);
    if (!this.#entries.has(name)) this.#add(config);
    this.get(name)?.applyDelta({
      service: name,
      version: ++this.#version,
      full: true,
      added: [
        { address: handlerAddress(name), weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' },
      ],
      removed: [],
      changed: [],
    });
  }

  /** A downstream connection is gone: connections that were bound to it close. */
  readonly unbind = (gone: ServerConnection): void => {
    for (const pool of this.#pools) pool.unbind(gone);
  };

  /**
   * Waits until every cluster has its first list, so that the first request finds hosts. A registry that does not
   * answer in time holds up nothing longer: its clusters start empty and say so in the log and in `/health`. Where hosts
   * are checked it waits for their first checks too, so that the first request meets one that is well.
   */
  async warm(limitMs: number): Promise<void> {
    const waiting = new Map([...this.#entries.keys()].map((name) => [name, 'no service list yet']));
    let isOver = false;
    const all = [...this.#entries.values()].map(async (entry) => {
      await entry.list.listed;
      for (let what = entry.live.preparing; what !== null && !isOver; what = entry.live.preparing) {
        waiting.set(entry.config.name, what);
        await this.#pause(preparingLookMs);
      }
      if (!isOver) waiting.delete(entry.config.name);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.clock.setTimer(limitMs, resolve);
    await Promise.race([Promise.all(all), promise]);
    isOver = true;
    timer.cancel();
    for (const [cluster, what] of waiting) this.#runtime.logger.warn(what, { cluster, waitedMs: limitMs });
  }

  drain(): void {
    for (const entry of this.#entries.values()) entry.live.drain();
  }

  async close(): Promise<void> {
    for (const entry of this.#entries.values()) {
      entry.list.unsubscribe();
      entry.live.close();
      this.ref(entry.live.name).current = null;
    }
    this.#entries.clear();
    for (const { tls } of this.#dialers.values()) tls?.close();
    await this.registries.close();
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#runtime.clock.setTimer(ms, resolve);
    return promise;
  }

  #add(config: ClusterConfig): void {
    const live = createCluster(config, {
      createUpstream: this.#upstreamFactory(config),
      balancers: new Map(this.#runtime.extensions.balancers.map((each) => [each.name, each])),
      clock: this.#runtime.clock,
      random: this.#runtime.random,
      metrics: this.#runtime.metrics,
      logger: this.#runtime.logger,
      checks: checkDependencies(this.#runtime, this),
      onHealthChange: (address, isHealthy) => entry.list.setHealth(address, isHealthy),
    });
    const entry: Entry = { config, live, list: noList, lastGood: null };
    this.#entries.set(config.name, entry);
    this.ref(config.name).current = live;
    this.#subscribe(entry);
  }

  #change(entry: Entry, config: ClusterConfig): void {
    const before = entry.config;
    const isDialledAnew =
      canonicalJson([
        before.codec,
        before.pool,
        before.connectTimeoutMs,
        before.proxyProtocol ?? null,
        before.tls ?? null,
      ]) !==
      canonicalJson([
        config.codec,
        config.pool,
        config.connectTimeoutMs,
        config.proxyProtocol ?? null,
        config.tls ?? null,
      ]);
    entry.live.update(config, isDialledAnew ? this.#upstreamFactory(config) : undefined);
    entry.config = config;
    const isListedAnew =
      canonicalJson([before.endpoints, before.discovery ?? null, before.sharding ?? null]) !==
      canonicalJson([config.endpoints, config.discovery ?? null, config.sharding ?? null]);
    if (isListedAnew || this.#isKeptElsewhere(entry)) this.#resubscribe(entry);
  }

  /** The directory of last good lists changed. */
  #isKeptElsewhere({ config, lastGood }: Entry): boolean {
    return config.discovery !== undefined && lastGood !== this.registries.lastGoodDirectory;
  }

  #resubscribe(entry: Entry): void {
    const previous = entry.list;
    this.#subscribe(entry);
    previous.unsubscribe();
    if (entry.config.sharding === undefined) return;
    for (const host of entry.live.hostSet.all) {
      const isFine = !host.isUnhealthy && host.ejectedUntilMs === 0;
      if (!isFine) entry.list.setHealth(host.address, false);
    }
  }

  #subscribe(entry: Entry): void {
    const { config, live } = entry;
    entry.lastGood = this.registries.lastGoodDirectory;
    if (config.discovery === undefined && this.#handlers.has(config.name)) entry.list = noList;
    else {
      entry.list = subscribeList(this.#runtime, this.registries, config, (delta) => live.applyDelta(delta));
    }
  }

  #upstreamFactory(config: ClusterConfig): UpstreamFactory {
    const found = this.#runtime.extensions.codecs.find((each) => each.name === config.codec.name);
    if (found === undefined) throw new HeddleError('ERR_CONFIG_INVALID', `no codec ${config.codec.name}`);
    const codec = loadedExtension(found);
    const own = ownDialer(this.#runtime, config);
    this.#dialers.get(config.name)?.tls?.close();
    this.#dialers.set(config.name, own);
    return (host, permits) => {
      const handler = this.#handlers.get(config.name);
      if (handler !== undefined) return handler(host, permits);
      const pool = createPool({
        codec: codec as Codec<never>,
        codecConfig: config.codec.config ?? {},
        dial: own.tls?.config.allowPlainHosts === true ? plainOrTls(own.tls, host) : own.dial,
        context: this.#runtime.codec,
        options: { ...config.pool, connectTimeoutMs: config.connectTimeoutMs },
        permits,
        address: host.address,
      });
      if (codec.poolMode === 'bound') this.#track(pool);
      return pool as HostUpstream;
    };
  }

  #track(pool: Pool): void {
    this.#pools.add(pool);
    void pool.closed.then(() => this.#pools.delete(pool));
  }
}

/** What a host's metadata say may change while it is there. */
function plainOrTls(tls: TlsDialing, host: Endpoint): Dialer {
  return (address, connectTimeoutMs) => tls.dialHost(host, address, connectTimeoutMs);
}
