/**
 * What a supervisor and its worker processes say to each other. Each side calls functions of the other; sockets travel
 * with messages of their own:
 *
 *   supervisor  connection #n (with the socket)     worker  state { taken: n, ... }
 *
 * A connection is the supervisor's until the worker has taken it: one that was under way to a worker that died goes to
 * another, and no byte of it has been read.
 */
export type ProcessMessage =
  | { readonly heddle: 'call'; readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly heddle: 'answer'; readonly id: number; readonly value?: unknown; readonly failure?: string }
  | { readonly heddle: 'connection'; readonly sequence: number; readonly socket: number }
  | ({ readonly heddle: 'state' } & ConnectionState);

/** How a worker stands with the connections that it was given. */
export interface ConnectionState {
  /** Sequence number up to which connections have arrived. */
  readonly taken: number;
  /** Those among them, since the last message, for which nothing listens here. */
  readonly refused: readonly number[];
  /** Open connections by socket. */
  readonly live: readonly (readonly [socket: number, connections: number])[];
  /** Sockets on which connections are welcome. */
  readonly accepting: readonly number[];
}

/** A listening socket that the supervisor holds. */
export interface SocketPlace {
  readonly id: number;
  /** The listener that uses it. */
  readonly name: string;
  /** As configured. */
  readonly address: string;
  /** In use, with the port that the system chose for 0. */
  readonly boundTo: string;
}

export const isProcessMessage = (message: unknown): message is ProcessMessage =>
  typeof message === 'object' && message !== null && 'heddle' in message;
