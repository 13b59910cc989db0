import { Code } from '../../../core/base/codes.ts';
import type { CodecContext } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { Body, BodyReader } from './body-reader.ts';
import type { Http1Config } from './config.ts';
import { ByteHold } from './hold.ts';
import { Refusal } from './refusals.ts';
import { scanResponse } from './scan.ts';

/** What the next byte is. `gone`: the connection takes no more streams and its bytes are ignored. */
export const Read = { idle: 0, head: 1, body: 2, tunnel: 3, gone: 4 } as const;

/** Interim answers to one request; a server that sends more is broken. */
const maxInformational = 100;

/**
 * Reads the answers of one connection and delivers them; `Http1Client` sends the requests.
 *
 *   idle --bind--> head (1xx ...) -> body -> idle        given back before the last event of the stream
 *                                 -> tunnel
 *   anything -> gone                                     closed, or in a state that the next request could not trust
 */
export abstract class ResponseReader {
  readonly wire: Wire;
  protected readonly context: CodecContext;
  protected readonly config: Http1Config;
  protected readonly hold: ByteHold = new ByteHold();
  protected readonly body: BodyReader = new BodyReader();
  protected stream: Stream | null = null;
  /** Of `stream` when it was bound: a tunnel's stream may end before its connection. */
  protected gen = 0;
  protected read: number = Read.idle;
  protected headSent = false;
  /** Facts of the request that say what its answer may be. */
  protected isHead = false;
  protected mayUpgrade = false;
  protected mayTunnel = false;
  /** The upstream closes after this answer. Not read from `s.res` at its end: a caller may have kept that head. */
  protected closes = false;
  #informational = 0;

  constructor(wire: Wire, context: CodecContext, config: Http1Config) {
    this.wire = wire;
    this.context = context;
    this.config = config;
  }

  /** The answer is complete and `buf[at, end)` is behind it: may the connection serve again? */
  protected abstract isReusable(at: number, end: number): boolean;
  /** Lets go of the stream and tells the pool, before the last event is delivered. */
  protected abstract release(keeps: boolean): void;
  /** Drops the connection, and resets the stream that it carries, if any. */
  protected abstract fail(code: number): void;
  /** The head that opens the tunnel was delivered. */
  protected abstract tunnelOpened(s: Stream): void;

  protected expectAnswer(): void {
    this.read = Read.head;
    this.#informational = 0;
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.stream === null || !this.headSent) {
      // Nobody asked: an answer that comes late, or a server that says why it closes.
      if (this.read !== Read.gone) this.fail(Code.upstreamProtocol);
      return;
    }
    const hold = this.hold;
    if (hold.sizeBytes === 0) {
      this.#run(buf, start, end, this.wire.ownsReads);
      return;
    }
    const heldBytes = hold.sizeBytes;
    hold.append(buf, start, end);
    const newLine = hold.buf.indexOf(10, hold.start + heldBytes);
    const isLong = hold.sizeBytes > this.config.response.maxHeaderBytes;
    if (!isLong && (newLine < 0 || newLine >= hold.end)) return;
    const held = { buf: hold.buf, start: hold.start, end: hold.end };
    hold.take();
    this.#run(held.buf, held.start, held.end, true);
  }

  #run(buf: Buffer, start: number, end: number, isOwned: boolean): void {
    const s = this.stream as Stream;
    let at = start;
    while (at < end && this.stream === s && s.gen === this.gen) {
      const before = at;
      if (this.read === Read.head) at = this.#readHead(s, buf, at, end, isOwned);
      else if (this.read === Read.body) at = this.#readBody(s, buf, at, end, isOwned);
      else if (this.read === Read.tunnel) {
        s.responseOwned = isOwned;
        at = end;
        this.context.sink.responseData(s, buf, before, end, false);
      } else break;
      if (at === before) break;
    }
    if (at < end && this.stream === s && this.read === Read.head) this.hold.keep(buf, at, end, isOwned);
    else if (this.hold.sizeBytes === 0) this.hold.clear();
  }

  #readHead(s: Stream, buf: Buffer, start: number, end: number, isOwned: boolean): number {
    const head = s.res;
    const limits = this.config.response;
    const at = scanResponse(head, buf, start, end, limits);
    if (at < 0) {
      head.reset();
      const isPartial = at === Refusal.incomplete && end - start <= limits.maxHeaderBytes;
      if (!isPartial) this.fail(Code.upstreamProtocol);
      return isPartial ? start : end;
    }
    head.borrowed = !isOwned;
    s.responseOwned = isOwned;
    const status = head.status;
    if (status < 200) {
      if (status === 101) return this.#openTunnel(s, this.mayUpgrade, buf, at, end);
      return this.#passInformational(s, at, end);
    }
    if (this.mayTunnel && status < 300) return this.#openTunnel(s, true, buf, at, end);
    return this.#passHead(s, buf, at, end, isOwned);
  }

  #passInformational(s: Stream, at: number, end: number): number {
    if (++this.#informational > maxInformational) {
      this.fail(Code.upstreamProtocol);
      return end;
    }
    this.context.sink.responseInformational(s);
    if (this.stream === s && s.gen === this.gen) s.res.reset();
    return at;
  }

  /** Delivers the head with the body bytes that came along; returns the offset behind them. */
  #passHead(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const head = s.res;
    const sink = this.context.sink;
    const body = this.body;
    const status = head.status;
    this.closes = head.close;
    if (this.isHead || status === 204 || status === 304 || (!head.chunked && head.contentLength === 0)) {
      return this.#passLastHead(s, null, at, at, at, end);
    }
    if (head.chunked) body.beginChunked();
    else if (head.contentLength > 0) body.beginLength(head.contentLength);
    else body.beginUntilClose();
    this.read = Read.body;
    const result = body.feed(buf, at, end, isOwned, this.config.response);
    if (result < 0) {
      this.fail(Code.upstreamProtocol);
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
    const keeps = this.isReusable(at, end);
    this.release(keeps);
    this.context.sink.responseHead(s, bytes, a, b, true);
    if (!keeps) this.wire.destroy(Code.locallyClosed);
    return at;
  }

  #readBody(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const body = this.body;
    const result = body.feed(buf, at, end, isOwned, this.config.response);
    if (result < 0) {
      this.fail(Code.upstreamProtocol);
      return end;
    }
    const { at: consumed, buf: bytes, start: a, end: b } = body;
    s.responseOwned = body.isOwned;
    const sink = this.context.sink;
    if (result === Body.end) {
      const keeps = this.isReusable(consumed, end);
      this.release(keeps);
      sink.responseData(s, bytes, a, b, true);
      if (!keeps) this.wire.destroy(Code.locallyClosed);
      return consumed;
    }
    if (b > a) sink.responseData(s, bytes, a, b, false);
    if (result === Body.endWithTrailers) this.#passTrailers(s, consumed, end);
    return consumed;
  }

  #passTrailers(s: Stream, at: number, end: number): void {
    const trailers = this.body.trailers;
    if (trailers === null || this.stream !== s || s.gen !== this.gen) return;
    const keeps = this.isReusable(at, end);
    this.release(keeps);
    this.context.sink.responseTrailers(s, trailers);
    if (!keeps) this.wire.destroy(Code.locallyClosed);
  }

  #openTunnel(s: Stream, isAsked: boolean, buf: Buffer, at: number, end: number): number {
    if (!isAsked) {
      this.fail(Code.upstreamProtocol);
      return end;
    }
    this.read = Read.tunnel;
    s.isTunnel = true;
    this.context.sink.responseHead(s, at < end ? buf : null, at, end, false);
    if (this.stream === s && s.gen === this.gen) this.tunnelOpened(s);
    return end;
  }
}
