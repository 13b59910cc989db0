import type { Secret } from '../base/secret.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { ServerLimits } from './codec.ts';
import type { ExtensionConfig } from './extension.ts';
import type { PathNormalization } from './pipeline.ts';

export type * from './cluster-config.ts';

/**
 * The effective configuration: plain data, every default filled in, every reference known to exist. It is itself a
 * valid input, so that its dump runs again. docs/config.md is generated from these interfaces; defaults stand in
 * parentheses, units in the names.
 */
export interface EffectiveConfig {
  /** Addresses that accept connections (none: the mesh is used in-process only). */
  readonly listeners: readonly ListenerConfig[];
  /** Named groups of hosts that routes send to (none). */
  readonly clusters: readonly ClusterConfig[];
  /** What calls of `mesh.request` and `mesh.fetch` go through. */
  readonly inProcess: InProcessConfig;
  /** The admin endpoint (none: not opened). */
  readonly admin?: AdminConfig | undefined;
  /** The mesh's own log. */
  readonly log: LogConfig;
  /** Memory that slow readers may make the mesh hold. */
  readonly buffers: BuffersConfig;
  /** Who this mesh is among its like: the key of sharding, the zone of zone-aware choices. */
  readonly node: NodeConfig;
  /** Keeps the lists of registries on disk, so that a start serves while a registry is down (none: not kept). */
  readonly lastGood?: LastGoodConfig | undefined;
}

/** Who this mesh is among its like. */
export interface NodeConfig {
  /** Stable and different for each instance, such as a pod's name (none: the host name of the machine). */
  readonly id?: string | undefined;
  /** The zone it runs in; "" = unknown (""). */
  readonly zone: string;
}

/** Where the last good list of each registry is kept. */
export interface LastGoodConfig {
  /** An absolute path of a directory that exists and that no other mesh uses; one file a registry, for its owner's eyes only. */
  readonly directory: string;
}

/** Header edits of one level: listener, virtual host, route or weighted cluster. */
export interface HeaderEditsConfig {
  /** Edits of the request before it goes upstream (none). The most specific level is applied first. */
  readonly requestHeaders: readonly HeaderOperationConfig[];
  /** Request header names to remove, before this level's edits (none). */
  readonly removeRequestHeaders: readonly string[];
  /** Edits of the response before it goes downstream (none). */
  readonly responseHeaders: readonly HeaderOperationConfig[];
  /** Response header names to remove, before this level's edits (none). */
  readonly removeResponseHeaders: readonly string[];
}

/** One header edit. */
export interface HeaderOperationConfig {
  /** Header name. */
  readonly name: string;
  /** Text with access-log operators, e.g. "%REQ(x-user)%". An operator that gives nothing adds no header. */
  readonly value: string;
  /** append | addIfAbsent | overwrite | overwriteIfExists (append). */
  readonly action: 'append' | 'addIfAbsent' | 'overwrite' | 'overwriteIfExists';
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

/** Routes for some domains. */
export interface VirtualHostConfig extends HeaderEditsConfig {
  /** Unique within its listener. */
  readonly name: string;
  /** "api.example", "*.example" (suffix), "api.*" (prefix) or "*", each with an optional :port. */
  readonly domains: readonly string[];
  /** Per filter name: the configuration to use here instead of the filter's own, or false to skip it (none). */
  readonly filterConfigs: Readonly<Record<string, unknown>>;
  /** The first match wins. */
  readonly routes: readonly RouteConfig[];
}

/** One route: what it matches and what becomes of it. Exactly one of cluster, weightedClusters, redirect, directResponse. */
export interface RouteConfig extends HeaderEditsConfig {
  /** For metrics and logs ("<virtual host>#<index>"). */
  readonly name?: string | undefined;
  /** Conditions, all of which must hold (any request). */
  readonly match: RouteMatchConfig;
  /** Send to this cluster. */
  readonly cluster?: string | undefined;
  /** Send to one of several clusters by weight. */
  readonly weightedClusters?: readonly WeightedClusterConfig[] | undefined;
  /** Answer with a redirect. */
  readonly redirect?: RedirectConfig | undefined;
  /** Answer at once. */
  readonly directResponse?: DirectResponseConfig | undefined;
  /** Changes of path and authority before the request goes upstream. */
  readonly rewrite?: RewriteConfig | undefined;
  /** From the complete request to the head of the answer, all tries together; 0 = none (15000). */
  readonly timeoutMs: number;
  /** Instead of the pipeline's streamIdleTimeoutMs. */
  readonly idleTimeoutMs?: number | undefined;
  /** When a failed try is repeated (never). */
  readonly retry?: RetryConfig | undefined;
  /** Upgrade tokens that may pass, e.g. websocket or connect (none). */
  readonly upgrades: readonly string[];
  /** As in the virtual host; wins over it (none). */
  readonly filterConfigs: Readonly<Record<string, unknown>>;
  /** Facts for filters and logs (none). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Conditions of a route. At most one of path, prefix, segmentPrefix, regex; all look at the path without its query. */
export interface RouteMatchConfig {
  /** The whole path. */
  readonly path?: string | undefined;
  /** The path begins with it ("/" when no other is given). */
  readonly prefix?: string | undefined;
  /** The path begins with it and goes on with "/" or ends there. */
  readonly segmentPrefix?: string | undefined;
  /** RE2 syntax; must match the whole path. */
  readonly regex?: string | undefined;
  /** Any of these (all). */
  readonly methods: readonly string[];
  /** All of these (none). */
  readonly headers: readonly HeaderMatchConfig[];
  /** All of these (none). */
  readonly query: readonly QueryMatchConfig[];
}

/** A condition on a header. At most one of exact, prefix, suffix, contains, regex, present. Repeated headers are joined by ",". */
export interface HeaderMatchConfig {
  /** Header name, or :method, :path, :authority. */
  readonly name: string;
  /** The whole value. */
  readonly exact?: string | undefined;
  /** The value begins with it. */
  readonly prefix?: string | undefined;
  /** The value ends with it. */
  readonly suffix?: string | undefined;
  /** The value holds it. */
  readonly contains?: string | undefined;
  /** RE2 syntax; must match the whole value. */
  readonly regex?: string | undefined;
  /** true: the header is there, false: it is not (true when no other is given). */
  readonly present?: boolean | undefined;
  /** Turns the outcome round; a missing header then matches (false). */
  readonly invert: boolean;
}

/** A condition on a query parameter; its first value counts, percent-decoded. At most one of exact, regex, present. */
export interface QueryMatchConfig {
  /** Parameter name, case-sensitive. */
  readonly name: string;
  /** The whole value. */
  readonly exact?: string | undefined;
  /** RE2 syntax; must match the whole value. */
  readonly regex?: string | undefined;
  /** true: the parameter is there, false: it is not (true when no other is given). */
  readonly present?: boolean | undefined;
}

/** One share of a weighted route. */
export interface WeightedClusterConfig extends HeaderEditsConfig {
  /** Name of a cluster. */
  readonly cluster: string;
  /** Its share of the sum of weights; 0 gets nothing (1). */
  readonly weight: number;
}

/** A redirect. What is not named stays as it was asked for. */
export interface RedirectConfig {
  /** Change to https (false). */
  readonly https: boolean;
  /** New host name. */
  readonly host?: string | undefined;
  /** New port. */
  readonly port?: number | undefined;
  /** New path. */
  readonly path?: string | undefined;
  /** Instead of the matched prefix. */
  readonly prefix?: string | undefined;
  /** 301 | 302 | 303 | 307 | 308 (301). */
  readonly status: 301 | 302 | 303 | 307 | 308;
  /** Drop the query (false). */
  readonly stripQuery: boolean;
}

/** A local answer. */
export interface DirectResponseConfig {
  /** 200 to 599. */
  readonly status: number;
  /** Text, at most 64 KiB (""). */
  readonly body: string;
}

/** Changes of the request line. At most one of prefix and path. */
interface RewriteConfig {
  /** Instead of the matched prefix; of the whole path where path or regex matched. */
  readonly prefix?: string | undefined;
  /** Instead of the whole path; the query stays. */
  readonly path?: string | undefined;
  /** New authority. */
  readonly host?: string | undefined;
}

/** Names of retry conditions. */
export type RetryCondition =
  | 'connectFailure'
  | 'reset'
  | 'refusedStream'
  | 'gatewayError'
  | 'serverError'
  | 'retriable4xx'
  | 'perTryTimeout';

/** When and how a failed try is repeated. */
export interface RetryConfig {
  /** connectFailure | reset | refusedStream | gatewayError (502, 503, 504) | serverError (5xx) | retriable4xx (409) | perTryTimeout (connectFailure, reset, refusedStream). */
  readonly on: readonly RetryCondition[];
  /** Tries beyond the first, exactly (1). */
  readonly numRetries: number;
  /** Limit of one try; 0 = none (0). */
  readonly perTryTimeoutMs: number;
  /** Waits are uniform in [0, (2^n - 1) * base) (25). */
  readonly backoffBaseMs: number;
  /** Longest wait (250). */
  readonly backoffMaxMs: number;
  /** Further response statuses to retry (none). */
  readonly statusCodes: readonly number[];
  /** Also repeat methods that are not idempotent once bytes were sent (false). */
  readonly nonIdempotent: boolean;
  /** Body bytes kept for another try; a larger body is not retried (65536). */
  readonly retryBufferBytes: number;
  /** Prefer hosts that have not been tried (true). */
  readonly avoidTriedHosts: boolean;
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
