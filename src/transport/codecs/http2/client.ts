import { Code } from '../../../core/base/codes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { hasNoBody, requestLength } from './body-length.ts';
import type { Http2Config } from './config.ts';
import { Http2Connection } from './connection.ts';
import {
  defaultWindowBytes,
  Flag,
  frameHeaderBytes,
  H2Error,
  maxStreamId,
  preface,
  Setting,
} from './constants.ts';
import { encodeRequest, headBound } from './encode-head.ts';
import { codeOfReset } from './error-codes.ts';
import type { AssemblyLimits } from './head-assembly.ts';
import { Http2Stream } from './http2-stream.ts';
import { judgeResponse, judgeTrailers } from './request-head.ts';
import { readState, stateOf } from './state.ts';
import { acceptOf, webSocketKey } from './web-socket.ts';

const nothing: Buffer = Buffer.alloc(0);
/** Interim answers to one request; a server that sends more is broken. */
const maxInformational = 100;

/** The upstream side of one HTTP/2 connection. */
export class Http2Client extends Http2Connection implements ClientCodec {
  served = 0;
  protected readonly isServer = false;
  readonly #owner: ClientOwner;
  #isGone = false;
  /** Bytes read when the keep-alive looked last, and when it may send the next PING. */
  #bytesSeen = 0;
  #quietSinceMs = 0;
  #nextPingMs = 0;
  #lingerAtMs = 0;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner, config: Http2Config) {
    super(wire, context, config);
    this.#owner = owner;
    wire.attach(this);
  }

  get room(): number {
    if (this.isDraining || this.isClosing || this.#isGone) return 0;
    const most = Math.min(this.config.maxConcurrentStreams, this.peer.maxConcurrentStreams);
    return Math.max(0, most - this.streams.size);
  }

  protected override hasRoom(): boolean {
    return this.room > 0;
  }

  protected headLimits(): AssemblyLimits {
    return this.config.response;
  }

  protected maxHeaderBlockBytes(): number {
    return this.config.response.maxHeaderBytes;
  }

  protected streamOf(s: Stream): Http2Stream | undefined {
    const each = this.streams.get(s.upId);
    return each !== undefined && each.s === s ? each : undefined;
  }

  protected isOwned(s: Stream): boolean {
    return s.requestOwned;
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  /** Stream ids are given when the head is sent: they must go out in order (RFC 9113 §5.1.1). */
  bind(s: Stream): void {
    s.up = this;
    s.reused = this.served > 0;
    this.served++;
    this.#greet();
    this.lastId += this.lastId === 0 ? 1 : 2;
    s.upId = this.lastId;
    const window = this.settingsAcked ? this.config.streamWindowBytes : defaultWindowBytes;
    this.streams.set(s.upId, new Http2Stream(s.upId, s, this.peer.initialWindowBytes, window));
    if (this.lastId > maxStreamId - 4) this.#leave(Code.none);
    this.#armKeepalive();
  }

  /** The preface, once. */
  #greet(): void {
    if (this.settingsSent) return;
    this.out.reserve(preface.length);
    this.out.copy(preface, 0, preface.length);
    const values = this.commonSettings();
    values.push([Setting.enablePush, 0]);
    this.putSettings(values);
    this.#bytesSeen = this.wire.bytesRead;
    this.context.wheel.arm(this, this.ackDueMs);
  }

  onConnect(): void {
    this.#greet();
    this.#owner.connected(this);
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined || each.headSent) return true;
    const isTunnel = head.upgrade !== '';
    if (isTunnel && head.upgrade !== 'connect' && !this.peer.extendedConnect) {
      return this.#waitForSettings(each, buf, a, b);
    }
    each.headSent = true;
    each.isHead = head.methodText === 'HEAD';
    each.awaitsTunnel = isTunnel;
    if (buf === null) b = a;
    const lengthBytes = requestLength(head, b - a, end);
    each.sendLeft = isTunnel ? -1 : lengthBytes;
    const isLast = end && a === b && !isTunnel && lengthBytes <= 0;
    this.out.reserve(frameHeaderBytes + headBound(head));
    const start = this.out.at;
    const isSecure = this.wire.kind === 'tls';
    const at = encodeRequest(
      this.encoder,
      head,
      this.out.buf,
      start + frameHeaderBytes,
      isSecure,
      lengthBytes,
    );
    this.finishHeaders(each.id, start, at, isLast ? Flag.endStream : 0);
    if (isLast) {
      each.localEnded = true;
      return true;
    }
    // The head of a tunnel is complete, its stream is not; a tunnel carries nothing before it is open.
    if (isTunnel) {
      if (b > a) each.early.push(Buffer.from((buf as Buffer).subarray(a, b)));
      return true;
    }
    return a === b && !end ? true : this.sendBody(each, buf ?? nothing, a, b, end, s.requestOwned);
  }

  /** Whether the upstream takes an extended CONNECT is known with its SETTINGS (RFC 8441 §3). */
  #waitForSettings(each: Http2Stream, buf: Buffer | null, a: number, b: number): boolean {
    each.awaitsSettings = true;
    if (buf !== null && b > a) each.early.push(Buffer.from(buf.subarray(a, b)));
    if (this.peer.isKnown) this.abandon(each, H2Error.none, Code.upgradeRefused);
    return true;
  }

  protected override settingsCame(hadRoom: boolean): void {
    for (const each of [...this.streams.values()]) {
      const s = each.s;
      if (!each.awaitsSettings || s === null) continue;
      each.awaitsSettings = false;
      // Streams that began since have used up the ids above the old one.
      this.streams.delete(each.id);
      each.id = s.upId = this.lastId += 2;
      this.streams.set(each.id, each);
      this.sendHead(s, s.req, null, 0, 0, true);
    }
    if (!hadRoom && this.room > 0) this.#owner.room(this);
  }

  override sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined) return true;
    if (each.awaitsTunnel || each.awaitsSettings) {
      if (b > a) each.early.push(Buffer.from(buf.subarray(a, b)));
      if (end) each.earlyEnds = true;
      return false;
    }
    return super.sendData(s, buf, a, b, end);
  }

  reset(s: Stream, code: number): void {
    const each = this.streamOf(s);
    if (each === undefined) return;
    this.forget(each);
    if (each.headSent)
      this.putReset(each.id, code === Code.upstreamProtocol ? H2Error.protocol : H2Error.cancel);
    else this.#skipped(each);
    this.finished();
  }

  /** An id whose head never left is as good as closed for the server once a higher one is used. */
  #skipped(each: Http2Stream): void {
    this.closedIds.add(each.id);
  }

  protected coreEnded(each: Http2Stream): void {
    if (each.isTunnel && each.remoteEnded) each.s = null;
  }

  protected localEnded(each: Http2Stream): void {
    if (!each.remoteEnded) return;
    this.forget(each);
    this.finished();
  }

  protected abandon(each: Http2Stream, error: number, code: number): void {
    const s = each.s;
    this.forget(each);
    if (each.headSent) this.putReset(each.id, error);
    else this.#skipped(each);
    this.finished();
    if (s !== null) this.context.sink.upstreamReset(s, code);
  }

  // ---- answers ---------------------------------------------------------------------------------------------------

  protected headers(id: number, flags: number, buf: Buffer, start: number, end: number): void {
    const each = this.streams.get(id);
    if (each === undefined || !each.headSent) {
      if (this.isIdleId(id)) this.fail(H2Error.protocol, 'HEADERS on an idle stream');
      else if (this.closedIds.has(id)) this.decodeUnheard(buf, start, end);
      else this.fail(H2Error.streamClosed, 'HEADERS on a stream that was closed');
    } else if (each.remoteEnded) {
      this.decodeUnheard(buf, start, end);
      if (!this.isClosing) this.breakStream(each, H2Error.streamClosed);
    } else if (each.headSeen) this.#trailers(each, flags, buf, start, end);
    else this.#response(each, flags, buf, start, end);
  }

  #response(each: Http2Stream, flags: number, buf: Buffer, start: number, end: number): void {
    const s = each.s;
    if (s === null) {
      this.decodeUnheard(buf, start, end);
      return;
    }
    const head = s.res;
    if (!this.decodeHead(head, buf, start, end, false)) return;
    const block = this.assembly.buf;
    const isEnd = (flags & Flag.endStream) !== 0;
    const { status } = judgeResponse(this.assembly) ? head : noHead;
    if (status === 0 || (status < 200 && isEnd)) this.#breakHead(each, head);
    else if (status < 200) this.#informational(each, s);
    else this.#passHead(each, s, isEnd);
    this.releaseHead(block);
  }

  #breakHead(each: Http2Stream, head: HeadView): void {
    head.reset();
    this.breakStream(each, H2Error.protocol);
  }

  #informational(each: Http2Stream, s: Stream): void {
    if (++each.informational > maxInformational) {
      this.#breakHead(each, s.res);
      return;
    }
    this.context.sink.responseInformational(s);
    if (each.s === s) s.res.reset();
  }

  #passHead(each: Http2Stream, s: Stream, isEnd: boolean): void {
    const head = s.res;
    each.headSeen = true;
    const isBodyless = hasNoBody(head.status, each.isHead);
    if (!isBodyless && isEnd && head.contentLength > 0) {
      this.#breakHead(each, head);
      return;
    }
    each.recvLeft = isBodyless ? 0 : head.contentLength;
    if (each.awaitsTunnel && head.status < 300) {
      this.#openTunnel(each, s);
      return;
    }
    if (isEnd) {
      this.#remoteEnded(each);
      this.context.sink.responseHead(s, null, 0, 0, true);
      return;
    }
    if (head.contentLength < 0) head.chunked = true;
    this.#passHeadAndBody(each, s);
  }

  /** Body bytes that stand right behind the head go along with it: one write downstream where that is HTTP/1.1. */
  #passHeadAndBody(each: Http2Stream, s: Stream): void {
    const { reader } = this;
    const dataFlags = reader.takeData(each.id);
    if (dataFlags < 0) {
      this.context.sink.responseHead(s, null, 0, 0, false);
      return;
    }
    const { dataStart: a, dataEnd: b } = reader;
    const isEnd = (dataFlags & Flag.endStream) !== 0;
    if (!this.countData(b - a) || !this.takesData(each, a, b, b - a, isEnd)) return;
    s.responseOwned = reader.isOwned;
    if (isEnd) this.#remoteEnded(each);
    this.context.sink.responseHead(s, b > a ? reader.buf : null, a, b, isEnd);
  }

  #openTunnel(each: Http2Stream, s: Stream): void {
    each.awaitsTunnel = false;
    each.isTunnel = s.isTunnel = true;
    each.recvLeft = -1;
    if (s.req.upgrade !== 'connect') {
      s.res.status = 101;
      s.res.upgrade = s.req.upgrade;
      const key = s.req.get(webSocketKey);
      if (key !== null && s.req.upgrade === 'websocket') s.res.set('sec-websocket-accept', acceptOf(key));
    }
    this.context.sink.responseHead(s, null, 0, 0, false);
    if (each.s !== s) return;
    const { early, earlyEnds } = each;
    each.early = [];
    let ok = true;
    early.forEach((bytes, i) => {
      const isLast = earlyEnds && i === early.length - 1;
      if (each.s === s) ok = super.sendData(s, bytes, 0, bytes.length, isLast);
    });
    if (earlyEnds && early.length === 0) super.sendData(s, nothing, 0, 0, true);
    else if (early.length > 0 && ok && each.s === s) this.context.sink.writable(s, this);
  }

  protected passData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const s = each.s;
    if (end) this.#remoteEnded(each);
    if (s === null) return;
    s.responseOwned = this.reader.isOwned;
    this.context.sink.responseData(s, buf, a, b, end);
  }

  #trailers(each: Http2Stream, flags: number, buf: Buffer, start: number, end: number): void {
    const head = new HeadView();
    if (!this.decodeHead(head, buf, start, end, false)) return;
    const block = this.assembly.buf;
    const s = each.s;
    if ((flags & Flag.endStream) === 0 || each.recvLeft > 0 || !judgeTrailers(this.assembly)) {
      this.breakStream(each, H2Error.protocol);
    } else {
      this.#remoteEnded(each);
      if (s !== null && head.count > 0) this.context.sink.responseTrailers(s, head);
      else if (s !== null) this.context.sink.responseData(s, nothing, 0, 0, true);
    }
    this.releaseHead(block);
  }

  /** The answer is complete: the connection is given back before its last event is delivered. */
  #remoteEnded(each: Http2Stream): void {
    each.remoteEnded = true;
    if (each.isTunnel && !each.localEnded) return;
    // An answer that overtook its request: the rest is not wanted.
    if (!each.localEnded) this.putReset(each.id, H2Error.none);
    this.forget(each);
    this.finished();
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  protected peerReset(each: Http2Stream, error: number): void {
    const s = each.s;
    this.forget(each);
    this.finished();
    if (s !== null) this.context.sink.upstreamReset(s, codeOfReset(error));
  }

  protected notifyReset(s: Stream, code: number): void {
    this.context.sink.upstreamReset(s, code);
  }

  protected finished(): void {
    if (this.isClosing) return;
    if (!this.isDraining) this.#owner.room(this);
    if (this.isDraining && this.streams.size === 0) this.dirty();
  }

  protected flushed(): void {
    if (this.isDraining && this.streams.size === 0 && !this.isClosing) {
      this.isClosing = true;
      if (this.settingsSent) this.putGoAway(0, H2Error.none, '');
      this.out.send();
      this.out.release();
      this.isEnding = true;
    }
    if (!this.isEnding) return;
    this.#leave(Code.none);
    this.wire.end();
    if (this.#lingerAtMs > 0) return;
    this.#lingerAtMs = this.context.clock.now() + this.config.lingerMs;
    this.context.wheel.arm(this, this.#lingerAtMs);
  }

  protected report(): void {}

  /** The server opens no streams. */
  protected lastPeerId(): number {
    return 0;
  }

  protected lostAll(code: number): void {
    this.#leave(code);
  }

  /** Takes no more streams; the pool is told once. */
  #leave(code: number): void {
    this.isDraining = true;
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this, code);
  }

  /** RFC 9113 §6.8: streams above `lastId` were not and will not be processed. */
  protected goAwayCame(lastId: number): void {
    const refused = [...this.streams.values()].filter((each) => each.id > lastId);
    const told = refused.map((each) => each.s);
    for (const each of refused) this.forget(each);
    this.#leave(Code.draining);
    for (const s of told) if (s !== null) this.context.sink.upstreamReset(s, Code.upstreamRefused);
    if (this.streams.size === 0) this.dirty();
  }

  drain(): void {
    this.isDraining = true;
    if (this.streams.size === 0) this.dirty();
  }

  onEnd(): void {
    this.#leave(Code.upstreamClosed);
    this.isClosing = true;
    this.resetAll(Code.upstreamClosed);
    this.wire.destroy(Code.upstreamClosed);
  }

  onClose(code: number): void {
    const reason = code === Code.none ? Code.upstreamClosed : code;
    this.isClosed = this.isClosing = true;
    this.context.wheel.disarm(this);
    this.reader.clear();
    this.#leave(reason);
    this.resetAll(reason);
    this.out.drop();
  }

  // ---- keep-alive ------------------------------------------------------------------------------------------------

  /** The pool asks for none: `heartbeat` is absent, the connection looks after itself. */
  ping(): void {
    this.sendPing();
    this.context.wheel.arm(this, this.ackDueMs);
  }

  protected ponged(): void {}

  #armKeepalive(): void {
    const { keepaliveMs } = this.config;
    if (keepaliveMs > 0 && this.wheelSlot < 0) {
      this.#quietSinceMs = this.context.clock.now();
      this.context.wheel.arm(this, this.#quietSinceMs + keepaliveMs);
    }
  }

  onDeadline(nowMs: number): void {
    if (this.#lingerAtMs > 0) {
      this.wire.destroy(Code.locallyClosed);
      return;
    }
    if (this.ackDueMs > 0 && nowMs >= this.ackDueMs && !this.wire.isConnecting) {
      if (this.isPingOut) this.#lost();
      else this.fail(H2Error.settingsTimeout, 'no acknowledgement of SETTINGS');
      return;
    }
    if (this.streams.size > 0) this.#lookForLife(nowMs);
    this.#armNext(nowMs);
  }

  /** A connection with streams on which nothing comes: is anybody there? Asked rarely while all is quiet. */
  #lookForLife(nowMs: number): void {
    const { keepaliveMs, keepaliveBackoffMs } = this.config;
    if (keepaliveMs === 0) return;
    const { bytesRead } = this.wire;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#quietSinceMs = nowMs;
      // The answer to a PING is no sign of work.
      if (nowMs >= this.#nextPingMs) this.#nextPingMs = 0;
      return;
    }
    if (nowMs < this.#quietSinceMs + keepaliveMs || nowMs < this.#nextPingMs) return;
    this.#nextPingMs = nowMs + keepaliveBackoffMs;
    this.sendPing();
  }

  #armNext(nowMs: number): void {
    if (this.ackDueMs > 0) this.context.wheel.arm(this, Math.max(this.ackDueMs, nowMs + 1));
    else if (this.streams.size > 0 && this.config.keepaliveMs > 0) {
      this.context.wheel.arm(this, nowMs + this.config.keepaliveMs);
    }
  }

  #lost(): void {
    this.isClosing = true;
    this.resetAll(Code.heartbeatLost);
    this.wire.destroy(Code.heartbeatLost);
  }

  // ---- moving ----------------------------------------------------------------------------------------------------

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining || this.isPingOut || this.wire.isConnecting) return null;
    return stateOf(this.reader, { ...this.exportCommon(), served: this.served });
  }

  importState(state: CodecState): void {
    const data = readState<ReturnType<Http2Client['exportCommon']> & { served: number }>(state);
    this.importCommon(data);
    this.served = data.served;
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}

const noHead: HeadView = new HeadView();
