import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import { H2Error } from './constants.ts';
import { FrameOutput } from './frame-output.ts';
import type { Http2Stream } from './http2-stream.ts';

/**
 * What one connection sends: heads, bodies under flow control, trailers.
 *
 *   sendData --window and wire open--> out --flush--> wire
 *            --else--> each.queue, `ready` --WINDOW_UPDATE, SETTINGS, drain: streams take turns, 16 KiB each--> out
 */
export abstract class StreamSender extends FrameOutput implements StreamEnd {
  /** Streams with something queued, in the order of their turns. */
  readonly #ready = new Set<Http2Stream>();
  /** Streams that wait only for the wire. */
  readonly #waiting = new Set<Http2Stream>();

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
    if (each.queue === null) this.putTrailers(each, trailers);
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
    if (each.queue === null) a = this.putData(each, buf, a, b, end);
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

  /** Lets go of a stream with all that it holds. */
  protected forget(each: Http2Stream): void {
    this.streams.delete(each.id);
    this.lastStream = each;
    this.#ready.delete(each);
    this.#waiting.delete(each);
    this.context.budget.heldBytes -= each.queuedBytes;
    each.queue = each.trailers = each.early = null;
    each.queuedBytes = 0;
    each.s = null;
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
      this.putData(each, first, 0, count, isLast);
      this.dirty();
    }
    if (queue.length > 0) return true;
    each.queue = null;
    if (each.queueEnds && !each.localEnded) {
      if (each.trailers !== null) this.putTrailers(each, each.trailers);
      else this.putData(each, noBytes, 0, 0, true);
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
}

const noBytes: Buffer = Buffer.alloc(0);
