import type { Cluster, ConnectionPermits } from './cluster.ts';
import type { CodecContext, ServerConnection, ServerOwner } from './codec.ts';
import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { LogOutputs } from './log-output.ts';
import type { Stream } from './stream.ts';
import type { Dialer, Peer, Wire } from './wire.ts';

/**
 * What `admit` says of a connection.
 *
 *   pass    on to the next filter, the last one to the codec or the terminal filter
 *   more    ask again when more bytes have come
 *   wait    until `connection.resume()`
 *   close   drop it; a terminal filter's own refusal counts here too
 */
export const Admission = { pass: 0, more: 1, wait: 2, close: 3 } as const;
export type Admission = (typeof Admission)[keyof typeof Admission];

/**
 * What a connection meets between its accept and the first byte that a codec reads.
 *
 *   accept -> admit 1 .. admit n -> layers -> codec.server(...)  or  terminal filter.serve(...)
 *
 * One object per configured filter, shared by all connections of the listener. A throw closes the connection: filters
 * fail closed.
 */
export interface NetworkFilter extends Partial<ConnectionEnding> {
  /** Bytes it may ask for with `more`; 0: it decides at once (0). */
  readonly maxFirstBytes?: number;
  /** How long it may ask for them; counted from its first `more`, whatever arrives meanwhile (10 s). */
  readonly firstBytesTimeoutMs?: number;
  /** It may call `impersonate` (false). */
  readonly replacesPeer?: boolean;
  admit?(connection: ArrivingConnection): Admission;
}

/** Who speaks on a connection once every filter let it pass. */
export interface ConnectionEnding {
  /** Attaches to `connection.wire` before it returns; calls nothing of `owner` before that. */
  serve(connection: ArrivingConnection, owner: ServerOwner): ServerConnection;
}

/** A connection before its protocol begins. */
export interface ArrivingConnection {
  /** With the layers that filters have put on it so far. Filters do not attach to it, `serve` does. */
  readonly wire: Wire;
  /** Below all layers. */
  readonly socket: Wire;
  /** Who is at the other end: of the socket, or as a trusted PROXY header says. */
  readonly peer: Peer;
  /** "host:port" that the client asked for, likewise. */
  readonly destination: string;
  /** The bytes read so far are `buf[start, end)`; they stay in front of what comes. */
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
  /** No further bytes will be shown: the peer ended, the time is up, or `maxFirstBytes` are there. `more` then closes. */
  readonly isFinal: boolean;
  /** What filters found out: "tls.serverName", "proxy.tlv.5", ... for matches and logs. Null while there is nothing. */
  readonly facts: ReadonlyMap<string, string> | null;
  addFact(name: string, value: string): void;
  /** Removes bytes in front: the protocol behind never sees them. */
  consume(sizeBytes: number): void;
  /** Replaces who the peer is for everything behind. @param destination what it asked for, where that is another too */
  impersonate(peer: Peer, destination?: string): void;
  /** Goes on over another wire of the same connection; what was read of the one before belongs to that. */
  replaceSocket(wire: Wire): void;
  /** Puts a wire on the wire. It takes effect for what comes behind. */
  addLayer(layer: (wire: Wire) => Wire): void;
  /** Continues after `wait`, with the next filter. Ignored when the connection is gone. */
  resume(): void;
  /** Ends the connection. */
  drop(code: number): void;
  /** Who takes the connection over: the listener's codec or its terminal filter, until a filter chooses another. */
  ending: ConnectionEnding;
}

/** A cluster whose hosts are dialled directly: connections need permits of their own. */
export interface DialledCluster {
  readonly cluster: Cluster;
  readonly permits: ConnectionPermits;
  /** Its way to dial, where it has one: TLS. */
  readonly dial?: Dialer;
  /** Sent in front of everything; null: nothing. */
  readonly proxyProtocol: 1 | 2 | null;
}

export interface NetworkFilterContext extends ExtensionContext {
  /** Listener name, for metric labels. */
  readonly owner: string;
  readonly logs: LogOutputs;
  readonly codec: CodecContext;
  readonly dial: Dialer;
  /** Null when no cluster has that name now. */
  cluster(name: string): DialledCluster | null;
  /** For `Cluster.chooseHost`; give it back at once with `releaseStream`. */
  acquireStream(): Stream;
  releaseStream(s: Stream): void;
}

export interface NetworkFilterDefinition<Config = unknown> {
  readonly name: string;
  readonly layer: 'network';
  readonly config: ConfigSchema<Config>;
  /** It ends the chain with `serve` instead of a codec. */
  readonly isTerminal?: boolean;
  /** It decides who may pass: it must be built or the start is refused. */
  readonly isSecurity?: boolean;
  /** Names of clusters that must exist. */
  clusters?(config: Config): readonly string[];
  create(config: Config, context: NetworkFilterContext): NetworkFilter;
  /** Makes the listener one of datagrams (UDP): the filter stands alone on it and `create` is not called. */
  createDatagrams?(config: Config, context: DatagramContext): DatagramHandler;
}

export interface DatagramContext extends NetworkFilterContext {
  /** A socket that exchanges datagrams with one address. */
  openDatagrams(address: string, events: DatagramEvents): DatagramSocket;
}

/** What a datagram listener does with what comes in. */
export interface DatagramHandler {
  readonly sessions: number;
  /** `message` is the handler's to keep. `reply` sends to the same client and may be called at any time later. */
  received(message: Buffer, peer: Peer, reply: (message: Buffer) => void): void;
  /** Takes no new sessions. `done` is called once the last one is gone. */
  drain(done: () => void): void;
  close(): void;
}

export interface DatagramSocket {
  /** Never blocks; what cannot be sent is lost. */
  send(message: Buffer): void;
  close(): void;
}

export interface DatagramEvents {
  onMessage(message: Buffer): void;
  /** The address cannot be reached. Nothing follows. */
  onError(): void;
}
