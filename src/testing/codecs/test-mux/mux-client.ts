import { Code } from '../../../core/base/codes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { readHeadText, readResponse } from '../head-text.ts';
import { Flag, FrameType } from './frame.ts';
import { MuxConnection, type MuxStream } from './mux-connection.ts';
import { maxConcurrent } from './mux-server.ts';

export class MuxClient extends MuxConnection implements ClientCodec {
  served = 0;
  protected readonly endsBySending = false;
  readonly #owner: ClientOwner;
  #nextId = 1;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner) {
    super(wire, context);
    this.#owner = owner;
    wire.attach(this);
  }

  get room(): number {
    return this.isDraining || this.isClosed ? 0 : maxConcurrent - this.streams.size;
  }

  bind(s: Stream): void {
    s.up = this;
    s.upId = this.#nextId++;
    s.reused = this.served > 0;
    this.served++;
    this.open(s.upId, s);
  }

  ping(): void {
    this.put(FrameType.ping, 0, 0, Buffer.alloc(0));
  }

  drain(): void {
    this.isDraining = true;
    if (this.streams.size === 0) this.endWhenFlushed();
  }

  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): boolean {
    if (type === FrameType.pong) return true;
    if (type === FrameType.credit) return this.addCredit(id, buf, start, end);
    if (type === FrameType.goAway) {
      this.#goAway();
      return true;
    }
    if (id === 0 || id >= this.#nextId) return false;
    const each = this.streams.get(id);
    if (each === undefined) return type <= FrameType.reset;
    switch (type) {
      case FrameType.head:
        return this.#head(each, flags, buf, start, end);
      case FrameType.data:
        return this.#data(each, flags, buf, start, end);
      case FrameType.trailers:
        return this.#trailers(each, buf, start, end);
      case FrameType.informational:
        return this.#informational(each, buf, start, end);
      case FrameType.reset:
        this.#upstreamReset(each, buf[start] === Code.draining ? Code.upstreamRefused : Code.upstreamReset);
        return true;
      default:
        return false;
    }
  }

  sendInformational(): void {}

  onConnect(): void {
    this.#owner.connected(this);
  }

  onEnd(): void {
    this.wire.destroy(Code.upstreamClosed);
  }

  onClose(code: number): void {
    this.isClosed = true;
    const open = [...this.streams.values()];
    this.streams.clear();
    this.#owner.gone(this, code);
    for (const each of open) this.context.sink.upstreamReset(each.s, code);
  }

  protected idOf(s: Stream): number {
    return s.upId;
  }

  protected headWords(head: HeadView): (string | number)[] {
    return [head.method, head.path, head.authority];
  }

  protected finished(): void {
    if (!this.isDraining) this.#owner.room(this);
    else if (this.streams.size === 0) this.endWhenFlushed();
  }

  protected protocolError(): void {
    this.wire.destroy(Code.upstreamProtocol);
  }

  protected exportData(): unknown {
    return { nextId: this.#nextId, served: this.served };
  }

  protected importData(data: unknown): void {
    const { nextId, served } = data as { nextId: number; served: number };
    this.#nextId = nextId;
    this.served = served;
  }

  #goAway(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.#owner.gone(this, Code.draining);
    if (this.streams.size === 0) this.endWhenFlushed();
  }

  #head(each: MuxStream, flags: number, buf: Buffer, start: number, end: number): boolean {
    const s = each.s;
    if (each.isReceived || s.res.status >= 200 || !readResponse(s.res, buf, start, end)) return false;
    s.res.borrowed = true;
    const isEnd = (flags & Flag.end) !== 0;
    if (isEnd) this.received(each);
    this.context.sink.responseHead(s, null, 0, 0, isEnd);
    return true;
  }

  #data(each: MuxStream, flags: number, buf: Buffer, start: number, end: number): boolean {
    if (each.isReceived || each.s.res.status < 200) return false;
    const isEnd = (flags & Flag.end) !== 0;
    each.owed += end - start;
    if (!isEnd) this.returnCredit(each);
    const s = each.s;
    if (isEnd) this.received(each);
    this.context.sink.responseData(s, buf, start, end, isEnd);
    return true;
  }

  #trailers(each: MuxStream, buf: Buffer, start: number, end: number): boolean {
    const trailers = new HeadView();
    if (each.isReceived || readHeadText(trailers, buf, start, end) === null) return false;
    trailers.borrowed = true;
    this.received(each);
    this.context.sink.responseTrailers(each.s, trailers);
    return true;
  }

  #informational(each: MuxStream, buf: Buffer, start: number, end: number): boolean {
    const s = each.s;
    if (s.res.status >= 200 || !readResponse(s.res, buf, start, end) || s.res.status >= 200) return false;
    s.res.borrowed = true;
    this.context.sink.responseInformational(s);
    s.res.reset();
    return true;
  }

  #upstreamReset(each: MuxStream, code: number): void {
    this.streams.delete(each.id);
    this.finished();
    this.context.sink.upstreamReset(each.s, code);
  }
}
