import type { Endpoint } from './cluster.ts';
import type { HealthCheckConfig, OutlierDetectionConfig } from './cluster-health-config.ts';
import type { ExtensionConfig } from './extension.ts';
import type { ClusterTlsConfig } from './tls-config.ts';

export type * from './cluster-health-config.ts';

/** A named group of hosts. */
export interface ClusterConfig {
  /** Unique; the metric label `cluster`. */
  readonly name: string;
  /** Fixed hosts: "host:port", "unix:/path" or an object (none). Not together with `discovery`. */
  readonly endpoints: readonly Endpoint[];
  /** Where the hosts come from instead. */
  readonly discovery?: DiscoveryConfig | undefined;
  /** Uses only a part of the list, the part that falls to this mesh among its like (the whole list). */
  readonly sharding?: ShardingConfig | undefined;
  /** A name or { name, config } ("roundRobin"). */
  readonly loadBalancer: ExtensionConfig;
  /** Chooses among hosts with certain metadata where a route or a filter asks for it (none). */
  readonly subsets?: SubsetsConfig | undefined;
  /** Balances over zones (zones do not matter). */
  readonly locality?: LocalityConfig | undefined;
  /** Per cent of healthy hosts below which all get traffic, healthy or not; 0 = never (50). */
  readonly panicThresholdPercent: number;
  /** Per cent by which a priority is taken to have more hosts than it needs, before traffic spills over to the next (140). */
  readonly overprovisioningPercent: number;
  /** Protocol towards the hosts; a name or { name, config } ("http1"). */
  readonly codec: ExtensionConfig;
  /** Speaks TLS with the hosts (plain connections). Not together with `proxyProtocol`. */
  readonly tls?: ClusterTlsConfig | undefined;
  /** Begins each connection to a host with a PROXY header (none). */
  readonly proxyProtocol?: ProxyProtocolConfig | undefined;
  /** Limit of one connect (5000). */
  readonly connectTimeoutMs: number;
  /** Thresholds above which requests are refused at once; 0 = unlimited. */
  readonly circuitBreakers: CircuitBreakersConfig;
  /** Passive ejection of hosts that fail. */
  readonly outlierDetection: OutlierDetectionConfig;
  /** Active checks of each host (none). */
  readonly healthCheck?: HealthCheckConfig | undefined;
  /** Connections to each host. */
  readonly pool: PoolConfig;
}

/** Subsets of a cluster by metadata, with MOSN's and Envoy's fall-back policies. */
export interface SubsetsConfig {
  /** Which sets of keys a request may ask for. It is matched when the keys it names are exactly those of one selector. */
  readonly selectors: readonly SubsetSelectorConfig[];
  /** Where a request goes that no selector matches, or whose subset has no host: noFallback (503) | anyEndpoint | default ("noFallback"). */
  readonly fallback: 'noFallback' | 'anyEndpoint' | 'default';
  /** Metadata of the hosts that the fall-back `default` means. */
  readonly default?: Readonly<Record<string, string>> | undefined;
}

/** One set of metadata keys by which hosts are told apart. */
interface SubsetSelectorConfig {
  /** Metadata keys; at most 30 different ones in all selectors together. */
  readonly keys: readonly string[];
  /** Where a request goes whose subset has no host: noFallback | anyEndpoint | default | keysSubset (that of the subsets). */
  readonly fallback?: 'noFallback' | 'anyEndpoint' | 'default' | 'keysSubset' | undefined;
  /** For `keysSubset`: the keys that are asked for instead, those of another selector. */
  readonly fallbackKeys?: readonly string[] | undefined;
}

/** Balancing over the zones of one priority. */
export interface LocalityConfig {
  /** weighted: shares by `weights` | zoneAware: own zone first, as far as that leaves no zone overloaded. */
  readonly mode: 'weighted' | 'zoneAware';
  /** The zone this mesh runs in, for `zoneAware` (node.zone). */
  readonly zone?: string | undefined;
  /** Per zone, for `weighted`; zones not named weigh 1, a weight of 0 gets nothing (all alike). */
  readonly weights?: Readonly<Record<string, number>> | undefined;
  /** Callers like this one per zone, for `zoneAware` (as many in each). */
  readonly callers?: Readonly<Record<string, number>> | undefined;
  /** Fewer healthy hosts in a priority are balanced without regard to zones, for `zoneAware` (6). */
  readonly minHosts?: number | undefined;
}

/** The part of a service's list that one mesh uses. Exactly one of fraction, size, connectionsPerServer. */
export interface ShardingConfig {
  /** rendezvous (most even, heeds weights) | ring (MOSN's published scheme) | maglev | slots (perfect with small stable numbers on both sides) ("rendezvous"). */
  readonly scheme: 'rendezvous' | 'ring' | 'maglev' | 'slots';
  /** This share of the list, above 0 to 1. */
  readonly fraction?: number | undefined;
  /** So many servers. */
  readonly size?: number | undefined;
  /** So many that each server has about this many clients; needs `clients`. */
  readonly connectionsPerServer?: number | undefined;
  /** Meshes that share the list out, for `connectionsPerServer`. */
  readonly clients?: number | undefined;
  /** However small the share, so many if there are so many (1). */
  readonly minSize: number;
  /** Stable and different for each mesh (node.id). */
  readonly clientKey?: string | undefined;
  /** Servers of this zone come first; "" = zones do not matter (node.zone). */
  readonly zone?: string | undefined;
  /** At most so many next ranks stand in for servers that are unhealthy or ejected (as many as are). */
  readonly spares?: number | undefined;
  /** For `slots`: the number of this mesh among its like (the hash of its key, at the price of the perfect balance). */
  readonly clientIndex?: number | undefined;
  /** For `slots`: the metadata key that holds a server's number ("slot"). */
  readonly slotKey?: string | undefined;
  /** For `ring`: points of a server (1). */
  readonly ringPoints?: number | undefined;
}

/** The PROXY header that hosts get: of the client behind tcp-proxy, of the mesh itself (LOCAL, UNKNOWN) where connections are pooled. */
export interface ProxyProtocolConfig {
  /** 1 | 2 (2). */
  readonly version: 1 | 2;
}

/** A registry and the service asked of it. */
export interface DiscoveryConfig extends ExtensionConfig {
  /** Service name (the cluster's name). */
  readonly service: string;
}

/** Thresholds of one cluster; 0 = unlimited. */
export interface CircuitBreakersConfig {
  /** Connections (1024). */
  readonly maxConnections: number;
  /** Streams that wait for a connection (1024). */
  readonly maxPending: number;
  /** Streams at once (1024). */
  readonly maxRequests: number;
  /** Retries at once, where no budget is set (3). */
  readonly maxRetries: number;
  /** Retries at once as a share of active requests, instead of maxRetries. */
  readonly retryBudget?: RetryBudgetConfig | undefined;
}

/** Retries in relation to active requests. */
export interface RetryBudgetConfig {
  /** 0 to 1 (0.2). */
  readonly ratio: number;
  /** Always allowed (3). */
  readonly minConcurrent: number;
}

/** Connections to each host of a cluster. */
export interface PoolConfig {
  /** Connections opened ahead of need (0). */
  readonly preconnect: number;
  /** 0 = unlimited (0). */
  readonly maxConnectionsPerHost: number;
  /** 0 = unlimited (0). */
  readonly maxRequestsPerConnection: number;
  /** Unused connections are closed after this (60000). */
  readonly idleTimeoutMs: number;
}
