import type { Secret } from '../base/secret.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { ServerLimits } from './codec.ts';
import type { ExtensionConfig } from './extension.ts';
import type { PathNormalization } from './pipeline.ts';
import type { HeaderEditsConfig, VirtualHostConfig } from './route-config.ts';
import type { ListenerTlsConfig } from './tls-config.ts';

export type * from './cluster-config.ts';
export type * from './route-config.ts';
export type * from './route-match-config.ts';
export type * from './tls-config.ts';

/**
 * The effective configuration: plain data, every default filled in, every reference known to exist. It is itself a
 * valid input, so that its dump runs again. docs/config.md is generated from these interfaces; defaults stand in
 * parentheses, units in the names.
 */
export interface EffectiveConfig {
  /** inProcess | worker: where a mesh that a program imports runs, on its thread or off it (inProcess). */
  readonly mode?: 'inProcess' | 'worker' | undefined;
  /** Addresses that accept connections (none: the mesh is used in-process only). */
  readonly listeners: readonly ListenerConfig[];
  /** Named groups of hosts that routes send to (none). */
  readonly clusters: readonly ClusterConfig[];
  /** What calls of `mesh.request` and `mesh.fetch` go through. */
  readonly inProcess: InProcessConfig;
  /** What requests to servers of this process go through: `mesh.protect`, `heddle/register` (no filters, traced). */
  readonly ingress?: IngressConfig | undefined;
  /** The admin endpoint (none: not opened). */
  readonly admin?: AdminConfig | undefined;
  /**
   * The standalone proxy profiles itself when a rule fires: the settings of the monitor (docs/monitor.md), {} for its
   * defaults (it does not).
   */
  readonly monitor?: Readonly<Record<string, unknown>> | undefined;
  /** The mesh's own log. */
  readonly log: LogConfig;
  /** Memory that slow readers may make the mesh hold. */
  readonly buffers: BuffersConfig;
  /** Who this mesh is among its like: the key of sharding, the zone of zone-aware choices. */
  readonly node: NodeConfig;
  /** Keeps the lists of registries on disk, so that a start serves while a registry is down (none: not kept). */
  readonly lastGood?: LastGoodConfig | undefined;
  /** What applications of any language publish and ask through the admin endpoint. */
  readonly localRegistry: LocalRegistryConfig;
  /** What this mesh says in registries that it serves, from its start to its drain (nothing). */
  readonly publications: readonly PublicationConfig[];
}

/** One address of one service, as others are to find it. */
export interface PublicationConfig {
  /** The registry; a name or { name, config }. */
  readonly registry: ExtensionConfig;
  /** As a cluster would name it in its discovery. */
  readonly service: string;
  /** "host:port" at which others reach it. */
  readonly address: string;
  /** Protocol spoken there, such as http, dubbo, tri or bolt (that of the registry's layout). */
  readonly protocol?: string | undefined;
  /** (1). */
  readonly weight: number;
  /** Facts that go along, as far as the registry's layout has a place for them (none). */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where it stands (node.zone). */
  readonly zone?: string | undefined;
}

/** What applications of any language publish and ask through the admin endpoint, `/v1/registry/*`. */
export interface LocalRegistryConfig {
  /** Where publications go and lists come from; a name or { name, config } (every registry of the clusters that takes publications; "memory" without one). */
  readonly registries?: readonly ExtensionConfig[] | undefined;
  /** An absolute path of a directory that exists; what was said is kept there over a restart (none: not kept). */
  readonly stateDirectory?: string | undefined;
  /** Addresses that may be published at once (1000). */
  readonly maxPublications: number;
  /** Services that may be subscribed to at once (1000). */
  readonly maxSubscriptions: number;
}

/** Who this mesh is among its like. */
export interface NodeConfig {
  /** Stable and different for each instance, such as a pod's name (none: the host name of the machine). */
  readonly id?: string | undefined;
  /** The zone it runs in; "" = unknown (""). */
  readonly zone: string;
}

/** Where the last good list of each registry is kept. */
interface LastGoodConfig {
  /** An absolute path of a directory that exists and that no other mesh uses; one file a registry, for its owner's eyes only. */
  readonly directory: string;
}

/** What a stream meets between its codec and its cluster. */
export interface PipelineConfig extends HeaderEditsConfig {
  /** No bytes in either direction for this long ends a stream; 0 = off (300000). */
  readonly streamIdleTimeoutMs: number;
  /** Body bytes that filters may make the mesh hold, per stream and direction (1048576). */
  readonly maxBufferedBytes: number;
  /** How paths are made canonical before filters and routes see them. */
  readonly normalizePath: PathNormalization;
  /** `server` header of every response; "" leaves the upstream's ("heddle"). */
  readonly serverHeader: string;
  /** Stream filters in the order in which they run within a stage; a name or { name, config } (none). */
  readonly filters: readonly ExtensionConfig[];
  /** Where a line for each finished stream goes (none). */
  readonly accessLog: readonly AccessLogConfig[];
  /** W3C trace context. */
  readonly tracing: TracingConfig;
  /** Virtual hosts; the most specific domain wins, not the order (none). */
  readonly virtualHosts: readonly VirtualHostConfig[];
}

/** An address that accepts connections, and what happens to them. */
export interface ListenerConfig extends PipelineConfig {
  /** Unique; the metric label `listener`. */
  readonly name: string;
  /** "host:port", "[::]:port" or "unix:/path"; port 0 takes a free one. */
  readonly address: string;
  /** Protocol of the connections; a name or { name, config } ("http1"). */
  readonly codec: ExtensionConfig;
  /** Ends TLS here; a detecting codec goes by ALPN (plain connections). */
  readonly tls?: ListenerTlsConfig | undefined;
  /** What each connection meets before its codec; a terminal one, such as tcp-proxy, takes the codec's place; a name or { name, config } (none). */
  readonly networkFilters: readonly ExtensionConfig[];
  /** What one peer may use. */
  readonly limits: ListenerLimits;
}

/** Limits of a listener and of each of its connections. */
export interface ListenerLimits extends ServerLimits {
  /** Connections at once; above it accepting pauses (10000). */
  readonly maxConnections: number;
  /** Connections of one source address; 0 = unlimited (0). */
  readonly maxConnectionsPerSource: number;
  /** Connections that the kernel keeps waiting (511). */
  readonly backlog: number;
}

/** The way of in-process calls. Without virtual hosts the authority of a call is the cluster's name. */
export interface InProcessConfig extends PipelineConfig {}

/**
 * The way of requests to servers that `mesh.protect` is given, in front of the application. What no virtual host has a
 * route for goes to the application, too; its answers keep their own `server` header unless `serverHeader` is set.
 * Filters that look at the bodies of answers are refused here.
 */
export interface IngressConfig extends PipelineConfig {}

/** One access log. */
export interface AccessLogConfig {
  /** stdout | stderr | an absolute path (stdout). */
  readonly path: string;
  /** "heddle", "envoy", "mosn" or a text with %OPERATORS%, see docs/access-log.md ("heddle", unless `json` is given). */
  readonly format?: string | undefined;
  /** One JSON object a line instead; texts in it may hold operators. */
  readonly json?: Readonly<Record<string, JsonValue>> | undefined;
}

/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Tracing of one pipeline. */
export interface TracingConfig {
  /** Continues or begins a trace and passes `traceparent` on (true). */
  readonly enabled: boolean;
}

/** The admin endpoint. */
export interface AdminConfig {
  /** "127.0.0.1:9901" or "unix:/path". */
  readonly address: string;
  /** Bearer token that writes must carry (none). */
  readonly token?: Secret | undefined;
}

/** The mesh's own log. */
export interface LogConfig {
  /** debug | info | warn | error | off (info). */
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'off';
}

/** Bytes held over all connections and streams. */
export interface BuffersConfig {
  /** Above it new streams are refused (268435456). */
  readonly limitBytes: number;
}
