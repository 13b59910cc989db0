import { channels } from '../base/channels.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import {
  Flow,
  type FlowCheck,
  type FlowOwner,
  type FlowSink,
  type FlowTable as Flows,
  type RepeatingServer,
} from '../contract/flow.ts';
import { isParkingClient, type ParkingClient } from '../contract/parked-call.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import { Stream } from '../contract/stream.ts';
import type { RepeatedCall } from '../contract/stream-filter.ts';
import { takeUpstream } from './attempt.ts';
import { armStream } from './deadlines.ts';
import { FlowPlans, isRepeatable, mayRepeat } from './flow-plan.ts';
import { FlowTable, maxHeadBytes } from './flow-table.ts';
import { failStream } from './local-reply.ts';
import { type ParkingLot, wayOf } from './parking.ts';
import type { StreamProxy } from './proxy.ts';
import { holdFirst } from './request-body.ts';

/** Calls with heads that came before. See Flow. */
export class Repeater implements FlowSink {
  readonly #proxy: StreamProxy;
  readonly #parking: ParkingLot;
  readonly #tables = new WeakMap<FlowOwner, FlowTable>();
  /** The call that is looked at. One object for all: it stays in the cache. */
  readonly #call: { -readonly [Key in keyof RepeatedCall]: RepeatedCall[Key] };
  readonly #plans = new FlowPlans();

  constructor(proxy: StreamProxy, parking: ParkingLot) {
    this.#proxy = proxy;
    this.#parking = parking;
    // A time with a fraction: the field holds doubles from the beginning.
    this.#call = {
      stream: new Stream(proxy),
      peer: null,
      startMs: 0.5,
      contentBytes: 0,
    };
  }

  flowsOf(owner: FlowOwner): Flows {
    let table = this.#tables.get(owner);
    if (table === undefined) {
      table = new FlowTable((flow) => this.#proxy.release(flow.stream));
      this.#tables.set(owner, table);
    }
    return table;
  }

  /** `s` was parked: keeps it as a flow where calls with its head would all go the same way. */
  learn(s: Stream): boolean {
    const { flows } = s.down as RepeatingServer;
    const { req, route } = s;
    const sizeBytes = req.bodyStart - req.start;
    if (!(flows instanceof FlowTable) || sizeBytes > maxHeadBytes) return false;
    const pipeline = s.pipeline as Pipeline;
    if (!mayRepeat(pipeline)) {
      flows.close();
      return false;
    }
    const plan = isRepeatable(s, route as Route) ? this.#plans.of(s, pipeline) : null;
    if (plan === null || !flows.hasRoom(s.flowHash)) return false;
    const head = Buffer.allocUnsafeSlow(sizeBytes);
    req.buf.copy(head, 0, req.start, req.bodyStart);
    req.rebase(head, -req.start);
    req.end = req.bodyEnd = sizeBytes;
    const way = wayOf(s, head, 0, sizeBytes);
    atRest(s);
    flows.add(new Flow(s, way, plan));
    return true;
  }

  repeat(
    flow: Flow,
    down: RepeatingServer,
    buf: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): boolean {
    const proxy = this.#proxy;
    const { cluster, route } = flow.way;
    const { action } = route;
    if (this.#isWatched() || action.kind !== 'forward' || action.cluster.current !== cluster) return false;
    const call = this.#call;
    call.stream = flow.stream;
    call.peer = down.remote;
    call.startMs = proxy.context.clock.now();
    call.contentBytes = end - bodyStart;
    proxy.active++;
    const { checks, counts } = flow.plan;
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i] as FlowCheck;
      if (check.passes(call)) continue;
      // The filter that objects sees the call as any other.
      this.#count(counts, check.countsBefore);
      const s = this.#depart(flow, Phase.filterAfterRoute, down, buf, start, bodyStart, end);
      s.filterIndex = check.index;
      this.#goOn(s);
      return true;
    }
    this.#count(counts, counts.length);
    this.#choose(flow, cluster, down, buf, start, bodyStart, end);
    return true;
  }

  #choose(
    flow: Flow,
    cluster: Cluster,
    down: RepeatingServer,
    buf: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): void {
    const s = flow.stream;
    const host = cluster.chooseHost(s);
    if (typeof host === 'number') {
      this.#depart(flow, Phase.chooseHost, down, buf, start, bodyStart, end);
      failStream(this.#proxy, s, host);
      return;
    }
    const up = host.upstream.open(s);
    if (typeof up !== 'number' && isParkingClient(up) && up.framing === s.req.framing) {
      this.#send(flow, host, down, up, buf, start, end);
      return;
    }
    this.#depart(flow, Phase.awaitUpstream, down, buf, start, bodyStart, end);
    s.host = host;
    s.holdsHost = true;
    s.tries = 1;
    s.tryStartMs = s.startMs;
    const { gen } = s;
    takeUpstream(this.#proxy, s, up);
    this.#settle(s, gen);
  }

  /** Is there somebody who wants to see every stream, or no room for one? */
  #isWatched(): boolean {
    const { live, context } = this.#proxy;
    if (live !== null || context.budget.isExhausted) return true;
    return (
      channels.streamStart.hasSubscribers ||
      channels.streamTry.hasSubscribers ||
      channels.streamEnd.hasSubscribers
    );
  }

  #count(slots: Int32Array, count: number): void {
    const { values } = this.#proxy.context.metrics;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      values[slot] = (values[slot] as number) + 1;
    }
  }

  #send(
    flow: Flow,
    host: Host,
    down: RepeatingServer,
    up: ParkingClient,
    buf: Buffer,
    start: number,
    end: number,
  ): void {
    const s = flow.stream;
    const call = this.#parking.acquire();
    down.take(call, buf, start, end);
    call.up = up;
    call.upId = s.upId;
    call.way = flow.way;
    call.host = host;
    call.requestBytes = this.#call.contentBytes;
    call.startMs = this.#call.startMs;
    call.reused = s.reused;
    if (!up.isWatched) this.#parking.watch(up);
    up.sendRepeated(s, call, buf, start, end);
    s.up = null;
  }

  /** The call leaves its flow: the stream is its own from now on, and another one is made for the flow. */
  #depart(
    flow: Flow,
    phase: Phase,
    down: RepeatingServer,
    buf: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): Stream {
    const s = flow.stream;
    const { limitMs } = flow.way;
    const { peer, startMs, contentBytes } = this.#call;
    (down.flows as FlowTable).forget(flow);
    this.#proxy.number(s);
    s.peer = peer;
    s.startMs = s.lastActivityMs = s.requestDoneMs = startMs;
    s.startWallMs = startMs + this.#proxy.wallOffsetMs;
    s.routeDeadlineMs = limitMs > 0 ? startMs + limitMs : 0;
    s.requestBytes = s.req.contentLength = contentBytes;
    s.phase = phase;
    s.mayPark = false;
    down.adopt(s, buf, start, end);
    if (end > bodyStart) {
      s.firstBuf = buf;
      s.firstStart = bodyStart;
      s.firstEnd = end;
    }
    return s;
  }

  /** As after the phase functions of `requestHead`. */
  #goOn(s: Stream): void {
    const gen = s.gen;
    this.#proxy.advance(s);
    this.#settle(s, gen);
  }

  #settle(s: Stream, gen: number): void {
    if (s.gen !== gen) return;
    if (s.firstBuf !== null) holdFirst(s);
    armStream(this.#proxy.context.wheel, s);
  }
}

/** The stream stands where the next call begins: nothing of the first one is on it but its head and its way. */
function atRest(s: Stream): void {
  s.down = s.up = s.host = s.peer = null;
  s.holdsHost = s.requestSent = s.responseOwned = s.reused = s.isVerbatim = false;
  s.tries = s.routeDeadlineMs = s.filterIndex = 0;
  s.requestBody.clear();
}
