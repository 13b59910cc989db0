import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext } from '../../../core/contract/codec.ts';
import { ParkedCall, type ParkingClient } from '../../../core/contract/parked-call.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { FramedConfig } from './config.ts';
import { type InFlight, SentTable } from './in-flight.ts';
import { type FramedProtocol, FrameKind } from './protocol.ts';
import { FramedStreamEnd } from './stream-end.ts';

/** The upstream side of one connection of any framed protocol: many requests in progress, told apart by our own ids. */
export class FramedClient extends FramedStreamEnd implements ClientCodec, ParkingClient {
  served = 0;
  diedBusy = false;
  readonly framing: object | null;
  isWatched = false;
  protected readonly mayPark: boolean;
  readonly #owner: ClientOwner;
  readonly #sent = new SentTable();

  constructor(
    wire: Wire,
    context: CodecContext,
    owner: ClientOwner,
    protocol: FramedProtocol,
    config: FramedConfig,
  ) {
    super(wire, context, protocol, config);
    this.#owner = owner;
    this.mayPark = protocol.quickStatusOf !== undefined;
    this.framing = this.mayPark ? protocol : null;
    wire.attach(this);
  }

  get active(): number {
    return this.#sent.size;
  }

  get room(): number {
    if (this.isDraining || !this.goesOn) return 0;
    if (this.out.sizeBytes > this.config.maxQueuedBytes) return 0;
    return this.config.maxConcurrent - this.#sent.size;
  }

  /** What the peer said about itself; null: an ordinary peer. */
  get peerIdleLimitMs(): number {
    return this.peer === null ? 0 : this.peer.idleLimitMs;
  }

  bind(s: Stream): void {
    s.up = this;
    this.#sent.add(s);
    s.responseOwned = true;
    s.reused = this.served > 0;
    this.served++;
  }

  protected has(s: Stream): boolean {
    return this.#sent.has(s);
  }

  protected isOwned(s: Stream): boolean {
    return s.requestOwned;
  }

  protected sendMessage(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number): boolean {
    if (!this.putMessage(s, head, buf, a, b)) return true;
    this.sent(s);
    return true;
  }

  protected encode(s: Stream, head: HeadView, body: Buffer): Buffer | number {
    return this.protocol.encodeRequest(head, body, s.upId, 0);
  }

  protected setId(s: Stream, buf: Buffer, start: number, end: number): Buffer | null {
    return this.protocol.setId(buf, start, end, s.upId, 0);
  }

  protected cannotSend(s: Stream, code: number): void {
    this.#drop(s);
    this.context.sink.upstreamReset(s, code === Code.none ? Code.payloadTooLarge : code);
  }

  /** Nobody answers a one-way request: it is over when it is sent. */
  protected sent(s: Stream): void {
    if (!s.req.oneWay) return;
    s.res.reset();
    s.res.status = 200;
    s.res.exactNames = true;
    this.#drop(s);
    this.context.sink.responseHead(s, null, 0, 0, true);
  }

  reset(s: Stream, _code: number): void {
    this.forget(s);
    if (this.#sent.has(s)) this.#drop(s);
  }

  /** The place of `s` is free; told before its last event. */
  #drop(s: Stream): void {
    this.#sent.remove(s);
    this.#roomIsFree();
  }

  #roomIsFree(): void {
    if (!this.isDraining) this.#owner.room(this);
    else if (this.#sent.size === 0) this.endWhenFlushed();
  }

  onFrame(buf: Buffer, start: number, end: number): boolean {
    const kind = this.protocol.kindOf(buf, start, end);
    if (kind !== FrameKind.response) return this.#control(kind, buf, start, end);
    const call = this.#waiting(buf, start, end);
    if (call instanceof ParkedCall) {
      this.#roomIsFree();
      const { protocol } = this;
      const status = protocol.quickStatusOf?.(buf, start, end) ?? 0;
      call.core.answered(call, buf, start, end, status, protocol.bodyBytesOf?.(buf, start, end) ?? 0);
      return this.goesOn;
    }
    if (call === null || !this.#readAnswer(call, buf, start, end)) return this.goesOn;
    const s = call;
    const { bodyStart, bodyEnd } = s.res;
    this.context.sink.responseHead(s, bodyEnd > bodyStart ? buf : null, bodyStart, bodyEnd, true);
    return this.goesOn;
  }

  onLargeFrame(head: Buffer, body: readonly Buffer[], _sizeBytes: number): boolean {
    const kind = this.protocol.kindOf(head, 0, head.length);
    if (kind !== FrameKind.response) return this.#control(kind, head, 0, head.length);
    const call = this.#waiting(head, 0, head.length);
    const s = call instanceof ParkedCall ? call.core.unpark(call) : call;
    if (s === null || !this.#readAnswer(s, head, 0, head.length)) return this.goesOn;
    const { sink } = this.context;
    const { gen } = s;
    const last = body.length - 1;
    const first = body[0] as Buffer;
    sink.responseHead(s, first, 0, first.length, last === 0);
    for (let i = 1; i <= last && s.gen === gen; i++) {
      const view = body[i] as Buffer;
      sink.responseData(s, view, 0, view.length, i === last);
    }
    return this.goesOn;
  }

  /** Whom this frame answers; null: nobody waits for it. */
  #waiting(buf: Buffer, start: number, end: number): InFlight | null {
    const id = this.protocol.idOf(buf, start, end);
    const call = this.#sent.take(id);
    // Most likely the answer to a call that timed out here.
    if (call === null && !this.#sent.hasGiven(id)) this.breakOff(Code.upstreamProtocol);
    return call;
  }

  /** False: it cannot be read, the stream is reset and the connection gone. */
  #readAnswer(s: Stream, buf: Buffer, start: number, end: number): boolean {
    const code = this.protocol.readResponse(s.res, buf, start, end);
    if (code === Code.none) {
      this.#roomIsFree();
      return true;
    }
    this.context.sink.upstreamReset(s, Code.upstreamProtocol);
    this.breakOff(Code.upstreamProtocol);
    return false;
  }

  park(s: Stream, call: ParkedCall): void {
    this.#sent.replace(s, call);
  }

  sendRepeated(s: Stream, call: ParkedCall, buf: Buffer, start: number, end: number): void {
    const frame = this.protocol.setId(buf, start, end, s.upId, 0);
    if (frame === null) this.put(buf, start, end);
    else this.put(frame, 0, frame.length);
    this.#sent.replace(s, call);
  }

  visitParked(visit: (call: ParkedCall) => void): void {
    this.#sent.visit((call) => {
      if (call instanceof ParkedCall) visit(call);
    });
  }

  unpark(call: ParkedCall, s: Stream): void {
    this.#sent.replace(call, s);
  }

  #control(kind: FrameKind, buf: Buffer, start: number, end: number): boolean {
    switch (kind) {
      case FrameKind.heartbeatAck:
        this.peer = this.protocol.announcementOf(buf, start, end) ?? this.peer;
        return true;
      case FrameKind.heartbeat: {
        const answer = this.protocol.heartbeatAck(buf, start, end, null);
        if (answer !== null) this.put(answer, 0, answer.length);
        return true;
      }
      case FrameKind.goAway:
        this.#goAway();
        return true;
      case FrameKind.ignored:
        return true;
      default:
        this.breakOff(Code.upstreamProtocol);
        return false;
    }
  }

  #goAway(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.#owner.gone(this, Code.draining);
    if (this.#sent.size === 0) this.endWhenFlushed();
  }

  onBadFrame(_isTooLarge: boolean): void {
    this.breakOff(Code.upstreamProtocol);
  }

  /** A first heartbeat that says what we are; a mesh peer says in its answer what it is. */
  #announce(): void {
    const own = { idleLimitMs: this.config.idleTimeoutMs };
    const frame = this.protocol.heartbeat(this.#sent.nextId(), own);
    this.put(frame, 0, frame.length);
  }

  ping(): void {
    const frame = this.protocol.heartbeat(this.#sent.nextId(), null);
    this.put(frame, 0, frame.length);
  }

  drain(): void {
    this.isDraining = true;
    if (this.#sent.size === 0) this.endWhenFlushed();
  }

  onConnect(): void {
    this.lastReadMs = this.context.clock.now();
    if (this.config.announce) this.#announce();
    this.#owner.connected(this);
  }

  onDrain(): void {}

  onEnd(): void {
    this.breakOff(Code.upstreamClosed);
  }

  onClose(code: number): void {
    this.closed();
    const open = this.#sent.takeAll();
    this.diedBusy = open.length > 0;
    this.#owner.gone(this, code);
    for (const call of open) {
      const s = call instanceof ParkedCall ? call.core.unpark(call) : call;
      this.context.sink.upstreamReset(s, code);
    }
  }

  protected overflow(): void {
    this.breakOff(Code.upstreamIdle);
  }

  protected idleFor(): void {}

  protected exportData(): object {
    return { lastId: this.#sent.lastId, served: this.served };
  }

  protected importData(data: object): void {
    const { lastId, served } = data as { lastId: number; served: number };
    this.#sent.lastId = lastId;
    this.served = served;
  }
}
