import { channels } from '../base/channels.ts';
import type { Cluster } from '../contract/cluster.ts';
import {
  Flow,
  type FlowCheck,
  type FlowOwner,
  type FlowPlan,
  type FlowSink,
  type FlowTable as Flows,
  type RepeatingServer,
} from '../contract/flow.ts';
import { isParkingClient, type ParkingClient } from '../contract/parked-call.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { takeUpstream } from './attempt.ts';
import { armStream } from './deadlines.ts';
import { FlowTable, maxHeadBytes } from './flow-table.ts';
import { failStream } from './local-reply.ts';
import type { ParkingLot } from './parking.ts';
import type { StreamProxy } from './proxy.ts';
import { holdFirst } from './request-body.ts';

/** Calls with heads that came before. See Flow. */
export class Repeater implements FlowSink {
  readonly #proxy: StreamProxy;
  readonly #parking: ParkingLot;
  readonly #tables = new WeakMap<FlowOwner, FlowTable>();

  constructor(proxy: StreamProxy, parking: ParkingLot) {
    this.#proxy = proxy;
    this.#parking = parking;
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
    const plan = isRepeatable(s, route as Route) ? planOf(s, pipeline) : null;
    if (plan === null || !flows.hasRoom(s.flowHash)) return false;
    const head = Buffer.allocUnsafeSlow(sizeBytes);
    req.buf.copy(head, 0, req.start, req.bodyStart);
    req.rebase(head, -req.start);
    req.end = req.bodyEnd = sizeBytes;
    const limitMs = req.timeoutMs > 0 ? req.timeoutMs : (route as Route).timeoutMs;
    atRest(s);
    flows.add(new Flow(s, head, limitMs, plan));
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
    const s = flow.stream;
    const cluster = s.cluster as Cluster;
    if (!this.#isUsual(s, cluster)) return false;
    s.startMs = proxy.context.clock.now();
    s.peer = down.remote;
    s.requestBytes = s.req.contentLength = end - bodyStart;
    proxy.active++;
    const { checks, counts } = flow.plan;
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i] as FlowCheck;
      if (check.passes(s)) continue;
      // The filter that objects sees the call as any other.
      this.#count(counts, check.countsBefore);
      this.#depart(flow, Phase.filterAfterRoute, down, buf, start, bodyStart, end);
      s.filterIndex = check.index;
      this.#goOn(s);
      return true;
    }
    this.#count(counts, counts.length);
    const host = cluster.chooseHost(s);
    if (typeof host === 'number') {
      this.#depart(flow, Phase.chooseHost, down, buf, start, bodyStart, end);
      failStream(proxy, s, host);
      return true;
    }
    s.host = host;
    const up = host.upstream.open(s);
    if (typeof up !== 'number' && isParkingClient(up) && up.framing === s.req.framing)
      this.#send(flow, down, up, buf, start, end);
    else {
      s.holdsHost = true;
      s.tries = 1;
      s.tryStartMs = s.startMs;
      this.#depart(flow, Phase.awaitUpstream, down, buf, start, bodyStart, end);
      this.#goElsewhere(s, up);
    }
    return true;
  }

  /** Nobody looks on, and the cluster is still the one. */
  #isUsual(s: Stream, cluster: Cluster): boolean {
    const { live, context } = this.#proxy;
    if (live !== null || context.budget.isExhausted) return false;
    if (channels.streamStart.hasSubscribers || channels.streamEnd.hasSubscribers) return false;
    if (channels.streamTry.hasSubscribers) return false;
    const { action } = s.route as Route;
    return action.kind === 'forward' && action.cluster.current === cluster;
  }

  #count(slots: Int32Array, count: number): void {
    const { values } = this.#proxy.context.metrics;
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number;
      values[slot] = (values[slot] as number) + 1;
    }
  }

  #send(flow: Flow, down: RepeatingServer, up: ParkingClient, buf: Buffer, start: number, end: number): void {
    const s = flow.stream;
    const { startMs } = s;
    const call = this.#parking.acquire();
    down.take(call, buf, start, end);
    call.up = up;
    call.upId = s.upId;
    call.pipeline = s.pipeline;
    call.route = s.route;
    call.cluster = s.cluster;
    call.host = s.host;
    const { req } = s;
    call.buf = req.buf;
    call.start = req.start;
    call.end = req.end;
    call.requestBytes = s.requestBytes;
    call.startMs = startMs;
    call.routeDeadlineMs = flow.limitMs > 0 ? startMs + flow.limitMs : 0;
    call.idleTimeoutMs = s.idleTimeoutMs;
    call.reused = s.reused;
    call.dueMs = dueMs(flow.limitMs, s.idleTimeoutMs, startMs);
    up.sendRepeated(s, call, buf, start, end);
    this.#parking.add(call);
    s.up = s.host = null;
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
  ): void {
    const s = flow.stream;
    (down.flows as FlowTable).forget(flow);
    this.#proxy.number(s);
    down.adopt(s, buf, start, end);
    s.phase = phase;
    s.mayPark = false;
    s.lastActivityMs = s.requestDoneMs = s.startMs;
    s.startWallMs = s.startMs + this.#proxy.wallOffsetMs;
    s.routeDeadlineMs = flow.limitMs > 0 ? s.startMs + flow.limitMs : 0;
    if (end > bodyStart) {
      s.firstBuf = buf;
      s.firstStart = bodyStart;
      s.firstEnd = end;
    }
  }

  /** As after the phase functions of `requestHead`. */
  #goOn(s: Stream): void {
    const gen = s.gen;
    this.#proxy.advance(s);
    this.#settle(s, gen);
  }

  #goElsewhere(s: Stream, end: StreamEnd | number): void {
    const gen = s.gen;
    takeUpstream(this.#proxy, s, end);
    this.#settle(s, gen);
  }

  #settle(s: Stream, gen: number): void {
    if (s.gen !== gen) return;
    if (s.firstBuf !== null) holdFirst(s);
    armStream(this.#proxy.context.wheel, s);
  }
}

/** The nearest of two limits; 0 = none. */
function dueMs(limitMs: number, idleMs: number, startMs: number): number {
  if (limitMs === 0) return idleMs === 0 ? 0 : startMs + idleMs;
  return startMs + (idleMs === 0 || limitMs < idleMs ? limitMs : idleMs);
}

/** The stream stands where the next call begins: nothing of the first one is on it but its head and its way. */
function atRest(s: Stream): void {
  s.down = s.up = s.host = s.peer = null;
  s.holdsHost = s.requestSent = s.responseOwned = s.reused = s.isVerbatim = false;
  s.tries = s.routeDeadlineMs = s.filterIndex = 0;
  s.requestBody.clear();
}

/** Would other calls with this head go the same way, whoever sends them and whenever? */
function isRepeatable(s: Stream, route: Route): boolean {
  if (route.action.kind !== 'forward' || route.requestHeaders !== null || route.rewrite !== null)
    return false;
  return s.rechoices === 0 && s.tries === 1 && s.triedHosts === null && !s.req.isEdited && s.flags === '';
}

/** Can any call of this pipeline be repeated? */
function mayRepeat({ router, filters }: Pipeline): boolean {
  if (router.isByHead !== true || filters.beforeRoute.length + filters.afterHost.length > 0) return false;
  return filters.all.every(({ filter }) => filter.planRepeat !== undefined);
}

/** What is left of the filters when the head is known; null: one of them has to see each call. */
function planOf(s: Stream, { filters, slots }: Pipeline): FlowPlan | null {
  const counts = [slots.requests, slots.active];
  const checks: FlowCheck[] = [];
  for (const { filter } of filters.all) {
    const plan = filter.planRepeat?.(s) ?? null;
    if (plan === null) return null;
    const index = filters.afterRoute.indexOf(filter);
    if (plan.passes !== null) checks.push({ index, countsBefore: counts.length, passes: plan.passes });
    counts.push(...plan.counts);
  }
  return { counts: Int32Array.from(counts), checks };
}
