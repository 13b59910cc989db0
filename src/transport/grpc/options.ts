import type { ExtensionContext } from '../../core/contract/extension.ts';
import type { ClusterTlsConfig } from '../../core/contract/tls-config.ts';
import type { Dialer } from '../../core/contract/wire.ts';
import type { MetadataInit } from './metadata.ts';

/** Defaults in parentheses. */
export interface GrpcChannelOptions {
  /** "10.0.0.1:9848", "[::1]:9848" or "unix:/path". */
  readonly address: string;
  /** `:authority` (host and port of the address; "localhost" for a unix socket). */
  readonly authority?: string;
  /** TLS with ALPN h2; as `tls` of a cluster (none: plain HTTP/2 by prior knowledge). */
  readonly tls?: Partial<ClusterTlsConfig>;
  /** Connections at most (1). Calls beyond what the server lets a connection carry wait. */
  readonly maxConnections?: number;
  /** Calls that may wait for a place (10,000); further ones fail at once with UNAVAILABLE. */
  readonly maxWaiting?: number;
  /** (5 s). */
  readonly connectTimeoutMs?: number;
  /** A connection without calls is closed after this long; 0 = never (5 min). */
  readonly idleTimeoutMs?: number;
  /** A connection with calls on which nothing comes for this long is asked by PING; 0 = never (30 s). */
  readonly keepaliveMs?: number;
  /** How long a PING may stay unanswered before the connection is given up (10 s). */
  readonly ackTimeoutMs?: number;
  /** One message received (4 MiB). */
  readonly maxReceiveBytes?: number;
  /** One message sent (unlimited). */
  readonly maxSendBytes?: number;
  /** Bytes that the server may send ahead of the reader on one call (65,535). */
  readonly windowBytes?: number;
  /** Metadata of every call. */
  readonly metadata?: MetadataInit;
  /** Of every call; 0 = none (0). */
  readonly timeoutMs?: number;
}

export interface GrpcCallOptions {
  readonly metadata?: MetadataInit;
  /** The whole call, connecting included; the server is told (`grpc-timeout`). 0 = none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly maxReceiveBytes?: number;
}

/** What a channel uses of its surroundings. A registry's or filter's context with a dialler is one. */
export interface GrpcSurroundings extends ExtensionContext {
  /** Plain sockets; TLS (`tls`) dials by itself. */
  readonly dial?: Dialer;
}
