import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, Flushable } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { Http2Config } from './config.ts';
import {
  defaultWindowBytes,
  Flag,
  FrameType,
  frameHeaderBytes,
  H2Error,
  maxFrameBytes,
  maxWindowBytes,
} from './constants.ts';
import { encodeTrailers, headBound } from './encode-head.ts';
import { FloodGuard } from './flood-guard.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Output, writeFrameHeader } from './output.ts';
import { initialSettings, type PeerSettings } from './peer-settings.ts';

const mostPendingBytes = 1024 * 1024;

/**
 * What one connection sends: heads, bodies under flow control, trailers.
 *
 *   sendData --window and wire open--> out --flush--> wire
 *            --else--> each.queue, `ready` --WINDOW_UPDATE, SETTINGS, drain: streams take turns, 16 KiB each--> out
 */
export abstract class StreamSender extends WheelNode implements StreamEnd, Flushable {
  readonly wire: Wire;
  protected readonly context: CodecContext;
  protected readonly config: Http2Config;
  protected readonly streams: Map<number, Http2Stream> = new Map();
  protected readonly out: Output;
  protected readonly encoder: HpackEncoder;
  protected readonly guard: FloodGuard;
  protected peer: PeerSettings = initialSettings();
  /** Body bytes that the peer takes on all streams together. */
  protected sendWindow: number = defaultWindowBytes;
  /** Streams with something queued, in the order of their turns. */
  readonly #ready = new Set<Http2Stream>();
  /** Streams that wait only for the wire. */
  readonly #waiting = new Set<Http2Stream>();
  #isDirty = false;
  protected isClosed = false;

  constructor(wire: Wire, context: CodecContext, config: Http2Config) {
    super();
    this.wire = wire;
    this.context = context;
    this.config = config;
    this.out = new Output(wire, context.slab);
    this.encoder = new HpackEncoder(config.huffman);
    this.guard = new FloodGuard(config, context.clock);
  }

  abstract sendInformational(s: Stream, head: HeadView): void;
  abstract sendHead(
    s: Stream,
    head: HeadView,
    buf: Buffer | null,
    a: number,
    b: number,
    end: boolean,
  ): boolean;
  abstract reset(s: Stream, code: number): void;
  abstract pauseRead(s: Stream): void;
  abstract resumeRead(s: Stream): void;

  /** The stream of this connection that carries `s`, if the core has not left it. */
  protected abstract streamOf(s: Stream): Http2Stream | undefined;
  /** Are the bytes that the core passes for `s` ours to keep? */
  protected abstract isOwned(s: Stream): boolean;
  /** END_STREAM of this side is in the output. */
  protected abstract localEnded(each: Http2Stream): void;
  /** The core has said all it has to say on this stream. */
  protected abstract coreEnded(each: Http2Stream): void;
  /** Ends a stream that cannot be sent to its end; the core is told where it still waits. */
  protected abstract abandon(each: Http2Stream, error: number, code: number): void;
  /** The peer does not read, but makes this side answer: bodies wait for the wire, control frames do not. */
  protected abstract unread(): void;
  /** Everything is sent that can be. */
  protected abstract flushed(): void;

  get active(): number {
    return this.streams.size;
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined || each.localEnded || each.queueEnds) return true;
    return this.sendBody(each, buf, a, b, end, this.isOwned(s));
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    const each = this.streamOf(s);
    if (each === undefined || each.localEnded || each.queueEnds) return;
    if (each.sendLeft > 0) {
      this.abandon(each, H2Error.internal, Code.locallyClosed);
      return;
    }
    if (each.queue === null) this.#putTrailers(each, trailers);
    else {
      each.queueEnds = true;
      trailers.retain();
      each.trailers = trailers;
    }
    this.coreEnded(each);
    if (each.localEnded) this.localEnded(each);
  }

  /** @returns false when the core should wait for `writable` */
  protected sendBody(
    each: Http2Stream,
    buf: Buffer,
    a: number,
    b: number,
    end: boolean,
    isOwned: boolean,
  ): boolean {
    if (each.sendLeft >= 0) {
      // More than Content-Length promised is never sent, less breaks the stream.
      b = Math.min(b, a + each.sendLeft);
      each.sendLeft -= b - a;
      if (end && each.sendLeft > 0) {
        this.abandon(each, H2Error.internal, Code.locallyClosed);
        return true;
      }
    }
    if (each.queue === null) a = this.#putData(each, buf, a, b, end);
    if (a < b || (end && !each.localEnded)) this.#enqueue(each, buf, a, b, end, isOwned);
    this.dirty();
    if (end) {
      this.coreEnded(each);
      if (each.localEnded) this.localEnded(each);
      return true;
    }
    if (each.queue === null && !this.out.isFull) return true;
    each.wantsWritable = true;
    if (each.queue === null) this.#waiting.add(each);
    return false;
  }

  /** Sends what windows and wire take now; returns the offset of the rest. */
  #putData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): number {
    const { out } = this;
    while (a < b && !out.isFull) {
      const count = Math.min(b - a, this.peer.maxFrameBytes, each.sendWindow, this.sendWindow);
      if (count <= 0) return a;
      const isLast = end && a + count === b;
      out.frameHeader(count, FrameType.data, isLast ? Flag.endStream : 0, each.id);
      out.copy(buf, a, a + count);
      a += count;
      each.sendWindow -= count;
      this.sendWindow -= count;
      this.guard.dataSent();
      if (isLast) each.localEnded = true;
    }
    if (end && a === b && !each.localEnded && !out.isFull) {
      out.frameHeader(0, FrameType.data, Flag.endStream, each.id);
      each.localEnded = true;
    }
    return a;
  }

  #enqueue(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean, isOwned: boolean): void {
    each.queue ??= [];
    if (b > a) {
      each.queue.push(isOwned ? buf.subarray(a, b) : Buffer.from(buf.subarray(a, b)));
      each.queuedBytes += b - a;
      this.context.budget.heldBytes += b - a;
    }
    each.queueEnds = end;
    this.#ready.add(each);
  }

  #putTrailers(each: Http2Stream, trailers: HeadView): void {
    this.out.reserve(frameHeaderBytes + headBound(trailers));
    const start = this.out.at;
    const at = encodeTrailers(this.encoder, trailers, this.out.buf, start + frameHeaderBytes);
    this.finishHeaders(each.id, start, at, Flag.endStream);
    each.localEnded = true;
  }

  /** Completes the HEADERS frame whose block was written behind `start`, in several frames if it is long. */
  protected finishHeaders(id: number, start: number, at: number, flags: number): void {
    const { out } = this;
    const length = at - start - frameHeaderBytes;
    this.dirty();
    if (length <= maxFrameBytes) {
      writeFrameHeader(out.buf, start, length, FrameType.headers, flags | Flag.endHeaders, id);
      out.at = at;
      return;
    }
    const block = Buffer.from(out.buf.subarray(start + frameHeaderBytes, at));
    for (let from = 0; from < length; from += maxFrameBytes) {
      const to = Math.min(length, from + maxFrameBytes);
      const last = to === length ? Flag.endHeaders : 0;
      if (from === 0) out.frameHeader(to, FrameType.headers, flags | last, id);
      else out.frameHeader(to - from, FrameType.continuation, last, id);
      out.copy(block, from, to);
    }
  }

  /** Lets go of a stream with all that it holds. */
  protected forget(each: Http2Stream): void {
    this.streams.delete(each.id);
    this.#ready.delete(each);
    this.#waiting.delete(each);
    this.context.budget.heldBytes -= each.queuedBytes;
    each.queue = null;
    each.queuedBytes = 0;
    each.s = null;
  }

  /** False: the window would be larger than any may be (RFC 9113 §6.9.1). */
  protected widen(each: Http2Stream, bytes: number): boolean {
    each.sendWindow += bytes;
    return each.sendWindow <= maxWindowBytes;
  }

  /** Streams take turns, a frame each, as far as windows and wire go. */
  protected pump(): void {
    for (const each of this.#ready) {
      if (this.out.isFull) return;
      if (!this.#takeTurn(each)) continue;
      this.#ready.delete(each);
      if (each.queue !== null) this.#ready.add(each);
      else this.#turnedEmpty(each);
    }
  }

  /** Sends a frame from the queue. False: the window is closed. */
  #takeTurn(each: Http2Stream): boolean {
    const queue = each.queue as Buffer[];
    const first = queue[0];
    if (first !== undefined) {
      const count = Math.min(first.length, this.peer.maxFrameBytes, each.sendWindow, this.sendWindow);
      if (count <= 0) return false;
      each.stalledLooks = 0;
      if (count === first.length) queue.shift();
      else queue[0] = first.subarray(count);
      each.queuedBytes -= count;
      this.context.budget.heldBytes -= count;
      const isLast = each.queueEnds && queue.length === 0 && each.trailers === null;
      this.#putData(each, first, 0, count, isLast);
      this.dirty();
    }
    if (queue.length > 0) return true;
    each.queue = null;
    if (each.queueEnds && !each.localEnded) {
      if (each.trailers !== null) this.#putTrailers(each, each.trailers);
      else this.#putData(each, noBytes, 0, 0, true);
      this.dirty();
    }
    return true;
  }

  #turnedEmpty(each: Http2Stream): void {
    if (each.localEnded) this.localEnded(each);
    else this.#announceWritable(each);
  }

  #announceWritable(each: Http2Stream): void {
    if (!each.wantsWritable || each.s === null) return;
    if (this.out.isFull) {
      this.#waiting.add(each);
      return;
    }
    each.wantsWritable = false;
    this.context.sink.writable(each.s, this);
  }

  onDrain(): void {
    this.out.isFull = false;
    this.pump();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) if (each.queue === null) this.#announceWritable(each);
  }

  /** Something was put into `out`: it leaves at the end of the loop turn. */
  protected dirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.context.flushLater(this);
  }

  flush(): void {
    this.#isDirty = false;
    if (this.isClosed) {
      this.out.drop();
      return;
    }
    this.out.send();
    this.out.release();
    if (this.out.isFull && this.wire.pending > mostPendingBytes) this.unread();
    this.flushed();
  }

  protected get isUnsent(): boolean {
    return this.out.at > 0;
  }
}

const noBytes: Buffer = Buffer.alloc(0);
