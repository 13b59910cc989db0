import type { HostUpstream } from './cluster.ts';
import type { ServerConnection } from './codec.ts';
import type { StreamEnd } from './stream-end.ts';

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
}

/**
 * The connections to one host.
 *
 *   open(s) -> an idle connection? -> bind
 *           -> permits.tryConnection() -> dial, bind       releaseConnection() when that connection is gone
 *           -> permits.tryPending()    -> queue, `waiting`  releasePending() when it got a place, was reset or cancelled
 *           -> else a Code: pendingOverflow; connectionOverflow where not one connection exists to wait for; draining
 */
export interface Pool extends HostUpstream {
  readonly address: string;
  /** Resolves when the last connection is gone after `drain` or `close`. */
  readonly closed: Promise<void>;
  /** A downstream connection is gone: closes what was bound to it (pool mode `bound`; nothing elsewhere). */
  unbind(down: StreamEnd | ServerConnection): void;
  stats(): PoolStats;
}
