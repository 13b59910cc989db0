import { Code, factsOf } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { FlowTable, RepeatingServer } from '../../../core/contract/flow.ts';
import { type CallWay, ParkedCall } from '../../../core/contract/parked-call.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Peer, Wire } from '../../../core/contract/wire.ts';
import type { FramedConfig } from './config.ts';
import type { FlowKeys } from './flow-keys.ts';
import { ReceivedTable } from './in-flight.ts';
import { type FramedProtocol, FrameKind, type ReadContext } from './protocol.ts';
import { FramedStreamEnd } from './stream-end.ts';

/** Answer of `#repeat` that is no hash. */
const repeated = 0x1_0000_0000;

/** The downstream side of one connection of any framed protocol: answers leave in the order in which they are ready. */
export class FramedServer extends FramedStreamEnd implements ServerCodec, RepeatingServer {
  protected readonly mayPark = false;
  readonly #owner: ServerOwner;
  readonly #received = new ReceivedTable();
  readonly flows: FlowTable | null;
  #peerOfWire: Peer | null = null;
  #isPaused = false;
  #context: ReadContext;

  constructor(
    wire: Wire,
    context: CodecContext,
    owner: ServerOwner,
    protocol: FramedProtocol,
    config: FramedConfig,
  ) {
    super(wire, context, protocol, config);
    this.#owner = owner;
    this.#context = { names: context.names, limits: owner.limits };
    const { repeater } = context.sink;
    this.flows = repeater === undefined || protocol.flowKeys === undefined ? null : repeater.flowsOf(owner);
    wire.attach(this);
    if (config.idleTimeoutMs > 0) this.armBy(this.lastReadMs + config.idleTimeoutMs);
  }

  get active(): number {
    return this.#received.size;
  }

  /** What reading a request depends on; made anew when a reload changed the limits. */
  #reading(): ReadContext {
    const { limits } = this.#owner;
    if (this.#context.limits !== limits) this.#context = { names: this.context.names, limits };
    return this.#context;
  }

  onFrame(buf: Buffer, start: number, end: number): boolean {
    const kind = this.protocol.kindOf(buf, start, end);
    if (kind === FrameKind.request || kind === FrameKind.oneWay) {
      const hash = kind === FrameKind.request ? this.#repeat(buf, start, end) : 0;
      if (hash === repeated) return this.#goesOn();
      const s = this.#begin(buf, start, end);
      if (s === null) return false;
      if (hash !== 0 && (this.protocol.flowKeys as FlowKeys).isWhole(s.req)) s.flowHash = hash;
      const { bodyStart, bodyEnd } = s.req;
      this.context.sink.requestHead(s, bodyEnd > bodyStart ? buf : null, bodyStart, bodyEnd, true);
      return this.#goesOn();
    }
    return this.#control(kind, buf, start, end);
  }

  /** @returns `repeated`: it was a call of a flow; else the hash under which it is to begin one, 0: it is not */
  #repeat(buf: Buffer, start: number, end: number): number {
    const { flows } = this;
    const owner = this.#owner;
    if (flows === null || !flows.isOpen(owner)) return 0;
    const keys = this.protocol.flowKeys as FlowKeys;
    const sizeBytes = keys.headBytesOf(buf, start);
    if (sizeBytes === 0) return 0;
    const { maxBodyBytes } = owner.limits;
    if (maxBodyBytes > 0 && end - start - sizeBytes > maxBodyBytes) return 0;
    const view = flows.viewOf(buf);
    const hash = keys.hashOf(view, start, sizeBytes);
    const flow = flows.find(hash, view, start, sizeBytes, keys.isSame);
    if (flow === null) return flows.wantsFlow(hash) ? hash : 0;
    const { repeater } = this.context.sink;
    return repeater?.repeat(flow, this, buf, start, start + sizeBytes, end) === true ? repeated : 0;
  }

  override onBytes(buf: Buffer, start: number, end: number): void {
    super.onBytes(buf, start, end);
    this.flows?.dropView();
  }

  get remote(): Peer | null {
    this.#peerOfWire ??= this.wire.peer;
    return this.#peerOfWire;
  }

  take(call: ParkedCall, buf: Buffer, start: number, end: number): void {
    const { protocol } = this;
    call.down = this;
    this.#received.add(call, protocol.idOf(buf, start, end), protocol.idHighOf(buf, start, end));
  }

  adopt(s: Stream, buf: Buffer, start: number, end: number): void {
    const { protocol } = this;
    if (!(s.req.isEdited || s.req.authorityChanged || s.req.pathChanged)) {
      s.req.reset();
      protocol.readRequest(s.req, buf, start, end, this.#reading());
    }
    this.#received.add(s, protocol.idOf(buf, start, end), protocol.idHighOf(buf, start, end));
    s.down = this;
  }

  onLargeFrame(head: Buffer, body: readonly Buffer[], _sizeBytes: number): boolean {
    const kind = this.protocol.kindOf(head, 0, head.length);
    if (kind !== FrameKind.request && kind !== FrameKind.oneWay)
      return this.#control(kind, head, 0, head.length);
    const s = this.#begin(head, 0, head.length);
    if (s === null) return false;
    const { sink } = this.context;
    const { gen } = s;
    const last = body.length - 1;
    const first = body[0] as Buffer;
    sink.requestHead(s, first, 0, first.length, last === 0);
    for (let i = 1; i <= last && s.gen === gen && this.#received.has(s); i++) {
      const view = body[i] as Buffer;
      sink.requestData(s, view, 0, view.length, i === last);
    }
    return this.#goesOn();
  }

  /** Takes a request in. Null: it was refused and the connection is over. */
  #begin(buf: Buffer, start: number, end: number): Stream | null {
    const { sink, clock } = this.context;
    const protocol = this.protocol;
    const s = sink.acquire();
    const code = protocol.readRequest(s.req, buf, start, end, this.#reading());
    if (code !== Code.none) {
      sink.release(s);
      this.#refuse(code, 'a request that cannot be read');
      return null;
    }
    this.#received.add(s, protocol.idOf(buf, start, end), protocol.idHighOf(buf, start, end));
    s.down = this;
    s.peer = this.remote;
    s.protocol = protocol.name;
    s.pipeline = this.#owner.pipeline;
    s.requestOwned = true;
    s.mayPark = true;
    // The caller's own limit counts before the route's, as in MOSN; the stream's idle limit bounds both.
    if (s.req.timeoutMs > 0) s.routeDeadlineMs = clock.now() + s.req.timeoutMs;
    return s;
  }

  #goesOn(): boolean {
    if (this.#received.size >= this.config.maxConcurrent) this.#pause();
    return this.goesOn && !this.isEnding;
  }

  #control(kind: FrameKind, buf: Buffer, start: number, end: number): boolean {
    switch (kind) {
      case FrameKind.heartbeat: {
        const said = this.protocol.announcementOf(buf, start, end);
        if (said !== null) this.peer = said;
        const own = said === null ? null : { idleLimitMs: this.config.idleTimeoutMs };
        const answer = this.protocol.heartbeatAck(buf, start, end, own);
        if (answer !== null) this.put(answer, 0, answer.length);
        return true;
      }
      case FrameKind.heartbeatAck:
      case FrameKind.goAway:
      case FrameKind.ignored:
        return true;
      default:
        this.#refuse(Code.downstreamProtocol, 'a frame that no client sends');
        return false;
    }
  }

  onBadFrame(isTooLarge: boolean): void {
    if (isTooLarge) this.#refuse(Code.payloadTooLarge, `a frame above ${this.config.maxFrameBytes} bytes`);
    else this.#refuse(Code.downstreamProtocol, 'malformed or unfinished frame');
  }

  #refuse(code: number, detail: string): void {
    this.#owner.protocolError(code, detail);
    this.breakOff(code);
  }

  /** A client with too many requests in progress is not read until half of them are answered. */
  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.wire.pause();
  }

  protected has(s: Stream): boolean {
    return this.#received.has(s);
  }

  protected isOwned(s: Stream): boolean {
    return s.responseOwned;
  }

  protected sendMessage(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number): boolean {
    if (!s.req.oneWay && !this.putMessage(s, head, buf, a, b)) return true;
    this.sent(s);
    return true;
  }

  protected encode(s: Stream, head: HeadView, body: Buffer): Buffer | number {
    return this.protocol.encodeResponse(
      head,
      body,
      s.req,
      this.#received.idOf(s),
      this.#received.idHighOf(s),
    );
  }

  protected setId(s: Stream, buf: Buffer, start: number, end: number): Buffer | null {
    return this.protocol.setId(buf, start, end, this.#received.idOf(s), this.#received.idHighOf(s));
  }

  /** An answer that the protocol cannot hold becomes a failure that it can. */
  protected cannotSend(s: Stream, code: number): void {
    this.#putFailure(s, code === Code.none ? Code.bufferOverflow : code);
    this.sent(s);
  }

  protected sent(s: Stream): void {
    this.#received.remove(s);
    this.#settle();
  }

  park(s: Stream, call: ParkedCall): void {
    this.#received.replace(s, call);
  }

  unpark(call: ParkedCall, s: Stream): void {
    this.#received.replace(call, s);
    s.protocol = this.protocol.name;
    s.peer = this.remote;
    const { buf, start, end } = call.way as CallWay;
    this.protocol.readRequest(s.req, buf, start, end, this.#reading());
  }

  sendParked(call: ParkedCall, buf: Buffer, start: number, end: number): void {
    const received = this.#received;
    if (!received.has(call)) return;
    const id = received.idOf(call);
    const frame = this.protocol.setId(buf, start, end, id, received.idHighOf(call));
    if (frame === null) this.put(buf, start, end);
    else this.put(frame, 0, frame.length);
    received.remove(call);
    this.#settle();
  }

  reset(s: Stream, code: number): void {
    if (!this.#received.has(s)) return;
    this.forget(s);
    this.#putFailure(s, code);
    this.#received.remove(s);
    this.#settle();
  }

  /** A frame cannot be taken back, and silence would cost the caller its whole timeout. */
  #putFailure(s: Stream, code: number): void {
    if (s.req.oneWay) return;
    const facts = factsOf(code);
    const id = this.#received.idOf(s);
    const idHigh = this.#received.idHighOf(s);
    const status = facts.status === 0 ? 502 : facts.status;
    const frame = this.protocol.encodeFailure(status, facts.name, s.req, id, idHigh);
    this.put(frame, 0, frame.length);
  }

  #settle(): void {
    const active = this.#received.size;
    if (this.#isPaused && active * 2 <= this.config.maxConcurrent) {
      this.#isPaused = false;
      this.wire.resume();
    }
    if (active > 0) return;
    if (this.isDraining) this.endWhenFlushed();
    else this.#owner.idle(this);
  }

  drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    const notice = this.protocol.goAway(this.peer !== null, 0);
    if (notice !== null) this.put(notice, 0, notice.length);
    if (this.#received.size === 0) this.endWhenFlushed();
  }

  onDrain(): void {}

  /** Who sends FIN with calls in progress is gone: these protocols have no use for half a connection. */
  onEnd(): void {
    this.isDraining = true;
    if (this.#received.size === 0) this.endWhenFlushed();
    else this.breakOff(Code.downstreamClosed);
  }

  onClose(code: number): void {
    this.closed();
    const open = this.#received.takeAll();
    const reason = code === Code.none ? Code.downstreamClosed : code;
    for (const call of open) {
      const s = call instanceof ParkedCall ? call.core.unpark(call) : call;
      this.context.sink.downstreamReset(s, reason);
    }
    this.#owner.closed(this);
  }

  protected overflow(): void {
    this.#refuse(Code.bufferOverflow, `a reader that left ${this.config.maxQueuedBytes} bytes waiting`);
  }

  protected idleFor(nowMs: number): void {
    const limit = this.config.idleTimeoutMs;
    if (limit === 0) return;
    const due = this.lastReadMs + limit;
    if (due > nowMs) this.armBy(due);
    else if (this.#received.size > 0) this.armBy(nowMs + limit);
    else this.endWhenFlushed();
  }

  protected exportData(): object {
    return {};
  }

  protected importData(): void {}
}
