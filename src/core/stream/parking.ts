import { channels } from '../base/channels.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import {
  type CallWay,
  isParkingServer,
  ParkedCall,
  type ParkingClient,
  type ParkingCore,
} from '../contract/parked-call.ts';
import { Phase } from '../contract/phase.ts';
import type { FilterChain, Pipeline } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamFilter } from '../contract/stream-filter.ts';
import { armStream } from './deadlines.ts';
import { countCall } from './log.ts';
import type { StreamProxy } from './proxy.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** As many as a burst may need; 160 bytes each. */
const keptCalls = 8192;

/** Calls whose stream is not needed before their answer. See ParkedCall. */
export class ParkingLot implements ParkingCore {
  readonly #proxy: StreamProxy;
  readonly #pool: ParkedCall[] = [];
  readonly #waiting: WaitingCalls;
  /** The chain that was asked for last, and its filters that may look at answers. */
  #chain: FilterChain | null = null;
  #answering: readonly StreamFilter[] = [];

  constructor(proxy: StreamProxy) {
    this.#proxy = proxy;
    this.#waiting = new WaitingCalls(proxy);
  }

  /** The request has left as it came: gives the stream back where nothing asks for it before the answer. */
  tryPark(s: Stream): boolean {
    const { down, phase } = s;
    if (phase !== Phase.awaitUpstream || !isParkingServer(down)) return false;
    if (!isPlain(s.pipeline as Pipeline, s.route as Route, s) || !this.#passesFilters(s)) return false;
    if (this.#proxy.live !== null || channels.streamEnd.hasSubscribers) return false;
    const up = s.up as ParkingClient;
    const call = this.acquire();
    const { req } = s;
    call.down = down;
    call.downId = s.downId;
    call.up = up;
    call.upId = s.upId;
    call.way = wayOf(s, req.buf, req.start, req.end);
    call.host = s.host;
    call.requestBytes = s.requestBytes;
    call.startMs = s.startMs;
    call.reused = s.reused;
    if (s.wheelSlot >= 0) this.#proxy.context.wheel.disarm(s);
    if (!up.isWatched) this.#waiting.watch(up);
    down.park(s, call);
    up.park(s, call);
    if (s.flowHash === 0 || !this.#proxy.repeater.learn(s)) this.#proxy.release(s);
    return true;
  }

  acquire(): ParkedCall {
    return this.#pool.pop() ?? new ParkedCall(this);
  }

  /** Watches the limits of the calls that wait at `up`. */
  watch(up: ParkingClient): void {
    this.#waiting.watch(up);
  }

  answered(
    call: ParkedCall,
    buf: Buffer,
    start: number,
    end: number,
    status: number,
    bodyBytes: number,
  ): void {
    const proxy = this.#proxy;
    const { cluster, pipeline } = call.way as CallWay;
    const host = call.host as Host;
    const down = call.down;
    const durationMs = proxy.context.clock.now() - call.startMs;
    cluster.report(host, status, 0, durationMs);
    cluster.release(host);
    countCall(proxy, pipeline, cluster, status, call.requestBytes, bodyBytes, durationMs);
    proxy.active--;
    if (down !== null && isParkingServer(down)) down.sendParked(call, buf, start, end);
    this.#over(call);
  }

  unpark(call: ParkedCall): Stream {
    const s = this.#proxy.acquire();
    s.down = call.down;
    s.downId = call.downId;
    s.up = call.up;
    s.upId = call.upId;
    const way = call.way as CallWay;
    s.pipeline = way.pipeline;
    s.route = way.route;
    s.cluster = way.cluster;
    s.host = call.host;
    s.holdsHost = s.isRouted = s.requestDone = s.requestSent = true;
    s.requestOwned = s.responseOwned = s.requestBody.isLost = true;
    s.tries = 1;
    s.reused = call.reused;
    s.phase = Phase.awaitUpstream;
    s.requestBytes = call.requestBytes;
    s.startMs = s.requestDoneMs = s.tryStartMs = s.lastActivityMs = call.startMs;
    s.startWallMs = call.startMs + this.#proxy.wallOffsetMs;
    s.routeDeadlineMs = way.limitMs > 0 ? call.startMs + way.limitMs : 0;
    s.idleTimeoutMs = way.idleTimeoutMs;
    call.down?.unpark(call, s);
    call.up?.unpark(call, s);
    armStream(this.#proxy.context.wheel, s);
    this.#over(call);
    return s;
  }

  /** Do all filters say that they have nothing to do with the answer? */
  #passesFilters(s: Stream): boolean {
    const chain = (s.pipeline as Pipeline).filters;
    if (this.#chain !== chain) {
      this.#chain = chain;
      const { responseHead, responseBody, responseTrailers, streamEnd } = chain;
      this.#answering = [...new Set([...responseHead, ...responseBody, ...responseTrailers, ...streamEnd])];
    }
    const filters = this.#answering;
    for (let i = 0; i < filters.length; i++) {
      const filter = filters[i] as StreamFilter;
      if (filter.passesAnswer === undefined || !filter.passesAnswer(s)) return false;
    }
    return true;
  }

  #over(call: ParkedCall): void {
    call.down = call.up = call.way = call.host = null;
    if (this.#pool.length < keptCalls) this.#pool.push(call);
  }
}

/** @param buf the request's frame is `buf[start, end)` */
export function wayOf(s: Stream, buf: Buffer, start: number, end: number): CallWay {
  return {
    pipeline: s.pipeline as Pipeline,
    route: s.route as Route,
    cluster: s.cluster as Cluster,
    buf,
    start,
    end,
    // Whole as limits are configured: the difference of two times is not.
    limitMs: s.routeDeadlineMs > 0 ? Math.max(1, Math.round(s.routeDeadlineMs - s.startMs)) : 0,
    idleTimeoutMs: s.idleTimeoutMs,
  };
}

/** Does the pipeline do nothing with the answer, and would nothing of the request be needed again? */
function isPlain(pipeline: Pipeline, route: Route, s: Stream): boolean {
  if (pipeline.accessLogs.length > 0 || pipeline.tracer !== null) return false;
  if (route.retry !== null || route.responseHeaders !== null || s.target !== null) return false;
  return (
    route.mirrors === null && route.hedge === null && route.internalRedirect === null && s.policy === null
  );
}
