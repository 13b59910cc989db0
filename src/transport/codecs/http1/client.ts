import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { Body, BodyReader } from './body-reader.ts';
import type { Http1Config } from './config.ts';
import { Framing, isConnect } from './encode.ts';
import { requestFraming, requestLength } from './framing.ts';
import { ByteHold } from './hold.ts';
import { MessageWriter } from './message-writer.ts';
import { Refusal } from './refusals.ts';
import { scanResponse } from './scan.ts';
import { exportConnection, readState } from './state.ts';

const Read = { idle: 0, head: 1, body: 2, tunnel: 3, gone: 4 } as const;

const nothing: Buffer = Buffer.alloc(0);
/** Interim answers to one request; a server that sends more is broken. */
const maxInformational = 100;

/**
 * The upstream side of one HTTP/1.1 connection: one stream at a time.
 *
 *   idle --bind--> head (1xx ...) -> body -> idle        given back before the last event of the stream
 *                                 -> tunnel
 *   anything -> gone                                     closed, or in a state that the next request could not trust
 */
export class Http1Client implements ClientCodec {
  readonly wire: Wire;
  active = 0;
  room = 1;
  served = 0;
  readonly #context: CodecContext;
  readonly #owner: ClientOwner;
  readonly #config: Http1Config;
  readonly #writer: MessageWriter;
  readonly #hold = new ByteHold();
  readonly #body = new BodyReader();
  #stream: Stream | null = null;
  #gen = 0;
  #read: number = Read.idle;
  #headSent = false;
  #requestSent = false;
  #isHead = false;
  #mayUpgrade = false;
  #mayTunnel = false;
  #informational = 0;
  #isPaused = false;
  #isDraining = false;
  #peerEnded = false;
  #isGone = false;
  /** Bytes for a tunnel that is not open yet. */
  #early: Buffer[] | null = null;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner, config: Http1Config) {
    this.wire = wire;
    this.#context = context;
    this.#owner = owner;
    this.#config = config;
    this.#writer = new MessageWriter(wire, context.slab);
    wire.attach(this);
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  bind(s: Stream): void {
    s.up = this;
    s.reused = this.served > 0;
    this.#stream = s;
    this.#gen = s.gen;
    this.#read = Read.head;
    this.#headSent = this.#requestSent = false;
    this.#informational = 0;
    this.served++;
    this.active = 1;
    this.room = 0;
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s !== this.#stream || this.#headSent) return true;
    this.#headSent = true;
    this.#requestSent = end;
    this.#isHead = head.methodText === 'HEAD';
    this.#mayTunnel = isConnect(head);
    this.#mayUpgrade = head.upgrade !== '' && !this.#mayTunnel;
    const lengthBytes = requestLength(head, b - a, end);
    const framing = requestFraming(head, lengthBytes, end);
    // A tunnel carries nothing before it is open.
    const isRaw = framing === Framing.raw;
    if (isRaw && buf !== null && b > a) this.#keepEarly(buf, a, b);
    return this.#writer.request(
      head,
      framing,
      lengthBytes,
      isRaw ? null : buf,
      a,
      isRaw ? a : b,
      end,
      s.requestOwned,
    );
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (s !== this.#stream) return true;
    if (this.#read === Read.head && this.#writer.framing === Framing.raw) {
      if (b > a) this.#keepEarly(buf, a, b);
      if (end) this.#requestSent = true;
      return false;
    }
    const ok = this.#writer.data(buf, a, b, end, s.requestOwned);
    if (end) this.#requestEnds();
    return ok;
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    if (s !== this.#stream) return;
    this.#writer.trailers(trailers);
    this.#requestEnds();
  }

  reset(s: Stream, code: number): void {
    if (s !== this.#stream) return;
    if (!this.#headSent && !this.#isDraining && this.#read === Read.head) {
      this.#release(true);
      return;
    }
    this.#release(false);
    this.wire.destroy(code);
  }

  pauseRead(s: Stream): void {
    if (s !== this.#stream) return;
    this.#isPaused = true;
    this.wire.pause();
  }

  resumeRead(s: Stream): void {
    if (s === this.#stream) this.#resume();
  }

  #requestEnds(): void {
    this.#requestSent = true;
    if (this.#read === Read.tunnel) this.wire.end();
    else if (this.#writer.left > 0) {
      // Less than Content-Length said: the upstream would wait for the rest, or take the next request for it.
      this.#fail(Code.locallyClosed);
    }
  }

  #keepEarly(buf: Buffer, a: number, b: number): void {
    this.#early ??= [];
    this.#early.push(Buffer.from(buf.subarray(a, b)));
  }

  // ---- responses -------------------------------------------------------------------------------------------------

  onConnect(): void {
    this.#owner.connected(this);
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#stream === null || !this.#headSent) {
      // Nobody asked: an answer that comes late, or a server that says why it closes.
      if (this.#read !== Read.gone) this.#fail(Code.upstreamProtocol);
      return;
    }
    const hold = this.#hold;
    if (hold.sizeBytes === 0) {
      this.#run(buf, start, end, this.wire.ownsReads);
      return;
    }
    const heldBytes = hold.sizeBytes;
    hold.append(buf, start, end);
    const newLine = hold.buf.indexOf(10, hold.start + heldBytes);
    const isLong = hold.sizeBytes > this.#config.response.maxHeaderBytes;
    if (!isLong && (newLine < 0 || newLine >= hold.end)) return;
    const held = { buf: hold.buf, start: hold.start, end: hold.end };
    hold.take();
    this.#run(held.buf, held.start, held.end, true);
  }

  #run(buf: Buffer, start: number, end: number, isOwned: boolean): void {
    const s = this.#stream as Stream;
    let at = start;
    while (at < end && this.#stream === s && s.gen === this.#gen) {
      const before = at;
      if (this.#read === Read.head) at = this.#readHead(s, buf, at, end, isOwned);
      else if (this.#read === Read.body) at = this.#readBody(s, buf, at, end, isOwned);
      else if (this.#read === Read.tunnel) {
        s.responseOwned = isOwned;
        at = end;
        this.#context.sink.responseData(s, buf, before, end, false);
      } else break;
      if (at === before) break;
    }
    if (at < end && this.#stream === s && this.#read === Read.head) this.#hold.keep(buf, at, end, isOwned);
    else if (this.#hold.sizeBytes === 0) this.#hold.clear();
  }

  #readHead(s: Stream, buf: Buffer, start: number, end: number, isOwned: boolean): number {
    const head = s.res;
    const limits = this.#config.response;
    const at = scanResponse(head, buf, start, end, limits);
    if (at < 0) {
      head.reset();
      const isPartial = at === Refusal.incomplete && end - start <= limits.maxHeaderBytes;
      if (!isPartial) this.#fail(Code.upstreamProtocol);
      return isPartial ? start : end;
    }
    head.borrowed = !isOwned;
    s.responseOwned = isOwned;
    const status = head.status;
    if (status < 200) {
      if (status === 101) return this.#openTunnel(s, this.#mayUpgrade, buf, at, end);
      return this.#passInformational(s, at, end);
    }
    if (this.#mayTunnel && status < 300) return this.#openTunnel(s, true, buf, at, end);
    return this.#passHead(s, buf, at, end, isOwned);
  }

  #passInformational(s: Stream, at: number, end: number): number {
    if (++this.#informational > maxInformational) {
      this.#fail(Code.upstreamProtocol);
      return end;
    }
    this.#context.sink.responseInformational(s);
    if (this.#stream === s && s.gen === this.#gen) s.res.reset();
    return at;
  }

  /** Delivers the head with the body bytes that came along; returns the offset behind them. */
  #passHead(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const head = s.res;
    const sink = this.#context.sink;
    const body = this.#body;
    const status = head.status;
    if (this.#isHead || status === 204 || status === 304 || (!head.chunked && head.contentLength === 0)) {
      return this.#passLastHead(s, null, at, at, at, end);
    }
    if (head.chunked) body.beginChunked();
    else if (head.contentLength > 0) body.beginLength(head.contentLength);
    else body.beginUntilClose();
    this.#read = Read.body;
    const result = body.feed(buf, at, end, isOwned, this.#config.response);
    if (result < 0) {
      this.#fail(Code.upstreamProtocol);
      return end;
    }
    s.responseOwned = body.isOwned;
    const bytes = body.end > body.start ? body.buf : null;
    const consumed = body.at;
    if (result === Body.end) return this.#passLastHead(s, bytes, body.start, body.end, consumed, end);
    if (result === Body.more) {
      sink.responseHead(s, bytes, body.start, body.end, false);
      return consumed;
    }
    sink.responseHead(s, bytes, body.start, body.end, false);
    this.#passTrailers(s, consumed, end);
    return consumed;
  }

  #passLastHead(s: Stream, bytes: Buffer | null, a: number, b: number, at: number, end: number): number {
    const keeps = this.#isReusable(s, at, end);
    this.#release(keeps);
    this.#context.sink.responseHead(s, bytes, a, b, true);
    if (!keeps) this.wire.destroy(Code.locallyClosed);
    return at;
  }

  #readBody(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const body = this.#body;
    const result = body.feed(buf, at, end, isOwned, this.#config.response);
    if (result < 0) {
      this.#fail(Code.upstreamProtocol);
      return end;
    }
    const { at: consumed, buf: bytes, start: a, end: b } = body;
    s.responseOwned = body.isOwned;
    const sink = this.#context.sink;
    if (result === Body.end) {
      const keeps = this.#isReusable(s, consumed, end);
      this.#release(keeps);
      sink.responseData(s, bytes, a, b, true);
      if (!keeps) this.wire.destroy(Code.locallyClosed);
      return consumed;
    }
    if (b > a) sink.responseData(s, bytes, a, b, false);
    if (result === Body.endWithTrailers) this.#passTrailers(s, consumed, end);
    return consumed;
  }

  #passTrailers(s: Stream, at: number, end: number): void {
    const trailers = this.#body.trailers;
    if (trailers === null || this.#stream !== s || s.gen !== this.#gen) return;
    const keeps = this.#isReusable(s, at, end);
    this.#release(keeps);
    this.#context.sink.responseTrailers(s, trailers);
    if (!keeps) this.wire.destroy(Code.locallyClosed);
  }

  #openTunnel(s: Stream, isAsked: boolean, buf: Buffer, at: number, end: number): number {
    if (!isAsked) {
      this.#fail(Code.upstreamProtocol);
      return end;
    }
    this.#read = Read.tunnel;
    s.isTunnel = true;
    const early = this.#early;
    this.#early = null;
    this.#context.sink.responseHead(s, at < end ? buf : null, at, end, false);
    if (early === null || this.#stream !== s || s.gen !== this.#gen) return end;
    let ok = true;
    for (const bytes of early) ok = this.wire.write(bytes, 0, bytes.length);
    if (ok) this.#context.sink.writable(s, this);
    return end;
  }

  /** Only a connection on which both messages ended where they should, with nothing behind them, serves again. */
  #isReusable(s: Stream, at: number, end: number): boolean {
    const isClean = this.#requestSent && at === end && !s.res.close && this.#hold.sizeBytes === 0;
    return isClean && !this.#isDraining && !this.#peerEnded && this.wire.pending === 0;
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  /** Lets go of the stream and tells the pool, before the last event is delivered. */
  #release(keeps: boolean): void {
    this.#stream = null;
    this.#early = null;
    this.active = 0;
    this.#body.clear();
    if (!keeps) {
      this.#retire(Code.none);
      return;
    }
    this.#read = Read.idle;
    this.room = 1;
    this.#resume();
    this.#owner.room(this);
  }

  /** Takes no more streams. */
  #retire(code: number): void {
    this.#read = Read.gone;
    this.room = 0;
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this, code);
  }

  /** Drops the connection, and resets the stream that it carries, if any. */
  #fail(code: number): void {
    const s = this.#stream;
    this.#stream = null;
    this.#early = null;
    this.active = 0;
    this.#retire(code);
    this.wire.destroy(code);
    if (s !== null && s.gen === this.#gen) this.#context.sink.upstreamReset(s, code);
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.wire.resume();
  }

  onDrain(): void {
    const s = this.#stream;
    if (s !== null && s.gen === this.#gen) this.#context.sink.writable(s, this);
  }

  onEnd(): void {
    this.#peerEnded = true;
    const s = this.#stream;
    if (s === null) {
      if (this.#read !== Read.gone) this.#fail(Code.upstreamClosed);
    } else if (this.#read === Read.tunnel) {
      if (s.gen === this.#gen) this.#context.sink.responseData(s, nothing, 0, 0, true);
      // The stream may go on in the other direction; when it does not, nobody else closes this side.
      if (s.gen !== this.#gen) this.#fail(Code.none);
    } else if (this.#read === Read.body && this.#body.isUntilClose) {
      this.#release(false);
      this.#context.sink.responseData(s, nothing, 0, 0, true);
      this.wire.destroy(Code.locallyClosed);
    } else this.#fail(Code.upstreamClosed);
  }

  onClose(code: number): void {
    const reason = code === Code.none ? Code.upstreamClosed : code;
    const s = this.#stream;
    this.#stream = null;
    this.#early = null;
    this.active = 0;
    this.#hold.clear();
    this.#body.clear();
    this.#retire(reason);
    if (s !== null && s.gen === this.#gen) this.#context.sink.upstreamReset(s, reason);
  }

  /** HTTP/1.1 has no heartbeat: a request would be one. */
  ping(): void {}

  drain(): void {
    this.#isDraining = true;
    this.room = 0;
    if (this.#stream === null && this.#read !== Read.gone) this.#fail(Code.none);
  }

  isIdle(): boolean {
    return this.#stream === null && this.#read !== Read.gone && this.wire.pending === 0;
  }

  cutPoint(): number {
    return this.#hold.sizeBytes;
  }

  exportState(): CodecState | null {
    return this.isIdle() && !this.#peerEnded && !this.#isDraining
      ? exportConnection(this.#hold, this.served)
      : null;
  }

  importState(state: CodecState): void {
    this.served = readState(state);
  }
}
