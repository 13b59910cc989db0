import { Code } from '../../../core/base/codes.ts';
import { isGrpcHead } from '../../../core/base/grpc-head.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { DateText } from '../http1/local-answer.ts';
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
import { encodeResponse, headBound } from './encode-head.ts';
import type { AssemblyLimits } from './head-assembly.ts';
import { selfDependent } from './head-receiver.ts';
import { Http2Stream, keepEarly } from './http2-stream.ts';
import { codeOfRefusal, refusalHead } from './refusal-head.ts';
import { judgeRequest, judgeTrailers, type RequestRules, Verdict } from './request-head.ts';
import { type ConnectionFacts, ServerDeadlines } from './server-deadlines.ts';
import { freshKey, webSocketKey } from './web-socket.ts';

const nothing: Buffer = Buffer.alloc(0);

/** Reads the requests of one connection and delivers them; `Http2Server` answers. */
export abstract class RequestReceiver extends Http2Connection implements ConnectionFacts {
  protected readonly isServer = true;
  protected readonly owner: ServerOwner;
  protected readonly deadlines: ServerDeadlines;
  protected prefaceSeen = 0;
  /** The stream id of our last GOAWAY; streams above it are refused. */
  protected goAwayId: number = maxStreamId;
  protected served = 0;
  /** The owner knows that the connection waits. */
  protected isAnnounced = true;
  #date: DateText | null = null;

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http2Config) {
    super(wire, context, config);
    this.owner = owner;
    this.deadlines = new ServerDeadlines(this, context, this, owner.limits);
  }

  /** Both directions of a stream are over. */
  protected abstract end(each: Http2Stream): void;
  /** The connection has carried as much as it may. */
  protected abstract drainWhenSpent(): void;

  override onBytes(buf: Buffer, start: number, end: number): void {
    if (this.prefaceSeen < preface.length) start = this.#readPreface(buf, start, end);
    if (start < end) super.onBytes(buf, start, end);
    if (this.isMidHead) this.deadlines.midBegins(this.owner.limits);
  }

  get isMidHead(): boolean {
    const isGreeting = this.prefaceSeen > 0 && !this.peer.isKnown;
    return (isGreeting || this.isInBlock || this.reader.partBytes > 0) && !this.isClosing;
  }

  get frames(): number {
    return this.reader.frames;
  }

  #readPreface(buf: Buffer, start: number, end: number): number {
    if (this.isClosing) return end;
    while (start < end && this.prefaceSeen < preface.length) {
      if (buf[start++] === preface[this.prefaceSeen++]) continue;
      this.fail(H2Error.protocol, 'the connection preface is not that of HTTP/2');
      return end;
    }
    if (this.prefaceSeen < preface.length) return end;
    const { config } = this;
    const values = this.commonSettings();
    values.push([Setting.maxConcurrentStreams, config.maxConcurrentStreams]);
    if (config.extendedConnect) values.push([Setting.enableConnectProtocol, 1]);
    this.putSettings(values);
    this.deadlines.ackBegins(this.owner.limits);
    return start;
  }

  protected headLimits(): AssemblyLimits {
    return this.owner.limits;
  }

  protected maxHeaderBlockBytes(): number {
    return this.owner.limits.maxHeaderBytes;
  }

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
    const s = this.context.sink.acquire();
    if (this.blocks.take(s.req, buf, start, end, this.decoder.table)) this.#passRequest(id, flags, s);
    else this.#decodeRequest(id, flags, s, buf, start, end);
  }

  #decodeRequest(id: number, flags: number, s: Stream, buf: Buffer, start: number, end: number): void {
    const { sink } = this.context;
    const { version } = this.decoder.table;
    if (!this.decodeHead(s.req, buf, start, end, this.config.underscoresInHeaders === 'drop')) {
      sink.release(s);
      return;
    }
    const block = this.assembly.buf;
    const verdict = judgeRequest(this.assembly, this.#rules());
    if (verdict === Verdict.take) {
      if (s.req.upgrade === '' && this.decoder.table.version === version) {
        this.blocks.keep(s.req, buf, start, end, version);
      }
      this.#passRequest(id, flags, s);
    } else {
      const isGrpc = isGrpcHead(s.req);
      sink.release(s);
      if (verdict === Verdict.malformed) this.strayStream(id, H2Error.protocol);
      else this.refuse(id, flags, verdict, isGrpc);
    }
    this.releaseHead(block);
  }

  #refusalOf(id: number, flags: number): number {
    if ((flags & selfDependent) !== 0) return H2Error.protocol;
    const isFull = this.streams.size >= this.config.maxConcurrentStreams;
    return isFull || id > this.goAwayId ? H2Error.refusedStream : H2Error.none;
  }

  #rules(): RequestRules {
    return {
      texts: this.context.texts,
      config: this.config,
      maxUriBytes: this.owner.limits.maxUriBytes,
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
    const limit = this.owner.limits.maxBodyBytes;
    if (limit > 0 && head.contentLength > limit) {
      const isGrpc = isGrpcHead(head);
      this.context.sink.release(s);
      this.refuse(id, flags, 413, isGrpc);
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
    s.pipeline = this.owner.pipeline;
    this.served++;
    this.isAnnounced = false;
    this.drainWhenSpent();
    if (isTunnel) {
      if (head.upgrade === 'websocket') head.set(webSocketKey, freshKey());
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
    // Until the head is delivered the core knows of no stream, and need not hear that it broke.
    each.s = null;
    const isTaken = this.countData(b - a) && this.takesData(each, a, b, b - a, isEnd);
    if (!isTaken || this.#isTooLarge(each)) {
      const isGrpc = isGrpcHead(s.req);
      this.context.sink.release(s);
      if (isTaken) {
        this.forget(each);
        this.refuse(each.id, isEnd ? Flag.endStream : 0, 413, isGrpc);
      }
      return;
    }
    each.s = s;
    each.remoteEnded = isEnd;
    s.requestOwned = reader.isOwned;
    this.context.sink.requestHead(s, b > a ? reader.buf : null, a, b, isEnd);
  }

  protected passData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const s = each.s;
    if (end) each.remoteEnded = true;
    if (s === null) return;
    if (each.awaitsTunnel) {
      if (b > a) keepEarly(each, buf, a, b);
      return;
    }
    if (this.#isTooLarge(each)) {
      this.forget(each);
      if (each.headSent) this.putReset(each.id, H2Error.cancel);
      else this.refuse(each.id, 0, 413, s.isGrpc);
      this.finished();
      this.context.sink.downstreamReset(s, Code.payloadTooLarge);
      return;
    }
    s.requestOwned = this.reader.isOwned;
    this.tunnelEnds(each, end);
    this.context.sink.requestData(s, buf, a, b, end);
    if (end && each.isTunnel && each.localEnded) this.end(each);
  }

  /** A tunnel whose answer has ended, too, is over for the core with this event. */
  protected tunnelEnds(each: Http2Stream, end: boolean): void {
    if (end && each.isTunnel && (each.localEnded || each.queueEnds)) each.s = null;
  }

  #isTooLarge(each: Http2Stream): boolean {
    const limit = this.owner.limits.maxBodyBytes;
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
      this.tunnelEnds(each, true);
      if (s !== null) {
        if (head.count > 0) this.context.sink.requestTrailers(s, head);
        else this.context.sink.requestData(s, nothing, 0, 0, true);
      }
      if (each.isTunnel && each.localEnded) this.end(each);
    }
    this.releaseHead(block);
  }

  /** An answer of our own to a request that never became a stream. */
  protected refuse(id: number, flags: number, status: number, isGrpc: boolean): void {
    this.owner.protocolError(codeOfRefusal(status), `a request was refused with ${status}`);
    const head = refusalHead(status, isGrpc);
    this.addDate(head);
    this.out.reserve(frameHeaderBytes + headBound(head));
    const start = this.out.at;
    const from = start + frameHeaderBytes;
    const at = encodeResponse(this.encoder, head, this.out.buf, from, head.status, isGrpc ? -1 : 0);
    this.finishHeaders(id, start, at, Flag.endStream);
    // Complete without the rest of the request (RFC 9113 §8.1).
    if ((flags & Flag.endStream) === 0) this.putReset(id, H2Error.none);
  }

  protected addDate(head: HeadView): void {
    if (head.has('date')) return;
    this.#date ??= new DateText();
    head.add('date', this.#date.at(this.context.clock.wallNow()));
  }
}
