import { parseGrpcTimeout } from '../base/grpc-timeout.ts';
import { HeadView } from '../base/head-view.ts';
import { WheelNode } from '../base/timer-wheel.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { Cluster, Host } from './cluster.ts';
import { Phase } from './phase.ts';
import type { Pipeline } from './pipeline.ts';
import type { PolicyState } from './policy-state.ts';
import type { Route, WeightedTarget } from './route.ts';
import type { StreamEnd, StreamSink } from './stream-end.ts';
import { Verdict } from './stream-filter.ts';
import { StreamMetadata } from './stream-metadata.ts';
import type { Peer } from './wire.ts';

/** Bits of `stream.paused`. */
export const Paused = { downRead: 1, upRead: 2, downFull: 4, upFull: 8 } as const;

/** Bits of `stream.hops`. */
export const Hop = { retries: 1, limits: 2 } as const;

/** What a stream needs of the core after the fact: filters, timers and callers use it. Implemented by the proxy. */
export interface StreamCore extends StreamSink {
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
  /** The weighted target that was drawn: its header operations apply, and retries stay with its cluster. */
  target: WeightedTarget | null = null;
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
  /** Request / response bytes passed for this stream stay valid after the call (`wire.ownsReads` of where they come from). */
  requestOwned = false;
  responseOwned = false;
  /** The request is complete as received / has been sent on completely. */
  requestDone = false;
  requestSent = false;
  /** All body filters passed the body as a whole: they are not called. */
  isBodyPassed = false;
  /** Its downstream end can park it: until that is decided no timer is armed for it. */
  mayPark = false;
  /** It left as the very bytes that came, and its upstream end can do without the stream until the answer. */
  isVerbatim = false;
  /** Of the head's bytes, where calls with the same head may be repeated; else 0. */
  flowHash = 0;
  /** A response head went downstream / the response is complete as received. */
  responseStarted = false;
  responseDone = false;
  /** A call of gRPC: answers of our own are statuses of gRPC. */
  isGrpc = false;
  /** Bytes flow untouched in both directions (101 or CONNECT). */
  isTunnel = false;
  /** Directions of the tunnel that have ended: 1 request, 2 response. */
  tunnelEnds = 0;
  /** Why it ended early, a Code. */
  code = 0;
  /** Names added by filters for the log, e.g. "DI,FI"; "" when none. */
  flags = '';

  /** Body bytes held: what waits behind a filter or a connect, and what a retry would send again. */
  readonly requestBody: BodyBuffer = new BodyBuffer();
  readonly responseBody: BodyBuffer = new BodyBuffer();
  /** First request body bytes, travelling with the head through the phases: one write leaves. Borrowed. */
  firstBuf: Buffer | null = null;
  firstStart = 0;
  firstEnd = 0;
  /** What a body filter wants sent instead of the slice it was shown. */
  replacement: Buffer | null = null;
  requestBytes = 0;
  responseBytes = 0;
  /** Bits of `Paused`: which ends are told not to read, and which are full. */
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
  /** The caller's own limit of a gRPC call, answer included; `routeDeadlineMs` is never later. */
  callDeadlineMs = 0;
  idleTimeoutMs = 0;
  lastActivityMs = 0;

  /** Where the head hooks of the current phase go on after `resume`. */
  filterIndex = 0;
  responseFilterIndex = 0;
  /** Bits of `Hop`: what a mesh that the request came through does already. */
  hops = 0;
  /** A head filter stopped the request / the response. */
  isStopped = false;
  isResponseStopped = false;
  /** Times a filter asked for another route or host; bounded. */
  rechoices = 0;
  /** The answer is ours, `res.status` in HTTP's scale whatever the protocol. */
  isLocalReply = false;
  /** Header operations of route and cluster were applied. */
  isRouted = false;
  /** Waits for a pool place / for the back-off of a retry until (monotonic ms). */
  isWaiting = false;
  retryAtMs = 0;
  /** Permits to give back: the host's request permit, the cluster's retry permit. */
  holdsHost = false;
  holdsRetry = false;

  /** One slot a filter instance, numbered when the chain is built. */
  readonly attributes: unknown[] = [];
  /** Dynamic metadata: written by filters, read by routes, subsets and the log. */
  readonly metadata: StreamMetadata = new StreamMetadata();
  /** What policies of the route keep here; null for most streams. */
  policy: PolicyState | null = null;
  /** Fields of `req` (as `find` gives them) with the request's id and our own `traceparent`; -1 when there is none. */
  requestIdField = -1;
  traceField = -1;
  /** The tracer's own object (an OpenTelemetry span). */
  span: unknown = null;
  #abort: AbortController | null = null;

  constructor(core: StreamCore) {
    super();
    this.core = core;
  }

  /** "" when it has none. Made from the header when asked for: most requests need no string of it (60 ns). */
  get requestId(): string {
    return this.requestIdField < 0 ? '' : this.req.valueAt(this.requestIdField);
  }

  /** 32 lower-case hex digits; "" when not traced. */
  get traceId(): string {
    return this.traceField < 0 ? '' : this.req.valueAt(this.traceField).slice(3, 35);
  }

  /** 16 lower-case hex digits; "" when not traced. */
  get spanId(): string {
    return this.traceField < 0 ? '' : this.req.valueAt(this.traceField).slice(36, 52);
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
    this.isLocalReply = true;
    return Verdict.reply;
  }

  /** For body filters: sends `bytes` instead of the slice that the hook was shown. Lengths are corrected where possible. */
  replaceBody(bytes: Buffer): void {
    this.replacement = bytes;
  }

  /** It is a call of gRPC: the deadline of its caller holds, and answers of our own are statuses of gRPC. */
  becomeGrpc(): void {
    this.isGrpc = true;
    const text = this.req.get('grpc-timeout');
    if (text !== null) this.#limitCall(parseGrpcTimeout(text));
  }

  /** Its caller says in `tri-service-timeout` how many milliseconds it waits: Triple without gRPC's framing. */
  becomeTriple(text: string): void {
    this.#limitCall(/^\d{1,9}$/.test(text) ? Math.max(1, Number(text)) : -1);
  }

  /** @param timeoutMs from the head of the request to the end of the answer; -1: none that can be read */
  #limitCall(timeoutMs: number): void {
    if (timeoutMs < 0 || this.routeDeadlineMs > 0) return;
    this.callDeadlineMs = this.routeDeadlineMs = this.startMs + timeoutMs;
  }

  setMetadata(key: string, value: string): void {
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
    this.target = null;
    this.cluster = null;
    this.host = null;
    this.triedHosts = null;
    this.peer = null;
    this.parent = null;
    this.protocol = '';
    this.tries = 0;
    this.reused = this.requestOwned = this.responseOwned = false;
    this.isVerbatim =
      this.mayPark =
      this.isBodyPassed =
      this.requestDone =
      this.requestSent =
      this.responseStarted =
      this.responseDone =
        false;
    this.isGrpc = false;
    this.isTunnel = this.isStopped = this.isResponseStopped = this.isLocalReply = false;
    this.isRouted = this.isWaiting = this.holdsHost = this.holdsRetry = false;
    this.retryAtMs = this.rechoices = this.tunnelEnds = this.hops = 0;
    this.firstBuf = this.replacement = null;
    this.firstStart = this.firstEnd = 0;
    this.code = this.flowHash = 0;
    this.flags = '';
    this.requestBody.clear();
    this.responseBody.clear();
    this.requestBytes = this.responseBytes = this.paused = 0;
    this.startMs = this.startWallMs = this.requestDoneMs = this.tryStartMs = 0;
    this.firstByteMs = this.endMs = 0;
    this.routeDeadlineMs = this.callDeadlineMs = this.tryDeadlineMs = 0;
    this.idleTimeoutMs = this.lastActivityMs = 0;
    this.filterIndex = this.responseFilterIndex = 0;
    for (let i = 0; i < this.attributes.length; i++) this.attributes[i] = undefined;
    if (this.metadata.size > 0) this.metadata.clear();
    this.requestIdField = this.traceField = -1;
    this.policy = null;
    this.span = null;
    this.#abort = null;
  }
}
