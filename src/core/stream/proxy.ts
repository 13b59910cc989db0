import { channels } from '../base/channels.ts';
import { Code } from '../base/codes.ts';
import { isGrpcHead } from '../base/grpc-head.ts';
import type { HeadView } from '../base/head-view.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { MirrorPolicy } from '../contract/route.ts';
import { Paused, Stream, type StreamCore } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { armAttempt, attemptFailed, onDeadline, startAttempt } from './attempt.ts';
import { chooseHost } from './choose-host.ts';
import type { ProxyContext } from './context.ts';
import { armStream } from './deadlines.ts';
import { type InnerPipelines, innerPipelines } from './inner-streams.ts';
import { failStream, localReply, resetDownstream } from './local-reply.ts';
import { finish } from './log.ts';
import { matchRoute } from './match-route.ts';
import { MirrorTargets } from './mirror.ts';
import type { MirrorTarget } from './mirror-target.ts';
import { ParkingLot } from './parking.ts';
import { Repeater } from './repeat.ts';
import { flushRequest, holdFirst, passRequestData, sendRequest } from './request-body.ts';
import { filterRequest } from './request-filters.ts';
import { prepareRequest } from './request-head.ts';
import { flushResponse, passResponseData } from './response-body.ts';
import { filterResponse, receiveResponse, resumeResponse } from './response-head.ts';

/** Pooled streams: about 3 KiB each, so that what a burst needed is given back. */
const keptStreams = 256;
const empty: Buffer = Buffer.alloc(0);

/**
 * THE data path, in the order of a request's life. One function per phase; a phase of more than a few lines lives in
 * the file that is named beside it.
 *
 *   requestHead        decode ends: the codec scanned the head into `s.req`         request-head.ts
 *   filterBeforeRoute  filterAfterRoute  filterAfterHost                            request-filters.ts
 *   matchRoute  chooseHost                                                          match-route.ts, choose-host.ts
 *   encodeUpstream  awaitUpstream  retry  failConnect                               attempt.ts, retry.ts, deadlines.ts
 *   requestData                                                                     request-body.ts, body-filters.ts
 *   responseHead  filterResponse  encodeDownstream                                  response-head.ts
 *   responseData                                                                    response-body.ts, body-filters.ts
 *   failStream  reset                                                               local-reply.ts
 *   log  done                                                                       log.ts
 *
 * `advance` runs the request phases from `s.phase` on until one waits for something or the stream is over.
 */
export class StreamProxy implements StreamCore {
  readonly context: ProxyContext;
  /** Streams in progress, when asked to keep them: the pending-stream profile reads it. */
  readonly live: Set<Stream> | null;
  active = 0;
  /** Calls of this process among them. */
  #calls = 0;
  readonly #pool: Stream[] = [];
  readonly #parking: ParkingLot = new ParkingLot(this);
  readonly repeater: Repeater = new Repeater(this, this.#parking);
  #serial = 0;
  #inner: InnerPipelines | null = null;
  #mirrors: MirrorTargets | null = null;
  #wallOffsetMs = 0;
  #wallReadMs = Number.NEGATIVE_INFINITY;

  /** @param tracksLive keeps the set `live` (about 40 ns a stream) */
  constructor(context: ProxyContext, tracksLive = false) {
    this.context = context;
    this.live = tracksLive ? new Set() : null;
  }

  /** What streams of the mesh's own go through. */
  get innerPipelines(): InnerPipelines {
    this.#inner ??= innerPipelines(this.context.metrics);
    return this.#inner;
  }

  mirrorTarget(policy: MirrorPolicy): MirrorTarget {
    this.#mirrors ??= new MirrorTargets();
    return this.#mirrors.of(policy, this);
  }

  /** Wall clock less monotonic clock, as last read. */
  get wallOffsetMs(): number {
    return this.#wallOffsetMs;
  }

  acquire(): Stream {
    const s = this.#pool.pop() ?? new Stream(this);
    this.number(s);
    return s;
  }

  number(s: Stream): void {
    s.serial = ++this.#serial;
  }

  /** A stream is over. */
  ended(s: Stream): void {
    this.active--;
    this.live?.delete(s);
    if (s.protocol === 'call' && --this.#calls === 0) this.context.keepAlive?.unref();
    this.release(s);
  }

  release(s: Stream): void {
    s.recycle();
    if (this.#pool.length < keptStreams) this.#pool.push(s);
  }

  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const gen = s.gen;
    this.#begin(s, end);
    if (buf !== null && b > a) {
      s.firstBuf = buf;
      s.firstStart = a;
      s.firstEnd = b;
      s.requestBytes = b - a;
    }
    s.req.retain();
    if (this.context.budget.isExhausted) failStream(this, s, Code.bufferOverflow);
    else if (prepareRequest(this, s)) this.advance(s);
    if (s.gen !== gen) return;
    if (s.firstBuf !== null) holdFirst(s);
    if (!s.mayPark || (s.isVerbatim && this.#parking.tryPark(s))) return;
    s.mayPark = false;
    armStream(this.context.wheel, s);
  }

  #begin(s: Stream, end: boolean): void {
    const { clock, metrics } = this.context;
    const now = clock.now();
    if (now - this.#wallReadMs > 1000) {
      this.#wallReadMs = now;
      this.#wallOffsetMs = clock.wallNow() - now;
    }
    s.startMs = s.lastActivityMs = now;
    s.startWallMs = now + this.#wallOffsetMs;
    s.requestDone = end;
    if (end) s.requestDoneMs = now;
    if (s.req.framing === null) recognizeRpc(s);
    this.active++;
    if (s.protocol === 'call' && this.#calls++ === 0) this.context.keepAlive?.ref();
    this.live?.add(s);
    const pipeline = s.pipeline as Pipeline;
    (metrics.values[pipeline.slots.requests] as number)++;
    (metrics.values[pipeline.slots.active] as number)++;
    s.idleTimeoutMs = pipeline.streamIdleTimeoutMs;
    s.phase = Phase.filterBeforeRoute;
    pipeline.tracer?.start(s);
    if (channels.streamStart.hasSubscribers) channels.streamStart.publish({ stream: s });
  }

  advance(s: Stream): void {
    const filters = (s.pipeline as Pipeline).filters;
    for (;;) {
      switch (s.phase) {
        case Phase.filterBeforeRoute:
          if (!filterRequest(this, s, filters.beforeRoute, Phase.matchRoute)) return;
          break;
        case Phase.matchRoute:
          if (!matchRoute(this, s)) return;
          break;
        case Phase.filterAfterRoute:
          if (!filterRequest(this, s, filters.afterRoute, Phase.chooseHost)) return;
          break;
        case Phase.chooseHost:
          if (!chooseHost(this, s)) return;
          break;
        case Phase.filterAfterHost:
          if (!filterRequest(this, s, filters.afterHost, Phase.encodeUpstream)) return;
          break;
        case Phase.encodeUpstream:
          startAttempt(this, s);
          return;
        default:
          return;
      }
    }
  }

  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    passRequestData(this, s, buf, a, b, end);
  }

  requestTrailers(s: Stream, trailers: HeadView): void {
    s.requestTrailers = trailers;
    passRequestData(this, s, empty, 0, 0, true);
  }

  upstreamReady(s: Stream, end: StreamEnd): void {
    s.isWaiting = false;
    sendRequest(this, s, end);
  }

  upstreamReset(s: Stream, code: number): void {
    s.up = null;
    s.isWaiting = false;
    attemptFailed(this, s, code);
  }

  responseInformational(s: Stream): void {
    if (!s.responseStarted) s.down?.sendInformational(s, s.res);
  }

  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    receiveResponse(this, s, buf, a, b, end);
  }

  /** Response phases from the head hooks on; local replies enter here. */
  filterResponse(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    filterResponse(this, s, buf, a, b, end);
  }

  /** The request is complete: the route's clock starts. */
  armAttempt(s: Stream): void {
    armAttempt(this, s);
  }

  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    passResponseData(this, s, buf, a, b, end);
  }

  responseTrailers(s: Stream, trailers: HeadView): void {
    s.responseTrailers = trailers;
    passResponseData(this, s, empty, 0, 0, true);
  }

  writable(s: Stream, end: StreamEnd): void {
    if (end === s.up) {
      s.paused &= ~Paused.upFull;
      flushRequest(this, s);
    } else if (end === s.down) {
      s.paused &= ~Paused.downFull;
      flushResponse(this, s);
    }
  }

  downstreamReset(s: Stream, code: number): void {
    s.phase = Phase.reset;
    s.code = code;
    s.down = null;
    (this.context.metrics.values[(s.pipeline as Pipeline).slots.resets] as number)++;
    finish(this, s);
  }

  resume(s: Stream, gen: number): void {
    if (s.gen !== gen) return;
    if (s.isStopped) {
      s.isStopped = false;
      this.advance(s);
    } else if (s.isResponseStopped) {
      resumeResponse(this, s);
    } else if (s.requestBody.isStopped) {
      s.requestBody.isStopped = false;
      flushRequest(this, s);
    } else if (s.responseBody.isStopped) {
      s.responseBody.isStopped = false;
      flushResponse(this, s);
    }
  }

  reply(s: Stream, status: number, body: string): void {
    if (s.responseStarted) {
      resetDownstream(this, s, Code.filterClosed);
      return;
    }
    s.reply(status, body, { 'content-type': 'text/plain' });
    localReply(this, s);
  }

  onStreamDeadline(s: Stream, nowMs: number): void {
    onDeadline(this, s, nowMs);
  }
}

/** Calls of RPC over HTTP bring a limit of their own. */
function recognizeRpc(s: Stream): void {
  if (isGrpcHead(s.req)) {
    s.becomeGrpc();
    return;
  }
  const limit = s.req.find('tri-service-timeout');
  if (limit >= 0) s.becomeTriple(s.req.valueAt(limit));
}
