import { HeadView } from '../base/head-view.ts';
import { WheelNode } from '../base/timer-wheel.ts';
import type { Cluster, Host } from './cluster.ts';
import { Phase } from './phase.ts';
import type { Pipeline } from './pipeline.ts';
import type { Route } from './route.ts';
import type { StreamEnd } from './stream-end.ts';
import type { Verdict } from './stream-filter.ts';
import type { Peer } from './wire.ts';

/** What a stream needs of the core after the fact: filters and timers call it. Implemented by the proxy. */
export interface StreamCore {
  /** Continues a stream that a filter stopped. Ignored when `gen` is not the stream's any more. */
  resume(s: Stream, gen: number): void;
  /** Ends the stream with a local answer at any time before the response head went out; resets it afterwards. */
  reply(s: Stream, status: number, body: string): void;
  onStreamDeadline(s: Stream, nowMs: number): void;
}

/**
 * One request and its response, of any protocol. Pooled: all fields have their final type from the constructor on, and
 * `gen` tells a late promise or timer that the object serves another request now.
 */
export class Stream extends WheelNode {
  readonly core: StreamCore;
  /** Grows with each reuse of the object. */
  gen = 0;
  /** Unique within the mesh; the access log's stream id. */
  serial = 0;
  phase: Phase = Phase.decode;
  readonly req: HeadView = new HeadView();
  /** Replaced, not reset, when a caller keeps the head (`mesh.request`). */
  res: HeadView = new HeadView();
  /** Trailers of either direction, on demand. */
  requestTrailers: HeadView | null = null;
  responseTrailers: HeadView | null = null;
  down: StreamEnd | null = null;
  /** Belongs to the downstream codec: multiplexing costs this integer. */
  downId = 0;
  up: StreamEnd | null = null;
  upId = 0;
  /** Snapshot of filters, routes, logs: a reload does not change a stream that has begun. */
  pipeline: Pipeline | null = null;
  route: Route | null = null;
  cluster: Cluster | null = null;
  host: Host | null = null;
  /** Hosts that earlier tries used. */
  triedHosts: Host[] | null = null;
  peer: Peer | null = null;
  /** The inbound stream that caused this one: trace, hop rules, record and replay. */
  parent: Stream | null = null;
  /** 'http1', 'http2', 'bolt', ... of the downstream codec, 'call' in-process. */
  protocol = '';

  /** Tries sent so far, the first included. */
  tries = 0;
  /** The current try went out on a connection that had served before. */
  reused = false;
  /** The bytes passed for this stream stay valid after the call (`wire.ownsReads`). */
  bytesOwned = false;
  /** The request is complete as received / has been sent on completely. */
  requestDone = false;
  requestSent = false;
  /** A response head went downstream / the response is complete as received. */
  responseStarted = false;
  responseDone = false;
  /** Bytes flow untouched in both directions (101 or CONNECT). */
  isTunnel = false;
  /** Why it ended early, a Code. */
  code = 0;
  /** Names added by filters for the log, e.g. "DI,FI"; "" when none. */
  flags = '';

  /** Body bytes held: what waits behind a filter or a connect, and what a retry would send again. */
  readonly requestBody: BodyBuffer = new BodyBuffer();
  readonly responseBody: BodyBuffer = new BodyBuffer();
  requestBytes = 0;
  responseBytes = 0;
  /** Read side paused because the other side is full: bit 1 down, bit 2 up. */
  paused = 0;

  /** Monotonic ms. 0 = not reached. */
  startMs = 0;
  /** Wall clock at start. */
  startWallMs = 0;
  requestDoneMs = 0;
  tryStartMs = 0;
  firstByteMs = 0;
  endMs = 0;
  /** Absolute limits, monotonic ms, 0 = none; `deadlineMs` (the wheel) is the nearest. */
  routeDeadlineMs = 0;
  tryDeadlineMs = 0;
  idleTimeoutMs = 0;
  lastActivityMs = 0;

  /** Where the filter chain goes on after `resume`: hook list and index. */
  filterHook = 0;
  filterIndex = 0;
  isStopped = false;

  /** One slot a filter instance, numbered when the chain is built. */
  readonly attributes: unknown[] = [];
  /** Dynamic metadata: written by filters, read by routes, subsets and the log. */
  metadata: Map<string, string> | null = null;
  requestId = '';
  /** 32 and 16 lower-case hex digits; "" when not traced. */
  traceId = '';
  spanId = '';
  /** The tracer's own object (an OpenTelemetry span). */
  span: unknown = null;
  #abort: AbortController | null = null;

  constructor(core: StreamCore) {
    super();
    this.core = core;
  }

  /** Aborts when the stream ends early; made on first use. */
  get signal(): AbortSignal {
    if (this.#abort === null) this.#abort = new AbortController();
    return this.#abort.signal;
  }

  abort(): void {
    this.#abort?.abort();
  }

  onDeadline(nowMs: number): void {
    this.core.onStreamDeadline(this, nowMs);
  }

  /** For filters: prepares the local answer and returns the verdict to return. */
  reply(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Verdict {
    this.res.reset();
    this.res.status = status;
    for (const name of Object.keys(headers)) this.res.add(name, headers[name] as string);
    this.responseBody.clear();
    if (body !== '') this.responseBody.push(Buffer.from(body));
    return 3;
  }

  setMetadata(key: string, value: string): void {
    this.metadata ??= new Map();
    this.metadata.set(key, value);
  }

  addFlag(flag: string): void {
    this.flags = this.flags === '' ? flag : `${this.flags},${flag}`;
  }

  /** Makes the object ready for the next request. */
  recycle(): void {
    this.gen++;
    this.phase = Phase.decode;
    this.req.reset();
    this.res.reset();
    this.requestTrailers = this.responseTrailers = null;
    this.down = this.up = null;
    this.downId = this.upId = 0;
    this.pipeline = null;
    this.route = null;
    this.cluster = null;
    this.host = null;
    this.triedHosts = null;
    this.peer = null;
    this.parent = null;
    this.protocol = '';
    this.tries = 0;
    this.reused = this.bytesOwned = false;
    this.requestDone = this.requestSent = this.responseStarted = this.responseDone = false;
    this.isTunnel = this.isStopped = false;
    this.code = 0;
    this.flags = '';
    this.requestBody.clear();
    this.responseBody.clear();
    this.requestBytes = this.responseBytes = this.paused = 0;
    this.startMs = this.startWallMs = this.requestDoneMs = this.tryStartMs = 0;
    this.firstByteMs = this.endMs = 0;
    this.routeDeadlineMs = this.tryDeadlineMs = this.idleTimeoutMs = this.lastActivityMs = 0;
    this.filterHook = this.filterIndex = 0;
    for (let i = 0; i < this.attributes.length; i++) this.attributes[i] = undefined;
    this.metadata = null;
    this.requestId = this.traceId = this.spanId = '';
    this.span = null;
    this.#abort = null;
  }
}

/** Owned body chunks in order. Holds nothing while empty. */
export class BodyBuffer {
  chunks: Buffer[] = [];
  sizeBytes = 0;

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.sizeBytes += chunk.length;
  }

  clear(): void {
    if (this.sizeBytes === 0 && this.chunks.length === 0) return;
    this.chunks = [];
    this.sizeBytes = 0;
  }

  /** All bytes as one buffer; the same object when there is one chunk. */
  concat(): Buffer {
    return this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks, this.sizeBytes);
  }
}
