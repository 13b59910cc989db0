import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, CodecState, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { hasNoBody, responseLength } from './body-length.ts';
import type { Http2Config } from './config.ts';
import { Flag, frameHeaderBytes, H2Error, maxStreamId } from './constants.ts';
import { encodeResponse, headBound } from './encode-head.ts';
import { resetErrorOf } from './error-codes.ts';
import type { Http2Stream } from './http2-stream.ts';
import { RequestReceiver } from './request-receiver.ts';
import { Due } from './server-deadlines.ts';
import { readState, stateOf } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);
/** A complete answer of which nothing was taken during that many looks is dropped. */
const stalledLooks = 4;

/** The downstream side of one HTTP/2 connection. It says nothing before the client's preface begins. */
export class Http2Server extends RequestReceiver implements ServerCodec {
  /** Tunnels with early bytes to deliver at the next flush. */
  #opened: Http2Stream[] = [];

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http2Config) {
    super(wire, context, owner, config);
    wire.attach(this);
  }

  protected streamOf(s: Stream): Http2Stream | undefined {
    const each = this.streams.get(s.downId);
    return each !== undefined && each.s === s ? each : undefined;
  }

  protected isOwned(s: Stream): boolean {
    return s.responseOwned;
  }

  // ---- answers ---------------------------------------------------------------------------------------------------

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

  #passEarly(): void {
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

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  protected peerReset(each: Http2Stream): void {
    const s = each.s;
    this.forget(each);
    if (this.guard.reset()) this.calm('resets');
    this.finished();
    if (s !== null) this.context.sink.downstreamReset(s, Code.downstreamClosed);
  }

  protected notifyReset(s: Stream, code: number): void {
    this.context.sink.downstreamReset(s, code);
  }

  protected finished(): void {
    if (this.streams.size === 0) this.dirty();
  }

  protected flushed(): void {
    this.#passEarly();
    if (this.isClosed) return;
    if (this.streams.size === 0 && !this.isUnsent) {
      if (this.isDraining && !this.isPingOut) this.isEnding = true;
      else if (!this.isAnnounced && this.isIdle()) {
        this.isAnnounced = true;
        this.deadlines.idleBegins();
        this.owner.idle(this);
      }
    }
    if (this.isEnding && !this.isUnsent) this.#endWire();
  }

  #endWire(): void {
    this.isClosing = true;
    this.wire.end();
    this.deadlines.linger(this.config.lingerMs);
  }

  protected report(code: number, detail: string): void {
    this.owner.protocolError(code, detail);
  }

  protected lastPeerId(): number {
    return this.lastId;
  }

  protected lostAll(): void {}

  protected goAwayCame(): void {
    // A client that says so opens no more streams; it closes when the last is done.
    this.isDraining = true;
    this.finished();
  }

  protected ponged(): void {
    this.isPingOut = false;
    this.ackDueMs = 0;
    if (!this.isDraining || this.goAwayId !== maxStreamId) return;
    this.goAwayId = this.lastId;
    this.putGoAway(this.lastId, H2Error.none, '');
    this.finished();
  }

  /** RFC 9113 §6.8: a first GOAWAY that excludes nothing, and the real one a round trip later. */
  drain(): void {
    if (this.isDraining || this.isClosing) return;
    this.isDraining = true;
    if (!this.settingsSent) {
      this.isEnding = true;
      this.dirty();
      return;
    }
    this.putGoAway(maxStreamId, H2Error.none, '');
    this.isPingOut = false;
    this.sendPing();
    this.deadlines.ackBegins(this.owner.limits);
  }

  protected drainWhenSpent(): void {
    const max = this.owner.limits.maxRequestsPerConnection;
    if (this.owner.isDraining || (max > 0 && this.served >= max)) this.drain();
  }

  onEnd(): void {
    for (const each of [...this.streams.values()]) {
      if (each.remoteEnded) continue;
      const s = each.s;
      this.forget(each);
      if (s !== null) this.context.sink.downstreamReset(s, Code.downstreamClosed);
    }
    this.isDraining = true;
    this.isPingOut = false;
    this.finished();
  }

  onClose(code: number): void {
    this.isClosed = this.isClosing = true;
    this.deadlines.stop();
    this.reader.clear();
    this.resetAll(code === Code.none ? Code.downstreamClosed : code);
    this.out.drop();
    this.owner.closed(this);
  }

  onDeadline(nowMs: number): void {
    switch (this.deadlines.due(nowMs, this.owner.limits)) {
      case Due.linger:
        this.wire.destroy(Code.locallyClosed);
        break;
      case Due.ack:
        if (this.isDraining) this.ponged();
        else this.fail(H2Error.settingsTimeout, 'no acknowledgement of SETTINGS');
        break;
      case Due.header:
        this.fail(H2Error.enhanceYourCalm, 'a frame or header block was not complete in time');
        break;
      case Due.idle:
        this.drain();
        break;
      default:
        this.#lookAtStreams(nowMs);
    }
  }

  /** Requests that take too long to arrive, and answers that nobody reads. */
  #lookAtStreams(nowMs: number): void {
    if (this.streams.size === 0) this.dropCaches();
    const limitMs = this.owner.limits.requestTimeoutMs;
    for (const each of [...this.streams.values()]) {
      const s = each.s;
      // Requests of gRPC may be streams that never end: their callers say how long they wait.
      const isLate = s !== null && limitMs > 0 && !s.isGrpc && nowMs >= s.startMs + limitMs;
      if (isLate && !each.remoteEnded && !each.isTunnel && !each.awaitsTunnel) {
        this.#timeOut(each, s);
      } else if (s === null && ++each.stalledLooks > stalledLooks) {
        this.putReset(each.id, H2Error.cancel);
        this.forget(each);
        this.finished();
      }
    }
  }

  #timeOut(each: Http2Stream, s: Stream): void {
    this.forget(each);
    if (each.headSent) this.putReset(each.id, H2Error.cancel);
    else this.refuse(each.id, 0, 408, false);
    this.finished();
    this.context.sink.downstreamReset(s, Code.requestTimeout);
  }

  // ---- moving to another process ---------------------------------------------------------------------------------

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining || this.isPingOut) return null;
    const data = { ...this.exportCommon(), prefaceSeen: this.prefaceSeen, served: this.served };
    return stateOf(this.reader, data);
  }

  importState(state: CodecState): void {
    const data = readState<ReturnType<Http2Server['exportCommon']> & { prefaceSeen: number; served: number }>(
      state,
    );
    this.importCommon(data);
    this.prefaceSeen = data.prefaceSeen;
    this.served = data.served;
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}
