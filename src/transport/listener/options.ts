import type { Server } from 'node:net';
import type { Codec, CodecContext, ServerConnection, ServerLimits } from '../../core/contract/codec.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { NetworkChain } from '../network-filters/chain.ts';
import type { DescriptorProbe } from './descriptors.ts';

/** Limits of a listener; those of one connection come from the contract. Defaults in parentheses. */
export interface ListenerLimits extends ServerLimits {
  /** Open at once; 0 = unlimited (10,000). Further ones are closed at accept. */
  readonly maxConnections: number;
  /** Of one client address; 0 = unlimited (0). */
  readonly maxConnectionsPerSource: number;
  /** Connections that the kernel holds before they are accepted (511). */
  readonly backlog: number;
}

/** What a listener asks a `SocketSource` for. */
export interface ListenPlace {
  /** Name of the listener. */
  readonly name: string;
  /** As configured. */
  readonly address: string;
  readonly backlog: number;
}

/** Where the sockets of listeners come from in a process that does not bind them itself. */
export interface SocketSource {
  /**
   * A server that tells of each connection by 'connection', and the address in use. Closing it gives the place up.
   * @throws HeddleError ERR_LISTENER_ADDRESS
   */
  listen(place: ListenPlace): { readonly server: Server; readonly address: string };
  /** "host:port" that a UDP listener binds, shared with other processes (`reusePort`). */
  datagrams(name: string, address: string): string;
}

export interface ListenerOptions {
  /** Metric label `listener`. */
  readonly name: string;
  /** "127.0.0.1:8080", "[::]:8080", "unix:/path"; port 0 picks a free one. */
  readonly address: string;
  readonly codec: Codec;
  readonly codecConfig: unknown;
  readonly context: CodecContext;
  readonly pipeline: Pipeline;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  /** Permissions of a unix socket (0o660). */
  readonly mode?: number;
  /** Told of each connection that is gone: pools of mode `bound` let go of what belongs to it. */
  readonly onGone?: (connection: ServerConnection) => void;
  /** What each connection goes through before its protocol begins (none). */
  readonly chain?: NetworkChain | null;
  readonly descriptors?: DescriptorProbe;
  /** Gives the listening socket (it is bound here). */
  readonly sockets?: SocketSource | null;
}
