import { Code, factsOf } from '../../../core/base/codes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, CodecState, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { DateText } from '../http1/local-answer.ts';
import { hasNoBody, responseLength } from './body-length.ts';
import type { Http2Config } from './config.ts';
import { Http2Connection, selfDependent } from './connection.ts';
import {
  defaultWindowBytes,
  Flag,
  frameHeaderBytes,
  H2Error,
  maxStreamId,
  preface,
  Setting,
} from './constants.ts';
import { encodeResponse, headBound } from './encode-head.ts';
import { resetErrorOf } from './error-codes.ts';
import type { AssemblyLimits } from './head-assembly.ts';
import { Http2Stream } from './http2-stream.ts';
import { judgeRequest, judgeTrailers, type RequestRules, Verdict } from './request-head.ts';
import { type ConnectionFacts, Due, ServerDeadlines } from './server-deadlines.ts';
import { readState, stateOf } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The downstream side of one HTTP/2 connection. It says nothing before the client's preface begins. */
export class Http2Server extends Http2Connection implements ServerCodec, ConnectionFacts {
  protected readonly isServer = true;
  readonly #owner: ServerOwner;
  #date: DateText | null = null;
  #prefaceSeen = 0;
  /** The stream id of our last GOAWAY; streams above it are refused. */
  #goAwayId = maxStreamId;
  #served = 0;
  #isAnnounced = true;
  readonly #deadlines: ServerDeadlines;
  /** Tunnels with early bytes to deliver at the next flush. */
  #opened: Http2Stream[] = [];

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http2Config) {
    super(wire, context, config);
    this.#owner = owner;
    this.#deadlines = new ServerDeadlines(this, context, this, owner.limits);
    wire.attach(this);
  }

  // ---- bytes -----------------------------------------------------------------------------------------------------

  override onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#prefaceSeen < preface.length) start = this.#readPreface(buf, start, end);
    if (start < end) super.onBytes(buf, start, end);
    if (this.isMidHead) this.#deadlines.midBegins(this.#owner.limits);
  }

  get isMidHead(): boolean {
    const isGreeting = this.#prefaceSeen > 0 && !this.peer.isKnown;
    return (isGreeting || this.isInBlock || this.reader.partBytes > 0) && !this.isClosing;
  }

  get frames(): number {
    return this.reader.frames;
  }

  #readPreface(buf: Buffer, start: number, end: number): number {
    if (this.isClosing) return end;
    while (start < end && this.#prefaceSeen < preface.length) {
      if (buf[start++] === preface[this.#prefaceSeen++]) continue;
      this.fail(H2Error.protocol, 'the connection preface is not that of HTTP/2');
      return end;
    }
    if (this.#prefaceSeen < preface.length) return end;
    const { config } = this;
    const values = this.commonSettings();
    values.push([Setting.maxConcurrentStreams, config.maxConcurrentStreams]);
    if (config.extendedConnect) values.push([Setting.enableConnectProtocol, 1]);
    this.putSettings(values);
    this.#deadlines.ackBegins(this.#owner.limits);
    return start;
  }

  protected headLimits(): AssemblyLimits {
    return this.#owner.limits;
  }

  protected maxHeaderBlockBytes(): number {
    return this.#owner.limits.maxHeaderBytes;
  }

  protected streamOf(s: Stream): Http2Stream | undefined {
    const each = this.streams.get(s.downId);
    return each !== undefined && each.s === s ? each : undefined;
  }

  protected isOwned(s: Stream): boolean {
    return s.responseOwned;
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  protected headers(id: number, flags: number, buf: Buffer, start: number, end: number): void {
    const each = this.streams.get(id);
    if (each !== undefined) this.#trailers(each, flags, buf, start, end);
    else if ((id & 1) === 0) this.fail(H2Error.protocol, 'a client uses odd stream ids');
    else if (id <= this.lastId) this.#lateHeaders(id, buf, start, end);
    else {
      this.lastId = id;
      this.guard.streamBegan();
      this.#request(id, flags, buf, start, end);
    }
  }

  /** On a stream that was closed here they are no offence; else the client has reused an id (RFC 9113 §5.1.1). */
  #lateHeaders(id: number, buf: Buffer, start: number, end: number): void {
    if (this.closedIds.has(id)) this.decodeUnheard(buf, start, end);
    else this.fail(H2Error.streamClosed, 'HEADERS on a stream that was closed');
  }

  #request(id: number, flags: number, buf: Buffer, start: number, end: number): void {
    const refusal = this.#refusalOf(id, flags);
    if (refusal !== H2Error.none) {
      this.decodeUnheard(buf, start, end);
      if (!this.isClosing) this.strayStream(id, refusal);
      return;
    }
    const { sink } = this.context;
    const s = sink.acquire();
    const drops = this.config.underscoresInHeaders === 'drop';
    if (!this.decodeHead(s.req, buf, start, end, drops)) {
      sink.release(s);
      return;
    }
    const block = this.assembly.buf;
    const verdict = judgeRequest(this.assembly, this.#rules());
    if (verdict === Verdict.take) this.#passRequest(id, flags, s);
    else {
      sink.release(s);
      if (verdict === Verdict.malformed) this.strayStream(id, H2Error.protocol);
      else this.#refuse(id, flags, verdict);
    }
    this.releaseHead(block);
  }

  #refusalOf(id: number, flags: number): number {
    if ((flags & selfDependent) !== 0) return H2Error.protocol;
    const isFull = this.streams.size >= this.config.maxConcurrentStreams;
    return isFull || id > this.#goAwayId ? H2Error.refusedStream : H2Error.none;
  }

  #rules(): RequestRules {
    return {
      texts: this.context.texts,
      config: this.config,
      maxUriBytes: this.#owner.limits.maxUriBytes,
    };
  }

  #passRequest(id: number, flags: number, s: Stream): void {
    const head = s.req;
    const isEnd = (flags & Flag.endStream) !== 0;
    const isTunnel = head.upgrade !== '';
    if (isEnd && head.contentLength > 0) {
      this.context.sink.release(s);
      this.strayStream(id, H2Error.protocol);
      return;
    }
    const limit = this.#owner.limits.maxBodyBytes;
    if (limit > 0 && head.contentLength > limit) {
      this.context.sink.release(s);
      this.#refuse(id, flags, 413);
      return;
    }
    const window = this.settingsAcked ? this.config.streamWindowBytes : defaultWindowBytes;
    const each = new Http2Stream(id, s, this.peer.initialWindowBytes, window);
    each.headSeen = true;
    each.remoteEnded = isEnd;
    each.isHead = head.methodText === 'HEAD';
    each.recvLeft = isTunnel || isEnd ? -1 : head.contentLength;
    this.streams.set(id, each);
    s.down = this;
    s.downId = id;
    s.peer = this.wire.peer;
    s.protocol = 'http2';
    s.pipeline = this.#owner.pipeline;
    this.#served++;
    this.#isAnnounced = false;
    this.#drainWhenSpent();
    if (isTunnel) {
      // Complete with its head; what follows waits for the answer.
      each.awaitsTunnel = each.isPaused = true;
      this.context.sink.requestHead(s, null, 0, 0, true);
    } else if (isEnd) this.context.sink.requestHead(s, null, 0, 0, true);
    else this.#passHeadAndBody(each, s);
  }

  /** Body bytes that stand right behind the head go along with it. */
  #passHeadAndBody(each: Http2Stream, s: Stream): void {
    const { reader } = this;
    s.req.chunked = s.req.contentLength < 0;
    const dataFlags = reader.takeData(each.id);
    if (dataFlags < 0) {
      this.context.sink.requestHead(s, null, 0, 0, false);
      return;
    }
    const { dataStart: a, dataEnd: b } = reader;
    const isEnd = (dataFlags & Flag.endStream) !== 0;
    const isTaken = this.countData(b - a) && this.takesData(each, a, b, b - a, isEnd);
    if (!isTaken || this.#isTooLarge(each)) {
      // Nothing was delivered yet: for the core this stream has never been.
      if (each.s !== null) each.s = null;
      this.context.sink.release(s);
      if (isTaken) {
        this.forget(each);
        this.#refuse(each.id, 0, 413);
      }
      return;
    }
    each.remoteEnded = isEnd;
    s.requestOwned = reader.isOwned;
    this.context.sink.requestHead(s, b > a ? reader.buf : null, a, b, isEnd);
  }

  protected passData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const s = each.s;
    if (end) each.remoteEnded = true;
    if (s === null) return;
    if (each.awaitsTunnel) {
      if (b > a) each.early.push(Buffer.from(buf.subarray(a, b)));
      return;
    }
    if (this.#isTooLarge(each)) {
      this.forget(each);
      if (each.headSent) this.putReset(each.id, H2Error.cancel);
      else this.#refuse(each.id, 0, 413);
      this.finished();
      this.context.sink.downstreamReset(s, Code.payloadTooLarge);
      return;
    }
    s.requestOwned = this.reader.isOwned;
    this.context.sink.requestData(s, buf, a, b, end);
    if (end && each.isTunnel && each.localEnded) this.#end(each);
  }

  #isTooLarge(each: Http2Stream): boolean {
    const limit = this.#owner.limits.maxBodyBytes;
    return limit > 0 && each.bodyBytes > limit && !each.isTunnel;
  }

  #trailers(each: Http2Stream, flags: number, buf: Buffer, start: number, end: number): void {
    const isEnd = (flags & Flag.endStream) !== 0;
    const head = new HeadView();
    if (!this.decodeHead(head, buf, start, end, false)) return;
    const block = this.assembly.buf;
    if (each.remoteEnded) this.breakStream(each, H2Error.streamClosed);
    else if (!isEnd || (flags & selfDependent) !== 0 || each.recvLeft > 0 || !judgeTrailers(this.assembly))
      this.breakStream(each, H2Error.protocol);
    else {
      each.remoteEnded = true;
      const s = each.s;
      if (s !== null) {
        if (head.count > 0) this.context.sink.requestTrailers(s, head);
        else this.context.sink.requestData(s, nothing, 0, 0, true);
      }
      if (each.isTunnel && each.localEnded) this.#end(each);
    }
    this.releaseHead(block);
  }

  /** An answer of our own to a request that never became a stream. */
  #refuse(id: number, flags: number, status: number): void {
    const code = refusalCodes.get(status) ?? Code.downstreamProtocol;
    this.#owner.protocolError(code, `a request was refused with ${status}`);
    const head = new HeadView();
    head.status = status;
    head.add('content-length', '0');
    head.add('x-heddle-error', factsOf(code).name);
    this.#addDate(head);
    this.out.reserve(frameHeaderBytes + headBound(head));
    const start = this.out.at;
    const at = encodeResponse(this.encoder, head, this.out.buf, start + frameHeaderBytes, status, 0);
    this.finishHeaders(id, start, at, Flag.endStream);
    // Complete without the rest of the request (RFC 9113 §8.1).
    if ((flags & Flag.endStream) === 0) this.putReset(id, H2Error.none);
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
    if (head.count === 0) this.#addDate(head);
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
    if (each.early.length > 0 || each.remoteEnded) this.#opened.push(each);
    this.dirty();
  }

  #passEarly(): void {
    if (this.#opened.length === 0) return;
    const opened = this.#opened;
    this.#opened = [];
    for (const each of opened) {
      const { early } = each;
      each.early = [];
      for (const bytes of early) {
        if (each.s === null) break;
        each.s.requestOwned = true;
        this.context.sink.requestData(each.s, bytes, 0, bytes.length, false);
      }
      this.returnCredit(each, 1);
      if (each.remoteEnded && each.s !== null) this.context.sink.requestData(each.s, nothing, 0, 0, true);
    }
  }

  #addDate(head: HeadView): void {
    if (head.has('date')) return;
    this.#date ??= new DateText();
    head.add('date', this.#date.at(this.context.clock.wallNow()));
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
    if (!each.isTunnel || each.remoteEnded) this.#end(each);
  }

  protected abandon(each: Http2Stream, error: number): void {
    this.putReset(each.id, error);
    this.forget(each);
    this.finished();
  }

  /** Both directions are over, or the answer is and the rest of the request is not wanted. */
  #end(each: Http2Stream): void {
    if (!each.remoteEnded) this.putReset(each.id, H2Error.none);
    this.forget(each);
    this.finished();
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  protected peerReset(each: Http2Stream): void {
    const s = each.s;
    this.forget(each);
    this.streamBroke();
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
      else if (!this.#isAnnounced && this.isIdle()) {
        this.#isAnnounced = true;
        this.#deadlines.idleBegins();
        this.#owner.idle(this);
      }
    }
    if (this.isEnding && !this.isUnsent) this.#endWire();
  }

  #endWire(): void {
    this.isClosing = true;
    this.wire.end();
    this.#deadlines.linger(this.config.lingerMs);
  }

  protected report(code: number, detail: string): void {
    this.#owner.protocolError(code, detail);
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
    if (!this.isDraining || this.#goAwayId !== maxStreamId) return;
    this.#goAwayId = this.lastId;
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
    this.#deadlines.ackBegins(this.#owner.limits);
  }

  #drainWhenSpent(): void {
    const max = this.#owner.limits.maxRequestsPerConnection;
    if (this.#owner.isDraining || (max > 0 && this.#served >= max)) this.drain();
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
    this.#deadlines.stop();
    this.reader.clear();
    this.resetAll(code === Code.none ? Code.downstreamClosed : code);
    this.out.drop();
    this.#owner.closed(this);
  }

  onDeadline(nowMs: number): void {
    switch (this.#deadlines.due(nowMs, this.#owner.limits)) {
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
    const limitMs = this.#owner.limits.requestTimeoutMs;
    for (const each of [...this.streams.values()]) {
      const s = each.s;
      const isLate = s !== null && limitMs > 0 && nowMs >= s.startMs + limitMs;
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
    else this.#refuse(each.id, 0, 408);
    this.finished();
    this.context.sink.downstreamReset(s, Code.requestTimeout);
  }

  // ---- moving to another process ---------------------------------------------------------------------------------

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining || this.isPingOut) return null;
    const data = { ...this.exportCommon(), prefaceSeen: this.#prefaceSeen, served: this.#served };
    return stateOf(this.reader, data);
  }

  importState(state: CodecState): void {
    const data = readState<ReturnType<Http2Server['exportCommon']> & { prefaceSeen: number; served: number }>(
      state,
    );
    this.importCommon(data);
    this.#prefaceSeen = data.prefaceSeen;
    this.#served = data.served;
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}

/** A complete answer of which nothing was taken during that many looks is dropped. */
const stalledLooks = 4;
const refusalCodes: ReadonlyMap<number, number> = new Map([
  [408, Code.requestTimeout],
  [413, Code.payloadTooLarge],
  [414, Code.uriTooLong],
  [431, Code.headersTooLarge],
]);
