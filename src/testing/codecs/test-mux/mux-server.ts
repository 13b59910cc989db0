import { Code } from '../../../core/base/codes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { readHeadText, readRequest, writeHeadText } from '../head-text.ts';
import { Flag, FrameType, uint32 } from './frame.ts';
import { MuxConnection, type MuxStream } from './mux-connection.ts';

/** Streams of one connection at once. */
export const maxConcurrent = 100;

export class MuxServer extends MuxConnection implements ServerCodec {
  protected readonly endsBySending = true;
  readonly #owner: ServerOwner;
  #lastId = 0;

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner) {
    super(wire, context);
    this.#owner = owner;
    wire.attach(this);
  }

  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): boolean {
    if (type === FrameType.head) return this.#head(flags, id, buf, start, end);
    if (type === FrameType.credit) return this.addCredit(id, buf, start, end);
    if (type === FrameType.ping) {
      this.put(FrameType.pong, 0, 0, Buffer.alloc(0));
      return true;
    }
    if (id === 0 || id > this.#lastId) return false;
    const each = this.streams.get(id);
    // Frames of a stream that was reset here may still be on their way.
    if (each === undefined) return type <= FrameType.reset;
    if (type === FrameType.data) return this.#data(each, flags, buf, start, end);
    if (type === FrameType.trailers) return this.#trailers(each, buf, start, end);
    if (type !== FrameType.reset) return false;
    this.streams.delete(id);
    this.context.sink.downstreamReset(each.s, Code.downstreamClosed);
    this.finished();
    return true;
  }

  sendInformational(s: Stream, head: HeadView): void {
    if (this.streams.has(s.downId)) {
      this.put(FrameType.informational, 0, s.downId, writeHeadText(head, [head.status]));
    }
  }

  drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.put(FrameType.goAway, 0, 0, uint32(this.#lastId));
    if (this.streams.size === 0) this.endWhenFlushed();
  }

  onEnd(): void {
    for (const each of [...this.streams.values()]) {
      if (each.isReceived) continue;
      this.streams.delete(each.id);
      this.context.sink.downstreamReset(each.s, Code.downstreamClosed);
    }
    this.isDraining = true;
    if (this.streams.size === 0) this.endWhenFlushed();
  }

  onClose(): void {
    this.isClosed = true;
    const open = [...this.streams.values()];
    this.streams.clear();
    for (const each of open) this.context.sink.downstreamReset(each.s, Code.downstreamClosed);
    this.#owner.closed(this);
  }

  protected idOf(s: Stream): number {
    return s.downId;
  }

  protected headWords(head: HeadView): (string | number)[] {
    return [head.status];
  }

  protected finished(): void {
    if (this.streams.size > 0) return;
    if (this.isDraining) this.endWhenFlushed();
    else this.#owner.idle(this);
  }

  protected protocolError(): void {
    this.#owner.protocolError(Code.downstreamProtocol, 'malformed frame');
    this.wire.destroy(Code.downstreamProtocol);
  }

  protected exportData(): unknown {
    return { lastId: this.#lastId };
  }

  protected importData(data: unknown): void {
    this.#lastId = (data as { lastId: number }).lastId;
  }

  #head(flags: number, id: number, buf: Buffer, start: number, end: number): boolean {
    if (id <= this.#lastId || this.streams.size >= maxConcurrent) return false;
    const { maxHeaderBytes } = this.#owner.limits;
    if (end - start > maxHeaderBytes) return false;
    this.#lastId = id;
    const { sink } = this.context;
    const s = sink.acquire();
    if (!readRequest(s.req, buf, start, end)) {
      sink.release(s);
      return false;
    }
    if (this.isDraining) {
      sink.release(s);
      this.put(FrameType.reset, 0, id, Buffer.of(Code.draining));
      return true;
    }
    s.req.borrowed = true;
    s.down = this;
    s.downId = id;
    s.peer = this.wire.peer;
    s.protocol = 'test-mux';
    s.pipeline = this.#owner.pipeline;
    const each = this.open(id, s);
    const isEnd = (flags & Flag.end) !== 0;
    each.isReceived = isEnd;
    sink.requestHead(s, null, 0, 0, isEnd);
    return true;
  }

  #data(each: MuxStream, flags: number, buf: Buffer, start: number, end: number): boolean {
    if (each.isReceived) return false;
    const isEnd = (flags & Flag.end) !== 0;
    each.owed += end - start;
    if (!isEnd) this.returnCredit(each);
    const s = each.s;
    if (isEnd) this.received(each);
    this.context.sink.requestData(s, buf, start, end, isEnd);
    return true;
  }

  #trailers(each: MuxStream, buf: Buffer, start: number, end: number): boolean {
    const trailers = new HeadView();
    if (each.isReceived || readHeadText(trailers, buf, start, end) === null) return false;
    trailers.borrowed = true;
    this.received(each);
    this.context.sink.requestTrailers(each.s, trailers);
    return true;
  }
}
