import type { StreamEnd, Upstream } from './stream-end.ts';

/**
 * The thresholds of a cluster as a pool sees them: src/core/cluster counts over all hosts, the pool asks and gives back.
 *
 *   open(s) -> an idle connection? -> bind
 *           -> tryConnection()     -> dial, bind           releaseConnection() when that connection is gone
 *           -> tryPending()        -> queue, `waiting`     releasePending() when it got a place, was reset or cancelled
 */
export interface ConnectionPermits {
  tryConnection(): boolean;
  releaseConnection(): void;
  tryPending(): boolean;
  releasePending(): void;
}

/** Defaults in parentheses. */
export interface PoolOptions {
  /** Connections kept open without being asked for (0). */
  readonly preconnect: number;
  /** Of this host; 0 = only the cluster's threshold (0). Further streams wait. */
  readonly maxConnectionsPerHost: number;
  /** Streams a connection carries before it is retired; 0 = unlimited (0). */
  readonly maxRequestsPerConnection: number;
  /** A connection that carried nothing for this long is closed; 0 = never (60 s). */
  readonly idleTimeoutMs: number;
  /** (5 s). */
  readonly connectTimeoutMs: number;
}

export interface PoolStats {
  /** Connections that exist, those that only finish what they carry included. */
  readonly connections: number;
  readonly connecting: number;
  readonly idle: number;
  /** Streams in the queue. */
  readonly waiting: number;
  readonly dialled: number;
  readonly connectFailures: number;
  /** Errno name or code name of the last failed connect, "" when none failed. */
  readonly lastConnectFailure: string;
}

/** The connections to one host. */
export interface Pool extends Upstream {
  readonly address: string;
  /** Takes no more streams, finishes what runs. Resolves when the last connection is gone. */
  drain(): Promise<void>;
  /** Drops every connection now; streams on them and waiting ones are reset with meshClosed. */
  close(): void;
  /** A downstream connection is gone: closes what was bound to it (pool mode `bound`; nothing elsewhere). */
  unbind(down: StreamEnd): void;
  stats(): PoolStats;
}
