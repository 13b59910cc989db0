import type { Stream } from '../../../core/contract/stream.ts';
import { Flag, H2Error } from './constants.ts';
import { FrameSender } from './frame-sender.ts';
import type { Http2Stream } from './http2-stream.ts';

/** Receives bodies: DATA frames under the flow control of connection and stream (RFC 9113 §5.2, §6.9). */
export abstract class BodyReceiver extends FrameSender {
  protected abstract passData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): void;

  data(
    id: number,
    flags: number,
    buf: Buffer,
    start: number,
    end: number,
    counted: number,
    isLast: boolean,
  ): void {
    const each = this.streams.get(id);
    const isEnd = isLast && (flags & Flag.endStream) !== 0;
    if (!this.countData(counted)) return;
    if (each === undefined) {
      if (counted > 0 || isLast) this.#strayData(id);
      return;
    }
    if (start === end && !isEnd) {
      if (counted === 0 && isLast && this.guard.emptyFrame()) this.calm('empty frames');
      if (counted === 0) return;
    }
    if (this.takesData(each, start, end, counted, isEnd)) this.passData(each, buf, start, end, isEnd);
  }

  /** Flow control of the connection. False: it is over. */
  protected countData(counted: number): boolean {
    if (counted === 0) return true;
    this.recvWindow -= counted;
    if (this.recvWindow < 0) {
      this.fail(H2Error.flowControl, 'more DATA than the window of the connection');
      return false;
    }
    // What is delivered is bounded by the windows of the streams: one that is read slowly holds up no other.
    this.owed += counted;
    if (this.owed >= this.config.connectionWindowBytes / 2) this.#giveBack();
    return true;
  }

  #giveBack(): void {
    this.putWindowUpdate(0, this.owed);
    this.recvWindow += this.owed;
    this.owed = 0;
  }

  /** Flow control and length of one stream. False: the stream is reset. */
  protected takesData(
    each: Http2Stream,
    start: number,
    end: number,
    counted: number,
    isEnd: boolean,
  ): boolean {
    if (each.remoteEnded) {
      this.breakStream(each, H2Error.streamClosed);
      return false;
    }
    each.recvWindow -= counted;
    each.owed += counted;
    if (each.recvWindow < 0) {
      this.breakStream(each, H2Error.flowControl);
      return false;
    }
    if (!each.headSeen) {
      this.breakStream(each, H2Error.protocol);
      return false;
    }
    if (each.recvLeft >= 0) {
      each.recvLeft -= end - start;
      if (each.recvLeft < 0 || (isEnd && each.recvLeft > 0)) {
        this.breakStream(each, H2Error.protocol);
        return false;
      }
    }
    each.bodyBytes += end - start;
    if (!isEnd) this.returnCredit(each, this.config.streamWindowBytes / 2);
    return true;
  }

  protected returnCredit(each: Http2Stream, thresholdBytes: number): void {
    if (each.isPaused || each.remoteEnded || each.owed < thresholdBytes) return;
    this.putWindowUpdate(each.id, each.owed);
    each.recvWindow += each.owed;
    each.owed = 0;
  }

  protected paddedData(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const padding = start < end ? (buf[start] as number) : 0;
    if (start === end || padding >= end - start) this.fail(H2Error.protocol, 'DATA is all padding');
    else if (padding === 0 && end - start === 1) this.data(id, flags, buf, end, end, 1, true);
    else this.data(id, flags, buf, start + 1, end - padding, end - start, true);
  }

  #strayData(id: number): void {
    if (this.isIdleId(id)) this.fail(H2Error.protocol, 'DATA on an idle stream');
    else if (!this.closedIds.has(id)) this.strayStream(id, H2Error.streamClosed);
  }

  pauseRead(s: Stream): void {
    const each = this.streamOf(s);
    if (each !== undefined) each.isPaused = true;
  }

  resumeRead(s: Stream): void {
    const each = this.streamOf(s);
    if (each === undefined || !each.isPaused) return;
    each.isPaused = false;
    this.returnCredit(each, 1);
  }
}
