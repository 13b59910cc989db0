import type { CallWay, ParkedCall, ParkingServer } from './parked-call.ts';
import type { Stream } from './stream.ts';
import type { RepeatedCall } from './stream-filter.ts';
import type { Peer } from './wire.ts';

/**
 * Calls of an RPC protocol come with the same head again and again: class, names, attachments, all but the id and the
 * content. A flow is such a head, byte by byte, and the stream on which the first of its calls was filtered and routed:
 *
 *   first calls   requestHead -> filters, route, host -> sent as it came -> parked, and the stream stays here
 *   next ones     the same bytes -> repeat: what the filters have left to do, a host -> sent as it came -> parked
 *                                     '-> anything else: the stream becomes the call's own and goes on as any other
 *
 * Reading, naming, routing and cleaning a stream are left out; filters, limits, balancer and counters are not. Flows
 * exist where every filter of the chain has a plan for them (`StreamFilter.planRepeat`).
 */
export class Flow {
  readonly stream: Stream;
  /** The head's bytes: a copy, which `stream.req` looks at. */
  readonly view: DataView;
  readonly hash: number;
  readonly sizeBytes: number;
  readonly way: CallWay;
  /** A call was repeated since the table looked for room. */
  isUsed = true;

  readonly plan: FlowPlan;

  constructor(stream: Stream, way: CallWay, plan: FlowPlan) {
    const { buf } = way;
    this.stream = stream;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.length);
    this.hash = stream.flowHash;
    this.sizeBytes = buf.length;
    this.way = way;
    this.plan = plan;
  }
}

/** What the filters have left to do. */
export interface FlowPlan {
  /** Metric slots that grow by one a call, those of the pipeline first. */
  readonly counts: Int32Array;
  /** In the order of the chain. */
  readonly checks: readonly FlowCheck[];
}

/** A filter that may not let every call of a flow pass. */
export interface FlowCheck {
  /** Its place among the filters of its stage. */
  readonly index: number;
  /** Counts of the filters before it. */
  readonly countsBefore: number;
  readonly passes: (call: RepeatedCall) => boolean;
}

/** What the flows of a listener depend on beside their bytes; a reload makes other objects. */
export interface FlowOwner {
  readonly pipeline: object;
  readonly limits: object;
}

/** The flows of one listener, bounded. */
export interface FlowTable {
  /** Forgets everything where `owner` has changed. @returns whether looking is worth while at the moment */
  isOpen(owner: FlowOwner): boolean;
  /** The flow with that head, or null. @param hash of the head, not 0 */
  find(hash: number, view: DataView, start: number, sizeBytes: number, isSame: SameHead): Flow | null;
  /** Has that head come before, so that the next of its calls should make a flow? Asked where `find` gave null. */
  wantsFlow(hash: number): boolean;
  /** The bytes of a read, to be compared by words, until `dropView`. */
  viewOf(buf: Buffer): DataView;
  dropView(): void;
}

/** Is the head of `sizeBytes` at `start` of `view` the one that is kept? */
export type SameHead = (kept: DataView, view: DataView, start: number, sizeBytes: number) => boolean;

/** Implemented by the proxy. */
export interface FlowSink {
  flowsOf(owner: FlowOwner): FlowTable;
  /**
   * `buf[start, end)` is a call of `flow`, its content begins at `bodyStart`: it is filtered, counted and sent, or goes on
   * as a stream.
   * @returns false: nothing has happened, it must be read as any other call
   */
  repeat(
    flow: Flow,
    down: RepeatingServer,
    buf: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): boolean;
}

/** A server end with flows. */
export interface RepeatingServer extends ParkingServer {
  readonly flows: FlowTable | null;
  /** Who is at the other end of the connection. */
  readonly remote: Peer | null;
  /** Takes a call of a flow in: sets `down` and `downId`. */
  take(call: ParkedCall, buf: Buffer, start: number, end: number): void;
  /** The call goes on as `s`: sets what it sets before `requestHead`. The head is read unless a filter changed it. */
  adopt(s: Stream, buf: Buffer, start: number, end: number): void;
}
