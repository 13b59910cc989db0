import type { HeaderField } from '../base/header-field.ts';
import type { Cluster } from './cluster.ts';
import type { Stream } from './stream.ts';

/** A compiled route: everything a stream needs after matching, no look-ups by name left. */
export interface Route {
  /** Configured name, else "<virtual host>#<index>"; bounded set, so it may label metrics. */
  readonly name: string;
  readonly virtualHost: string;
  readonly action: RouteAction;
  /** From the complete request to the head of the answer, all tries together; 0 = none (15 s). */
  readonly timeoutMs: number;
  /** Longest deadline of a gRPC call; 0 = the caller's own (0). */
  readonly grpcTimeoutMaxMs: number;
  /** Overrides the pipeline's; -1 = not set. */
  readonly idleTimeoutMs: number;
  readonly retry: RetryPolicy | null;
  /** Merged in Envoy's order: weighted cluster, route, virtual host, listener. */
  readonly requestHeaders: HeaderOperations | null;
  readonly responseHeaders: HeaderOperations | null;
  readonly rewrite: Rewrite | null;
  /** Per-route filter configuration by slot; undefined = the filter's own; false = switched off here. */
  readonly filterConfigs: readonly unknown[];
  readonly metadata: Readonly<Record<string, string>>;
  /** The subset that is asked for, unless a weighted target names its own; one object for as long as the route lives. */
  readonly metadataMatch: Readonly<Record<string, string>>;
  /** Null: the balancer's own keys decide. */
  readonly hashPolicies: readonly HashPolicy[] | null;
  readonly mirrors: readonly MirrorPolicy[] | null;
  readonly hedge: HedgePolicy | null;
  readonly internalRedirect: InternalRedirectPolicy | null;
  /** Upgrade tokens (lower case, e.g. "websocket", "connect") that may pass. */
  readonly upgrades: readonly string[];
}

export type RouteAction =
  | { readonly kind: 'forward'; readonly cluster: ClusterRef }
  | { readonly kind: 'weighted'; pick(s: Stream): WeightedTarget }
  | { readonly kind: 'redirect'; readonly status: number; location(s: Stream): string }
  | { readonly kind: 'direct'; readonly status: number; readonly body: string };

export interface WeightedTarget {
  readonly cluster: ClusterRef;
  readonly requestHeaders: HeaderOperations | null;
  readonly responseHeaders: HeaderOperations | null;
  /** The route's, this target's own on top. */
  readonly metadataMatch: Readonly<Record<string, string>>;
}

/** A cell: a reload changes `current`, routes keep the cell. Null while no such cluster exists (xDS may bring it later). */
export interface ClusterRef {
  readonly name: string;
  current: Cluster | null;
}

/** Header edits of one level or several merged; values with `%...%` operators are made per request. */
export interface HeaderOperations {
  readonly remove: readonly string[];
  /** `bitOfName` of all of `remove`: most heads have none of them. */
  readonly removeBits: number;
  readonly apply: readonly HeaderOperation[];
}

export interface HeaderOperation {
  readonly lowerName: string;
  /** `bitOfName` of it. */
  readonly bit: number;
  /** Envoy's append_action; `remove` is an outer level's removal after the edits of an inner one. */
  readonly action: 'append' | 'addIfAbsent' | 'overwrite' | 'overwriteIfExists' | 'remove';
  /** Null when the value depends on the stream, and for `remove`. */
  readonly field: HeaderField | null;
  readonly value: ((s: Stream) => string) | null;
  /** The value is that of this request header, copied as bytes; null when it is made otherwise. Lower case. */
  readonly copied: string | null;
  /** The name in wire form, for what is copied. */
  readonly nameField: HeaderField;
}

export interface Rewrite {
  /** The new path with query, or null to keep it. */
  path(s: Stream): string | null;
  /** The new authority, or null to keep it. */
  authority(s: Stream): string | null;
  /** Each try has the name of its host as authority. */
  readonly usesEndpoint: boolean;
}

/** Bits of `RetryPolicy.on`. */
export const RetryOn = {
  connectFailure: 1,
  reset: 2,
  refusedStream: 4,
  gatewayError: 8,
  serverError: 16,
  retriable4xx: 32,
  perTryTimeout: 64,
  statusCodes: 128,
  cancelled: 256,
  deadlineExceeded: 512,
  internal: 1024,
  resourceExhausted: 2048,
  unavailable: 4096,
} as const;

export interface RetryPolicy {
  /** RetryOn bits. */
  readonly on: number;
  /** Tries beyond the first, exactly (1). */
  readonly numRetries: number;
  /** 0 = none. */
  readonly perTryTimeoutMs: number;
  /** Uniform in [0, (2^n - 1) * base), at most max (25 ms, 250 ms). */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  readonly statusCodes: ReadonlySet<number>;
  /** Also methods that are not idempotent (false: only GET, HEAD, OPTIONS, PUT, DELETE, TRACE once bytes were sent). */
  readonly nonIdempotent: boolean;
  /** Body bytes kept for another try (64 KiB); a larger body is not retried and counted. */
  readonly retryBufferBytes: number;
  /** Avoid hosts that earlier tries used. */
  readonly avoidTriedHosts: boolean;
}

/** One source of the hash that a balancer chooses a host by. */
export interface HashPolicy {
  /** The text to hash; null or "" is passed over. May leave a cookie for the answer on the stream. */
  key(s: Stream): string | null;
  /** When this one gave a value the rest is not asked. */
  readonly isTerminal: boolean;
}

export interface MirrorPolicy {
  readonly cluster: ClusterRef;
  /** What a copy's stream goes by: to that cluster, with its own time limit and nothing else. */
  readonly route: Route;
  /** 0 to 100. */
  readonly percent: number;
  readonly amplification: number;
  readonly broadcast: boolean;
  readonly hostSuffix: string;
  readonly maxOutstanding: number;
  readonly maxBodyBytes: number;
}

export interface HedgePolicy {
  /** What a further try goes by: the route without retries, edits and limits of its own. */
  readonly route: Route;
  /** 0: when the limit of one try runs out. */
  readonly delayMs: number;
  readonly maxHedges: number;
}

export interface InternalRedirectPolicy {
  readonly maxRedirects: number;
  readonly codes: ReadonlySet<number>;
  readonly allowCrossScheme: boolean;
  /** Lower case, without ports; "*.suffix" and "*" too. */
  readonly hosts: readonly string[];
}
