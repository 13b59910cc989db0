import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import { FramedConnection } from './connection.ts';
import { GrowingMessages, isUntouched, isUntouchedLarge, joined } from './message.ts';

const nothing: Buffer = Buffer.alloc(0);

/** How FramedServer and FramedClient send: head and body of a stream leave as one message, as it came where nothing changed it. */
export abstract class FramedStreamEnd extends FramedConnection implements StreamEnd {
  readonly #growing = new GrowingMessages();

  /** Can a call wait for its answer here without its stream? */
  protected abstract readonly mayPark: boolean;
  abstract reset(s: Stream, code: number): void;
  /** Does `s` go on on this connection? */
  protected abstract has(s: Stream): boolean;
  /** Sends one complete message. False: above the limit. */
  protected abstract sendMessage(
    s: Stream,
    head: HeadView,
    buf: Buffer | null,
    a: number,
    b: number,
  ): boolean;
  /** The frame `head` stands for, with the id the peer knows; `encode` instead of the bytes as they came. */
  protected abstract encode(s: Stream, head: HeadView, body: Buffer): Buffer | number;
  /** A frame could not be written: what to do about `s`. */
  protected abstract cannotSend(s: Stream, code: number): void;
  protected abstract setId(s: Stream, buf: Buffer, start: number, end: number): Buffer | null;
  /** The message of `s` was queued. */
  protected abstract sent(s: Stream): void;
  /** Do the bytes that are given for `s` stay valid? */
  protected abstract isOwned(s: Stream): boolean;

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (!this.has(s)) return true;
    if (end) return this.sendMessage(s, head, buf, a, b);
    this.#growing.begin(s, head);
    return buf === null || this.#grow(s, buf, a, b);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (!this.has(s) || !this.#grow(s, buf, a, b)) return true;
    if (end) this.#sendGrown(s);
    return true;
  }

  /** These protocols have no trailers: the message ends. */
  sendTrailers(s: Stream): void {
    if (this.has(s)) this.#sendGrown(s);
  }

  pauseRead(): void {}

  resumeRead(): void {}

  #grow(s: Stream, buf: Buffer, a: number, b: number): boolean {
    const view = buf.subarray(a, b);
    const sizeBytes = this.#growing.add(s, this.isOwned(s) ? view : Buffer.from(view));
    if (sizeBytes < 0) return false;
    if (sizeBytes <= this.config.maxFrameBytes) return true;
    this.forget(s);
    this.cannotSend(s, Code.none);
    return false;
  }

  #sendGrown(s: Stream): void {
    const message = this.#growing.take(s);
    if (message === undefined) return;
    const { head, body } = message;
    if (isUntouchedLarge(head, this.protocol, message.sizeBytes)) {
      this.#putPieces(s, head, body);
      this.sent(s);
      return;
    }
    const whole = joined(body);
    this.sendMessage(s, head, whole, 0, whole.length);
  }

  /** A large frame as it came. Its first bytes are copied: an earlier try may still stand in another connection's queue. */
  #putPieces(s: Stream, head: HeadView, body: readonly Buffer[]): void {
    const first = Buffer.from(head.buf.subarray(head.start, head.end));
    const frame = this.setId(s, first, 0, first.length) ?? first;
    this.put(frame, 0, frame.length);
    for (const view of body) this.put(view, 0, view.length);
  }

  /** Drops what was collected for `s`. */
  protected forget(s: Stream): void {
    this.#growing.forget(s);
  }

  /**
   * The frame leaves as it came where nothing changed it: its id is patched where it stands. Bytes of an earlier try may
   * still wait in another connection's queue: then a copy is patched.
   * @returns false: it could not be sent, `cannotSend` was called
   */
  protected putMessage(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number): boolean {
    if (isUntouched(head, this.protocol, buf, a, b)) {
      if (s.tries > 1) {
        const copy = Buffer.from(head.buf.subarray(head.start, head.end));
        const frame = this.setId(s, copy, 0, copy.length) ?? copy;
        this.put(frame, 0, frame.length);
        return true;
      }
      const frame = this.setId(s, head.buf, head.start, head.end);
      if (frame === null) {
        this.put(head.buf, head.start, head.end);
        s.isVerbatim = this.mayPark;
      } else this.put(frame, 0, frame.length);
      return true;
    }
    const body = buf === null ? nothing : a === 0 && b === buf.length ? buf : buf.subarray(a, b);
    if (this.isOwned(s) && isUntouchedLarge(head, this.protocol, b - a)) {
      this.#putPieces(s, head, [body]);
      return true;
    }
    const frame = this.encode(s, head, body);
    if (typeof frame === 'number') {
      this.cannotSend(s, frame);
      return false;
    }
    this.put(frame, 0, frame.length);
    return true;
  }

  protected override closed(): void {
    super.closed();
    this.#growing.clear();
  }
}
