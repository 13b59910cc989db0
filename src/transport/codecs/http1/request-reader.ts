import type { HeadView } from '../../../core/base/head-view.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { Body, BodyReader } from './body-reader.ts';
import type { Http1Config } from './config.ts';
import { ByteHold } from './hold.ts';
import { Policy } from './limits.ts';
import { Refusal } from './refusals.ts';
import { scanRequest } from './scan.ts';
import { ServerDeadlines } from './server-deadlines.ts';

/** What the next byte is. `answer`: the request is complete; `tunnelOrNot`: the answer decides. */
export const Read = { head: 0, body: 1, answer: 2, tunnelOrNot: 3, tunnel: 4, closing: 5 } as const;

/** A pipelining client is read this far ahead for each request that it may have waiting. */
const aheadBytesPerRequest = 2048;

/**
 * Reads the requests of one connection in order and delivers them; `Http1Server` answers.
 *
 *   head -> body -> answer -> head ...             pipelined bytes wait in `hold` for their turn
 *        -> tunnelOrNot -> tunnel | answer         CONNECT and Upgrade
 *   anything -> closing                            FIN sent, the rest is read and dropped
 */
export abstract class RequestReader extends WheelNode implements StreamEnd {
  readonly wire: Wire;
  active = 0;
  protected readonly context: CodecContext;
  protected readonly owner: ServerOwner;
  protected readonly config: Http1Config;
  protected readonly deadlines: ServerDeadlines;
  protected readonly hold: ByteHold = new ByteHold();
  protected readonly body: BodyReader = new BodyReader();
  protected stream: Stream | null = null;
  /** Of `stream` when it began: a tunnel's stream may end before its connection. */
  protected gen = 0;
  protected read: number = Read.head;
  protected served = 0;
  protected minor = 1;
  protected isHead = false;
  protected keepsAlive = true;
  /** The client waits for a 100 before it sends the body. */
  protected expects = false;
  protected isWireFull = false;
  protected isAheadFull = false;
  protected isRunning = false;
  readonly #policy: number;
  #authority = '';
  #bodyBytes = 0;
  #countedBytes = 0;

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http1Config) {
    super();
    this.wire = wire;
    this.context = context;
    this.owner = owner;
    this.config = config;
    this.#policy = policyOf(config);
    this.deadlines = new ServerDeadlines(this, context, owner.limits);
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
  abstract sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean;
  abstract sendTrailers(s: Stream, trailers: HeadView): void;
  abstract reset(s: Stream, code: number): void;
  abstract pauseRead(s: Stream): void;
  abstract resumeRead(s: Stream): void;

  /** Answers bytes that are no request and closes. */
  protected abstract refuse(refusal: number): void;
  /** The same in the middle of a body. */
  protected abstract failBody(refusal: number): void;
  /** The request is complete as read; ends it if it is answered too. */
  protected abstract settle(): void;
  /** Body bytes of a request that is answered already. */
  protected abstract drainBody(sizeBytes: number): void;
  protected abstract dropBytes(sizeBytes: number): void;
  /** The loop over the bytes at hand has ended. */
  protected abstract afterRun(): void;
  protected abstract resumeWire(): void;

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.read === Read.closing) {
      this.dropBytes(end - start);
      return;
    }
    const hold = this.hold;
    if (hold.sizeBytes === 0 && this.#canRun()) {
      this.#run(buf, start, end, this.wire.ownsReads);
      return;
    }
    const heldBytes = hold.sizeBytes;
    hold.append(buf, start, end);
    this.#countHeld();
    if (!this.#canRun()) this.#limitAhead();
    else if (this.read !== Read.head || this.#isWorthAScan(heldBytes)) this.runHeld();
  }

  /** Goes on with what is held, as far as it may. */
  protected runHeld(): void {
    const hold = this.hold;
    if (hold.sizeBytes > 0 && this.#canRun()) {
      const { buf, start, end } = hold;
      hold.take();
      this.#run(buf, start, end, true);
    }
    this.#countHeld();
    if (this.isAheadFull && !this.#isAboveMark()) {
      this.isAheadFull = false;
      this.resumeWire();
    }
  }

  #canRun(): boolean {
    if (this.isRunning || this.read === Read.answer || this.read === Read.tunnelOrNot) return false;
    return this.read !== Read.head || !this.isWireFull;
  }

  /** A held head is scanned again only when a line ended or a limit was passed: byte by byte stays linear. */
  #isWorthAScan(heldBytes: number): boolean {
    const hold = this.hold;
    const { maxUriBytes, maxHeaderBytes } = this.owner.limits;
    if (hold.sizeBytes > maxHeaderBytes) return true;
    if (heldBytes <= maxUriBytes && hold.sizeBytes > maxUriBytes) return true;
    const newLine = hold.buf.indexOf(10, hold.start + heldBytes);
    return newLine >= 0 && newLine < hold.end;
  }

  /** Works through bytes; holds what must wait. */
  #run(buf: Buffer, start: number, end: number, isOwned: boolean): void {
    this.isRunning = true;
    let at = start;
    while (at < end) {
      const before = at;
      if (this.read === Read.head) at = this.isWireFull ? at : this.#readHead(buf, at, end, isOwned);
      else if (this.read === Read.body) at = this.#readBody(buf, at, end, isOwned);
      else if (this.read === Read.tunnel) at = this.#readTunnel(buf, at, end, isOwned);
      else if (this.read === Read.closing) break;
      if (at === before) break;
    }
    this.isRunning = false;
    if (this.read === Read.closing) {
      this.clearHeld();
      if (at < end) this.dropBytes(end - at);
      return;
    }
    if (at < end) this.#keep(buf, at, end, isOwned);
    else if (this.hold.sizeBytes === 0) this.hold.clear();
    this.afterRun();
  }

  #keep(buf: Buffer, at: number, end: number, isOwned: boolean): void {
    this.hold.keep(buf, at, end, isOwned);
    this.#countHeld();
  }

  protected clearHeld(): void {
    this.hold.clear();
    this.#countHeld();
  }

  /** Held bytes count against the budget of the mesh, however many connections hold a little. */
  #countHeld(): void {
    const held = this.hold.sizeBytes;
    if (held === this.#countedBytes) return;
    this.context.budget.heldBytes += held - this.#countedBytes;
    this.#countedBytes = held;
  }

  #readHead(buf: Buffer, start: number, end: number, isOwned: boolean): number {
    const sink = this.context.sink;
    const limits = this.owner.limits;
    const s = sink.acquire();
    const at = scanRequest(s.req, buf, start, end, limits, this.#policy);
    if (at >= 0) return this.#passHead(s, buf, at, end, isOwned);
    sink.release(s);
    if (at === Refusal.incomplete && end - start <= limits.maxHeaderBytes) {
      this.deadlines.headBegins(limits);
      return start;
    }
    this.refuse(at === Refusal.incomplete ? Refusal.headersTooLarge : at);
    return end;
  }

  /** Delivers the head with the body bytes that came along; returns the offset behind them. */
  #passHead(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const head = s.req;
    const sink = this.context.sink;
    if (head.chunked || head.contentLength > 0) return this.#passHeadAndBody(s, buf, at, end, isOwned);
    this.#begin(s, isOwned);
    this.deadlines.requestEnds();
    this.read = head.upgrade === '' ? Read.answer : Read.tunnelOrNot;
    sink.requestHead(s, null, 0, 0, true);
    return at;
  }

  #passHeadAndBody(s: Stream, buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const head = s.req;
    const sink = this.context.sink;
    const body = this.body;
    if (head.chunked) body.beginChunked();
    else body.beginLength(head.contentLength);
    this.#bodyBytes = 0;
    const result = this.#isTooLarge(head.contentLength)
      ? Refusal.payloadTooLarge
      : this.#feed(buf, at, end, isOwned);
    if (result < 0) {
      sink.release(s);
      this.refuse(result);
      return end;
    }
    this.#begin(s, isOwned);
    this.expects = head.expectContinue && at === end;
    this.#noteProgress(result);
    const consumed = body.at;
    s.requestOwned = body.isOwned;
    const bytes = body.end > body.start ? body.buf : null;
    sink.requestHead(s, bytes, body.start, body.end, result === Body.end);
    if (result === Body.endWithTrailers) this.#passTrailers(s);
    return consumed;
  }

  /** What a stream needs before its head is delivered. */
  #begin(s: Stream, isOwned: boolean): void {
    const head = s.req;
    head.borrowed = !isOwned;
    s.down = this;
    s.pipeline = this.owner.pipeline;
    s.peer = this.wire.peer;
    s.protocol = 'http1';
    s.requestOwned = isOwned;
    this.#internAuthority(head);
    this.stream = s;
    this.gen = s.gen;
    this.active = 1;
    this.served++;
    this.minor = head.minor;
    this.isHead = head.methodText === 'HEAD';
    this.expects = false;
    const max = this.owner.limits.maxRequestsPerConnection;
    this.keepsAlive = !head.close && (max === 0 || this.served < max);
  }

  /** A map lookup by the string of the last request costs 6 ns, by a fresh one 120: most connections name one host. */
  #internAuthority(head: HeadView): void {
    const { buf, authorityStart, authorityEnd } = head;
    const known = this.#authority;
    let isSame = known.length === authorityEnd - authorityStart;
    for (let i = 0; isSame && i < known.length; i++) isSame = known.charCodeAt(i) === buf[authorityStart + i];
    if (!isSame) this.#authority = this.context.texts.get(buf, authorityStart, authorityEnd);
    head.authorityText = this.#authority;
  }

  #readBody(buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const result = this.#feed(buf, at, end, isOwned);
    if (result < 0) {
      this.failBody(result);
      return end;
    }
    const body = this.body;
    const consumed = body.at;
    const s = this.stream;
    this.expects = false;
    this.#noteProgress(result);
    if (s === null) {
      this.drainBody(body.end - body.start);
      if (result !== Body.more) this.settle();
      return consumed;
    }
    if (result === Body.end || body.end > body.start) {
      s.requestOwned = body.isOwned;
      this.context.sink.requestData(s, body.buf, body.start, body.end, result === Body.end);
    }
    if (result === Body.endWithTrailers) this.#passTrailers(s);
    return consumed;
  }

  #feed(buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const result = this.body.feed(buf, at, end, isOwned, this.owner.limits);
    this.#bodyBytes += this.body.end - this.body.start;
    return result >= 0 && this.#isTooLarge(this.#bodyBytes) ? Refusal.payloadTooLarge : result;
  }

  #isTooLarge(sizeBytes: number): boolean {
    const limit = this.owner.limits.maxBodyBytes;
    return limit > 0 && sizeBytes > limit;
  }

  #noteProgress(result: number): void {
    if (result === Body.more) {
      if (this.read === Read.body) return;
      this.read = Read.body;
      this.deadlines.bodyBegins(this.owner.limits);
    } else {
      this.read = Read.answer;
      this.deadlines.requestEnds();
    }
  }

  /** The stream may have ended when its last data were delivered. */
  #passTrailers(s: Stream): void {
    const trailers = this.body.trailers;
    if (trailers !== null && this.stream === s && s.gen === this.gen)
      this.context.sink.requestTrailers(s, trailers);
  }

  #readTunnel(buf: Buffer, at: number, end: number, isOwned: boolean): number {
    const s = this.stream;
    if (s === null || s.gen !== this.gen) this.dropBytes(end - at);
    else {
      s.requestOwned = isOwned;
      this.context.sink.requestData(s, buf, at, end, false);
    }
    return end;
  }

  /** Reading ahead is bounded: then the client waits. */
  #limitAhead(): void {
    if (this.isAheadFull || !this.#isAboveMark()) return;
    this.isAheadFull = true;
    this.wire.pause();
  }

  #isAboveMark(): boolean {
    const { budget } = this.context;
    const limit = budget.isExhausted ? 0 : this.owner.limits.maxPipelined * aheadBytesPerRequest;
    return this.hold.sizeBytes > limit;
  }
}

function policyOf(config: Http1Config): number {
  let policy = config.allowObsText ? Policy.allowObsText : 0;
  if (config.underscoresInHeaders === 'reject') policy |= Policy.refuseUnderscore;
  if (config.underscoresInHeaders === 'drop') policy |= Policy.dropUnderscore;
  return policy;
}
