import type { Cluster, Host } from './cluster.ts';
import type { Pipeline } from './pipeline.ts';
import type { Route } from './route.ts';
import type { Stream } from './stream.ts';
import type { StreamEnd } from './stream-end.ts';

/**
 * A call between its request and its answer that needs no Stream meanwhile: filters, route and host are done with, the
 * request left as it came, and nothing looks at the answer. 110 bytes stand for 3 KiB, so that the thousands of calls
 * that multiplexed connections have in flight stay in the cache: 2,048 in flight cost 0.5 to 1 us less a call.
 *
 *   requestHead -> filters, route, host -> sendHead -> park: the stream goes back to the pool
 *                                                       | an answer         -> answered: counted, forwarded as bytes
 *                                                       '-> anything else   -> unpark: a stream again, made from the frame
 */
export class ParkedCall {
  readonly core: ParkingCore;
  down: ParkingServer | null = null;
  downId = 0;
  up: ParkingClient | null = null;
  upId = 0;
  way: CallWay | null = null;
  host: Host | null = null;
  requestBytes = 0;
  /** Monotonic ms. */
  startMs = 0;
  /** The connection served before this call. */
  reused = false;

  constructor(core: ParkingCore) {
    this.core = core;
  }
}

/** What calls with the same head have in common: many may share it, and most of what a call needs stays in the cache. */
export interface CallWay {
  readonly pipeline: Pipeline;
  readonly route: Route;
  readonly cluster: Cluster;
  /** The request's frame, or as much of it as says how to answer. */
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
  /** From `startMs` to the answer, and without a byte; 0 = none. */
  readonly limitMs: number;
  readonly idleTimeoutMs: number;
}

/** Implemented by the proxy. */
export interface ParkingCore {
  /**
   * `buf[start, end)` answers `call`: it is counted, passed on and over.
   * @param status in HTTP's scale
   */
  answered(
    call: ParkedCall,
    buf: Buffer,
    start: number,
    end: number,
    status: number,
    bodyBytes: number,
  ): void;
  /** Makes a stream of it again; the call is over. Both ends know the stream afterwards. */
  unpark(call: ParkedCall): Stream;
}

/** An end that can hold a call in place of a stream. */
interface ParkingEnd extends StreamEnd {
  /** `call` takes the place of `s`. */
  park(s: Stream, call: ParkedCall): void;
}

export interface ParkingServer extends ParkingEnd {
  /** `s` takes the place of `call`; its request is read again. */
  unpark(call: ParkedCall, s: Stream): void;
  /** Passes an answer on as it came. The call's place is free afterwards. */
  sendParked(call: ParkedCall, buf: Buffer, start: number, end: number): void;
}

export interface ParkingClient extends ParkingEnd {
  unpark(call: ParkedCall, s: Stream): void;
  /** Calls back for each call that waits here. Those may end meanwhile. */
  visitParked(visit: (call: ParkedCall) => void): void;
  /** The limits of its calls are watched. */
  isWatched: boolean;
  /** Heads with this `framing` may leave as they came; null: calls do not wait here without a stream. */
  readonly framing: object | null;
  /** Sends a request as it came; `call` takes the place of `s`, which `open` has bound to this end. */
  sendRepeated(s: Stream, call: ParkedCall, buf: Buffer, start: number, end: number): void;
}

export const isParkingClient = (end: StreamEnd): end is ParkingClient =>
  (end as Partial<ParkingClient>).sendRepeated !== undefined;

export const isParkingServer = (end: StreamEnd | null): end is ParkingServer =>
  end !== null && (end as Partial<ParkingServer>).sendParked !== undefined;
