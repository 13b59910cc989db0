import type { BufferBudget, WriteSlab } from '../base/buffers.ts';
import type { Clock } from '../base/clock.ts';
import type { HeadView } from '../base/head-view.ts';
import type { RpcNames } from '../base/rpc-names.ts';
import type { TextCache } from '../base/text-cache.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { ConfigSchema } from './extension.ts';
import type { Metrics } from './metrics.ts';
import type { StreamEnd, StreamSink } from './stream-end.ts';
import type { TurnWrites } from './turn-writes.ts';
import type { ByteEngine, Wire } from './wire.ts';

/** How a pool may share one upstream connection: many streams at once, one after the other, one downstream for life. */
export type PoolMode = 'multiplex' | 'pingPong' | 'bound';

/** Answers of `match`. */
export const Match = { no: 0, yes: 1, more: 2 } as const;
export type Match = (typeof Match)[keyof typeof Match];

/**
 * A protocol. One folder under transport/codecs with the same file names in each: index, match, scan|frame, encode,
 * server, client, status. The shared contract suite (heddle/testing) drives it: split at every byte, cut and moved at
 * every message boundary, truncated, oversized, hostile.
 */
export interface Codec<Config = unknown> {
  readonly name: string;
  readonly poolMode: PoolMode;
  /** Streams one upstream connection may carry at once. */
  readonly maxConcurrent: number;
  readonly config: ConfigSchema<Config>;
  /** Names of the protocol in a TLS handshake (RFC 7301); absent: it has none. */
  readonly alpn?: readonly string[];
  /** It chooses among the codecs of its configuration (`codecs`) and speaks none: for listeners only. */
  readonly isDetector?: true;
  /** Is this protocol what `buf[start, end)`, the first bytes of a connection, begins? */
  match(buf: Buffer, start: number, end: number): Match;
  server(wire: Wire, context: CodecContext, owner: ServerOwner, config: Config): ServerCodec;
  client(wire: Wire, context: CodecContext, owner: ClientOwner, config: Config): ClientCodec;
  /** Fills `head` (a clean response head) with the local answer for `status`, an HTTP status (MOSN's hijack). */
  hijack(head: HeadView, status: number, body: string): void;
  /** The response's status in HTTP's scale, for retries, outlier detection and metrics. */
  statusOf(head: HeadView): number;
  /** Idle interval and limits of keep-alive messages; absent where the protocol has none. */
  readonly heartbeat?: {
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly maxMissed: number;
    /** While all is well the interval grows to this, and never beyond the peer's idle limit less `intervalMs`; fixed when absent. */
    readonly maxIntervalMs?: number;
    /** After how much silence peers of this protocol close a connection, as far as is known. */
    readonly peerIdleLimitMs?: number;
  };
}

/** What every codec connection of one mesh shares. */
export interface CodecContext {
  readonly sink: StreamSink;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Of multiplexed codecs. */
  readonly slab: WriteSlab;
  /** What the others write. */
  readonly writes: TurnWrites;
  /** Strings of host names and the like. */
  readonly texts: TextCache;
  /** Names of RPC operations. */
  readonly names: RpcNames;
  readonly budget: BufferBudget;
  readonly metrics: Metrics;
  /** Joins the list that is flushed once per loop turn: for multiplexed codecs. */
  readonly flushLater: (engine: Flushable) => void;
}

export interface Flushable {
  flush(): void;
}

/** The listener, as a server codec sees it. */
export interface ServerOwner {
  /** Read anew for each request: a reload swaps it while the connection lives. */
  readonly pipeline: import('./pipeline.ts').Pipeline;
  readonly limits: ServerLimits;
  readonly isDraining: boolean;
  /** A connection-level failure before or between streams, already answered; counted and logged by the owner. */
  protocolError(code: number, detail: string): void;
  /** The connection is gone. */
  closed(connection: ServerConnection): void;
  /** The codec stands at a message boundary with nothing in flight; a pending hand-over may take it. */
  idle(connection: ServerConnection): void;
}

/** Limits of one downstream connection; defaults in parentheses. 0 switches a time limit off. */
export interface ServerLimits {
  /** Request line and headers together (32 KiB): 431. */
  readonly maxHeaderBytes: number;
  /** Header fields of one request (100): 431. */
  readonly maxHeaderCount: number;
  /** Request target (8 KiB): 414. */
  readonly maxUriBytes: number;
  /** Request body; 0 = unlimited (0): 413. */
  readonly maxBodyBytes: number;
  /** Between requests (60 s): closed. */
  readonly idleTimeoutMs: number;
  /** First byte to end of headers (10 s): 408. */
  readonly headerTimeoutMs: number;
  /** First byte to end of body (300 s): 408. */
  readonly requestTimeoutMs: number;
  /** 0 = unlimited (0): then the connection is closed. */
  readonly maxRequestsPerConnection: number;
  /** Requests read ahead of their answers on a pipelined connection (16): reading pauses. */
  readonly maxPipelined: number;
}

/** The pool, as a client codec sees it. */
export interface ClientOwner {
  /** A place is free again. Called BEFORE the last event of the stream is delivered. */
  room(codec: ClientCodec): void;
  /**
   * The connection is gone or takes no new streams (goAway, connection: close). May be called before `onClose` and again
   * from it; the pool gives the connection permit back once `active` is 0.
   */
  gone(codec: ClientCodec, code: number): void;
  /** The connection is established. */
  connected(codec: ClientCodec): void;
}

/** An accepted connection, as its listener sees it: a codec's, or one whose bytes a network filter passes on. */
export interface ServerConnection {
  readonly wire: Wire;
  /** Streams in progress. */
  readonly active: number;
  /** Takes no new work: announces it (goAway, `connection: close`), finishes what runs, then closes. */
  drain(): void;
  /** At a message boundary with nothing in flight or unsent. */
  isIdle(): boolean;
  /** Versioned plain data to continue elsewhere, with the unfinished bytes; null: cannot move, drain instead. */
  exportState(): CodecState | null;
  /** On a fresh instance, before any bytes. Continues as if it had always been here. */
  importState(state: CodecState): void;
}

export interface ServerCodec extends ServerConnection, StreamEnd, ByteEngine {
  /** Bytes of an unfinished message held back (they travel with a hand-over as `unread`). */
  cutPoint(): number;
}

export interface ClientCodec extends StreamEnd, ByteEngine {
  readonly wire: Wire;
  /** Streams it would still take: 0 or 1 for ping-pong, max - active for multiplexed. The only thing a pool asks. */
  readonly room: number;
  readonly active: number;
  /** Streams it has carried; `> 0` makes a failure `ifReused`. */
  readonly served: number;
  /** Monotonic ms of the last bytes received; kept by codecs with a heartbeat that backs off. */
  readonly lastReadMs?: number;
  /** The idle limit that the peer announced, in ms; 0 or absent: it did not. */
  readonly peerIdleLimitMs?: number;
  /** Streams were in progress when it closed: the peer did not close for silence. */
  readonly diedBusy?: boolean;
  /** Takes the stream: sets `s.up`, `s.upId`, `s.responseOwned` and whether the connection served before, `s.reused`. */
  bind(s: import('./stream.ts').Stream): void;
  /** Heartbeat; nothing where the protocol has none. */
  ping(): void;
  drain(): void;
  isIdle(): boolean;
  cutPoint(): number;
  exportState(): CodecState | null;
  importState(state: CodecState): void;
}

export interface CodecState {
  readonly codec: string;
  readonly version: number;
  /** Bytes of an unfinished incoming message. */
  readonly unread: Buffer;
  readonly data: unknown;
}
