import type { RouteMatchConfig } from './route-match-config.ts';

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
  /** Longest deadline of a gRPC call, its answer included: for callers that say a longer one in grpc-timeout or none (the caller's own). */
  readonly grpcTimeoutMaxMs?: number | undefined;
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
  /** The subset of the cluster: hosts with this metadata. What filters set on the stream wins over it key by key (none). */
  readonly metadataMatch: Readonly<Record<string, string>>;
  /** What of a request decides its host where the load balancer is one by hash, instead of the balancer's own keys; several are combined (none). */
  readonly hashPolicies: readonly HashPolicyConfig[];
  /** Copies of the request that go elsewhere; their answers are dropped (none). */
  readonly mirrors: readonly MirrorConfig[];
  /** A second try while the first is under way (never). */
  readonly hedge?: HedgeConfig | undefined;
  /** Follow redirects of the upstream here instead of passing them on (never). */
  readonly internalRedirect?: InternalRedirectConfig | undefined;
}

/** One share of a weighted route. */
export interface WeightedClusterConfig extends HeaderEditsConfig {
  /** Name of a cluster. */
  readonly cluster: string;
  /** Its share of the sum of weights; 0 gets nothing (1). */
  readonly weight: number;
  /** As the route's, and wins over it key by key (none). */
  readonly metadataMatch: Readonly<Record<string, string>>;
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

/** Changes of the request line. At most one of prefix, path, regex, template, and one of host, hostFromHeader, hostFromEndpoint. */
export interface RewriteConfig {
  /** Instead of the matched prefix; of the whole path where path, template or regex matched. */
  readonly prefix?: string | undefined;
  /** Instead of the whole path; the query stays. */
  readonly path?: string | undefined;
  /** Replaces every match of a pattern within the path; the query stays. */
  readonly regex?: RegexRewriteConfig | undefined;
  /** The new path, with {name} for what the match's template captured; the query stays. */
  readonly template?: string | undefined;
  /** New authority. */
  readonly host?: string | undefined;
  /** Header that holds the new authority; without it, or with a value that is none, the authority stays. */
  readonly hostFromHeader?: string | undefined;
  /** true: the authority is the name of the host that was chosen: its `hostname`, else its address. */
  readonly hostFromEndpoint?: true | undefined;
}

/** A replacement by pattern. */
interface RegexRewriteConfig {
  /** RE2 syntax; looked for anywhere in the path. */
  readonly pattern: string;
  /** Text with \\1 to \\9 for groups, \\0 for the whole match and \\\\ for a backslash. */
  readonly substitution: string;
}

/** One source of the hash. Exactly one of header, cookie, query, attachment, metadata, source. What is missing or empty is passed over; without any the choice is random. */
export interface HashPolicyConfig {
  /** Header name. */
  readonly header?: string | undefined;
  /** Cookie name. */
  readonly cookie?: string | undefined;
  /** Makes the cookie where it is missing, with this life time; 0 = until the browser closes (not made). */
  readonly ttlMs?: number | undefined;
  /** Path of a cookie that is made ("/"). */
  readonly path?: string | undefined;
  /** Query parameter, percent-decoded. */
  readonly query?: string | undefined;
  /** Attachment of an RPC call, its name case-sensitive. */
  readonly attachment?: string | undefined;
  /** Key of a text that a filter has set. */
  readonly metadata?: string | undefined;
  /** true: the address of the client. */
  readonly source?: true | undefined;
  /** The policies after it are not asked when this one gave a value (false). */
  readonly terminal: boolean;
}

/** Where copies of a request go. */
export interface MirrorConfig {
  /** Name of a cluster. */
  readonly cluster: string;
  /** Per cent of requests that are copied (100). */
  readonly percent: number;
  /** Copies of each (1). */
  readonly amplification: number;
  /** Every available host of the cluster gets its copies, not one (false). */
  readonly broadcast: boolean;
  /** Put behind the host name of the authority; "" leaves it ("-shadow"). */
  readonly hostSuffix: string;
  /** Limit of one copy, from its start to the head of its answer (15000). */
  readonly timeoutMs: number;
  /** Copies under way at once; more are dropped and counted (256). */
  readonly maxOutstanding: number;
  /** A request with a larger body is not copied, and counted (65536). */
  readonly maxBodyBytes: number;
}

/** Further tries while earlier ones are under way: the first good answer (below 500) wins, the others are reset. Only for idempotent requests whose body is complete and kept, within the cluster's retry limits. Exactly one of delayMs and onPerTryTimeout. */
export interface HedgeConfig {
  /** Another try each time that so long no answer has begun. */
  readonly delayMs?: number | undefined;
  /** true: when retry.perTryTimeoutMs runs out the try goes on and another joins it. */
  readonly onPerTryTimeout?: true | undefined;
  /** Tries beyond the first (1). */
  readonly maxHedges: number;
}

/** When a redirect is followed here. The new target goes through the routes of the same listener; one without a route is passed on. */
export interface InternalRedirectConfig {
  /** Redirects in a row; the next one is passed on (1). */
  readonly maxRedirects: number;
  /** 301 | 302 | 303 | 307 | 308 (302). */
  readonly codes: readonly (301 | 302 | 303 | 307 | 308)[];
  /** Also from http to https and back (false). */
  readonly allowCrossScheme: boolean;
  /** Hosts that may be led to, "api.example", "*.example" or "*", beside the one that was asked for (none). */
  readonly hosts: readonly string[];
}

/** Names of retry conditions. */
export type RetryCondition =
  | 'connectFailure'
  | 'reset'
  | 'refusedStream'
  | 'gatewayError'
  | 'serverError'
  | 'retriable4xx'
  | 'perTryTimeout'
  | 'cancelled'
  | 'deadlineExceeded'
  | 'internal'
  | 'resourceExhausted'
  | 'unavailable';

/** When and how a failed try is repeated. */
export interface RetryConfig {
  /** connectFailure | reset | refusedStream | gatewayError (502, 503, 504) | serverError (5xx) | retriable4xx (409) | perTryTimeout, and of gRPC calls, whatever their effects: cancelled | deadlineExceeded | internal | resourceExhausted | unavailable (connectFailure, reset, refusedStream). */
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
