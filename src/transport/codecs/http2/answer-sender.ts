import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import { hasNoBody, responseLength } from './body-length.ts';
import { Flag, frameHeaderBytes, H2Error } from './constants.ts';
import { encodeResponse, headBound } from './encode-head.ts';
import { resetErrorOf } from './error-codes.ts';
import type { Http2Stream } from './http2-stream.ts';
import { RequestReceiver } from './request-receiver.ts';

const nothing: Buffer = Buffer.alloc(0);

/** Answers the requests of one connection; `Http2Server` says how it ends. */
export abstract class AnswerSender extends RequestReceiver {
  /** Tunnels with early bytes to deliver at the next flush. */
  #opened: Http2Stream[] = [];

  protected streamOf(s: Stream): Http2Stream | undefined {
    const each = this.streams.get(s.downId);
    return each !== undefined && each.s === s ? each : undefined;
  }

  protected isOwned(s: Stream): boolean {
    return s.responseOwned;
  }

  sendInformational(s: Stream, head: HeadView): void {
    const each = this.streamOf(s);
    if (each === undefined || each.headSent || head.status === 101) return;
    this.#putHead(each.id, head, head.status, -1, 0);
  }

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined || each.headSent) return true;
    each.headSent = true;
    if (each.awaitsTunnel) this.#decideTunnel(each, s, head);
    if (head.count === 0) this.addDate(head);
    if (buf === null || hasNoBody(head.status, each.isHead)) b = a;
    const lengthBytes = each.isTunnel ? -1 : responseLength(head, each.isHead, b - a, end);
    each.sendLeft = hasNoBody(head.status, each.isHead) ? 0 : lengthBytes;
    const isLast = end && a === b && each.sendLeft <= 0;
    // RFC 8441 §5: what HTTP/1.1 says by 101 is a 200 here.
    const status = each.isTunnel && head.status === 101 ? 200 : head.status;
    this.#putHead(each.id, head, status, lengthBytes, isLast ? Flag.endStream : 0);
    if (!isLast) return this.sendBody(each, buf ?? nothing, a, b, end, s.responseOwned);
    each.localEnded = true;
    this.coreEnded(each);
    this.localEnded(each);
    return true;
  }

  #putHead(id: number, head: HeadView, status: number, lengthBytes: number, flags: number): void {
    this.out.reserve(frameHeaderBytes + headBound(head));
    const start = this.out.at;
    const at = encodeResponse(
      this.encoder,
      head,
      this.out.buf,
      start + frameHeaderBytes,
      status,
      lengthBytes,
    );
    this.finishHeaders(id, start, at, flags);
  }

  /** The answer to CONNECT or an upgrade opens the tunnel, or the request ends here without one. */
  #decideTunnel(each: Http2Stream, s: Stream, head: HeadView): void {
    each.isTunnel = s.isTunnel || head.status === 101;
    if (!each.isTunnel) return;
    each.awaitsTunnel = each.isPaused = false;
    // What the client sent early is delivered once this call is over.
    if (each.early !== null || each.remoteEnded) this.#opened.push(each);
    this.dirty();
  }

  /** Delivers what came before their tunnels were open. */
  protected passEarly(): void {
    if (this.#opened.length === 0) return;
    const opened = this.#opened;
    this.#opened = [];
    for (const each of opened) {
      const early = each.early ?? [];
      each.early = null;
      for (const bytes of early) {
        if (each.s === null) break;
        each.s.requestOwned = true;
        this.context.sink.requestData(each.s, bytes, 0, bytes.length, false);
      }
      this.returnCredit(each, 1);
      const { s } = each;
      if (!each.remoteEnded || s === null) continue;
      this.tunnelEnds(each, true);
      this.context.sink.requestData(s, nothing, 0, 0, true);
    }
  }

  reset(s: Stream, code: number): void {
    const each = this.streamOf(s);
    if (each === undefined) return;
    this.putReset(each.id, resetErrorOf(code, each.headSent));
    this.forget(each);
    this.finished();
  }

  protected coreEnded(each: Http2Stream): void {
    if (!each.isTunnel || each.remoteEnded) each.s = null;
  }

  protected localEnded(each: Http2Stream): void {
    if (!each.isTunnel || each.remoteEnded) this.end(each);
  }

  protected abandon(each: Http2Stream, error: number): void {
    this.putReset(each.id, error);
    this.forget(each);
    this.finished();
  }

  /** Both directions are over, or the answer is and the rest of the request is not wanted. */
  protected end(each: Http2Stream): void {
    if (!each.remoteEnded) this.putReset(each.id, H2Error.none);
    this.forget(each);
    this.finished();
  }
}
