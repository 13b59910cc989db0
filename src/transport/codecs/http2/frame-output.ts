import type { HeadView } from '../../../core/base/head-view.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, Flushable } from '../../../core/contract/codec.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { Http2Config } from './config.ts';
import {
  defaultWindowBytes,
  Flag,
  FrameType,
  frameHeaderBytes,
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
 * Where streams put their frames: HEADERS, DATA as far as windows and wire go, trailers. They leave at the end of the
 * loop turn.
 */
export abstract class FrameOutput extends WheelNode implements Flushable {
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
  /** The stream that ended last: an example of its kind for V8, see Listener. It holds nothing. */
  protected lastStream: Http2Stream | null = null;
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

  /** The peer does not read, but makes this side answer: bodies wait for the wire, control frames do not. */
  protected abstract unread(): void;
  /** Everything is sent that can be. */
  protected abstract flushed(): void;

  /** Sends what windows and wire take now; returns the offset of the rest. */
  protected putData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): number {
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

  protected putTrailers(each: Http2Stream, trailers: HeadView): void {
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

  /** False: the window would be larger than any may be (RFC 9113 §6.9.1). */
  protected widen(each: Http2Stream, bytes: number): boolean {
    each.sendWindow += bytes;
    return each.sendWindow <= maxWindowBytes;
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
