import type { ListView } from '../base/chunked-list.ts';
import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { Stream } from './stream.ts';
import type { Upstream } from './stream-end.ts';

/** One address of a service as discovery tells it: plain data. */
export interface Endpoint {
  /** "10.0.0.1:8080", "[::1]:8080" or "unix:/run/app.sock"; the key within a cluster. */
  readonly address: string;
  /** 0 gets no new traffic (1). Balancers clamp to 1..128. */
  readonly weight: number;
  /** Facts for subsets, filters and logs (none). */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where it stands, for zone-aware choices (""). */
  readonly zone: string;
  /** 0 is the best; the next one serves when it fails (0). */
  readonly priority: number;
  /** Authority or server name to use instead of the address; "" = none (""). */
  readonly hostname: string;
}

/** An endpoint with state. The object lives as long as its address stays in the cluster, over reloads too. */
export interface Host extends Endpoint {
  readonly cluster: string;
  /** Streams in progress: raised by `Cluster.chooseHost`, lowered by `Cluster.release`. */
  active: number;
  /** Position in the current host set's `all`. */
  index: number;
  /** Failed active health checks / ejected by outlier detection, until (monotonic ms, 0 = not). */
  isUnhealthy: boolean;
  ejectedUntilMs: number;
  /** Monotonic ms when it joined or last became healthy: slow start. */
  sinceMs: number;
  readonly upstream: Upstream;
  /** Connections to it where its upstream knows; streams in progress where each is a connection. Makes no upstream. */
  readonly connections?: number | undefined;
  /** The address as bytes, for the log. */
  readonly label: Buffer;
  /** Gone from discovery; its connections finish what they carry. */
  isRemoved: boolean;
  /** How recent tries went; null until there is one, or when no balancer asks. */
  readonly statistics?: HostStatistics | null;
}

/** Exponentially weighted over time: what was `windowMs` ago still counts 1/e. */
export interface HostStatistics {
  readonly durationMs: number;
  /** Shares of recent tries, 0 to 1. */
  readonly clientErrorShare: number;
  readonly serverErrorShare: number;
  /** Monotonic ms of the last try. */
  readonly updatedMs: number;
}

/** Immutable; replaced whole by an update. */
export interface HostSet {
  readonly version: number;
  readonly all: readonly Host[];
  /** Weight above 0, neither unhealthy nor ejected; or all with a weight above 0 in panic. */
  readonly available: readonly Host[];
  /**
   * `available` without the price of an array: in a cluster of 50,000 hosts the two arrays take 400 us to make and are
   * only made when somebody reads them. A picker that is to bear many hosts indexes this; absent in small fake sets.
   */
  readonly availableView?: ListView<Host> | undefined;
  /** All weights of `available` are the same: a picker need not look. Absent: not known. */
  readonly hasEqualWeights?: boolean | undefined;
  /** All hosts of `all` have the same priority. Absent: not known. */
  readonly hasOnePriority?: boolean | undefined;
  /** How many hosts each priority and zone has, as of now: it goes on counting, do not keep it. Absent: not known. */
  readonly tally?: TierTally | undefined;
  /** Too few are healthy to be choosy: `available` holds unhealthy hosts too. */
  readonly isPanic: boolean;
  /** How `available` differs from that of the version before, so that a picker need not be built anew; null: unknown. */
  readonly changes: HostSetChanges | null;
}

/** Hosts with a weight above 0 by priority and zone. */
export type TierTally = ReadonlyMap<number, ReadonlyMap<string, ZoneTally>>;

export interface ZoneTally {
  readonly zone: string;
  readonly total: number;
  /** Neither unhealthy nor ejected. */
  readonly healthy: number;
}

export interface HostSetChanges {
  /** The version these changes lead on from. */
  readonly from: number;
  readonly added: readonly Host[];
  readonly removed: readonly Host[];
  /** Still available, with another weight, metadata, zone or priority. */
  readonly changed: readonly Host[];
}

/** Counts of one cluster that its pools share. A `try` that answers false changed nothing but the overflow count. */
export interface ConnectionPermits {
  /** Before dialling. */
  tryConnection(): boolean;
  /** The connection is gone or could not be made. */
  releaseConnection(): void;
  /** Before a stream is queued for a connection. */
  tryPending(): boolean;
  releasePending(): void;
}

/** Where the streams of one host go; made on first use. */
export interface HostUpstream extends Upstream {
  /** Connections that exist now; absent: not known. */
  readonly connections?: number | undefined;
  /** Takes no new streams; each connection closes once it is idle. */
  drain(): void;
  /** Drops every connection now. */
  close(): void;
}

/** Given by the transport. `host` stays the same object for as long as its address is in the cluster. */
export type UpstreamFactory = (host: Host, permits: ConnectionPermits) => HostUpstream;

/** `update` builds a picker off the hot path, `pick` is the hot path. */
export interface Balancer {
  update(set: HostSet): void;
  /** What the first picks need is still being made, and they would have to wait: a start does so for them. Absent: never. */
  readonly isPreparing?: boolean;
  /** Null when nothing may be chosen; never throws. `s` is null for host selection without a request (connect). */
  pick(s: Stream | null): Host | null;
}

export interface BalancerDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  /** It reads `host.statistics`: the cluster keeps them (50 ns a try) only where somebody does. */
  readonly usesStatistics?: boolean;
  /** Called once for each group of hosts that is balanced by itself: a priority, a locality, a subset. */
  create(config: Config, context: ExtensionContext): Balancer;
}

/** A cluster as the stream core sees it. */
export interface Cluster {
  readonly name: string;
  readonly hostSet: HostSet;
  /** Connect limit of one try (5 s). */
  readonly connectTimeoutMs: number;
  readonly slots: ClusterSlots;
  /**
   * Chooses a host, not one of `s.triedHosts` where another is available, takes a request permit, raises `host.active`.
   * @returns the host, or a Code: noHost, requestOverflow
   */
  chooseHost(s: Stream): Host | number;
  /** As `chooseHost`, for a host of `hostSet` that the caller chose itself. @returns it, or a Code: requestOverflow */
  takeHost(host: Host): Host | number;
  /** Gives the permit of `chooseHost` back, lowers `host.active`. Called once per try, before the last event of the stream. */
  release(host: Host): void;
  /** How a try went, for passive ejection and client-side statistics. `status` in HTTP's scale, 0 with a `code`. */
  report(host: Host, status: number, code: number, durationMs: number): void;
  /** Takes a retry permit (threshold `maxRetries` and retry budget); false: do not retry. */
  takeRetry(): boolean;
  releaseRetry(): void;
}

/**
 * Metric slots. The cluster counts `requests` (tries), `active`, `overflow` and `noHost`; the core, which knows how a
 * stream went, counts the rest.
 */
export interface ClusterSlots {
  readonly requests: number;
  readonly active: number;
  readonly retries: number;
  readonly retryOverflow: number;
  readonly retryBodyTooLarge: number;
  readonly overflow: number;
  readonly noHost: number;
  readonly timeouts: number;
  readonly resets: number;
  readonly connectFailures: number;
  readonly duration: number;
  readonly statusClass: readonly number[];
}
