import { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import { hasNoBody } from './body-length.ts';
import { Http2Connection } from './connection.ts';
import { Flag, H2Error } from './constants.ts';
import type { AssemblyLimits } from './head-assembly.ts';
import type { Http2Stream } from './http2-stream.ts';
import { judgeResponse, judgeTrailers } from './request-head.ts';
import { acceptOf, webSocketKey } from './web-socket.ts';

const nothing: Buffer = Buffer.alloc(0);
const noHead: HeadView = new HeadView();
/** Interim answers to one request; a server that sends more is broken. */
const maxInformational = 100;

/** Reads the answers of one connection and delivers them; `Http2Client` sends the requests. */
export abstract class ResponseReceiver extends Http2Connection {
  protected readonly isServer = false;

  /** The head that opens the tunnel was delivered: what waited for it may go. */
  protected abstract tunnelOpened(each: Http2Stream, s: Stream): void;

  protected headLimits(): AssemblyLimits {
    return this.config.response;
  }

  protected maxHeaderBlockBytes(): number {
    return this.config.response.maxHeaderBytes;
  }

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
    const isEnd = (flags & Flag.endStream) !== 0;
    if (this.blocks.take(head, buf, start, end, this.decoder.table)) {
      this.#passHead(each, s, isEnd);
      return;
    }
    const { version } = this.decoder.table;
    if (!this.decodeHead(head, buf, start, end, false)) return;
    const block = this.assembly.buf;
    const { status } = judgeResponse(this.assembly) ? head : noHead;
    if (status === 0 || (status < 200 && isEnd)) this.#breakHead(each, head);
    else if (status < 200) this.#informational(each, s);
    else {
      if (this.decoder.table.version === version) this.blocks.keep(head, buf, start, end, version);
      this.#passHead(each, s, isEnd);
    }
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
    if (each.s === s) this.tunnelOpened(each, s);
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
    if (each.isTunnel && !each.localEnded) {
      if (each.queueEnds) each.s = null;
      return;
    }
    // An answer that overtook its request: the rest is not wanted.
    if (!each.localEnded) this.putReset(each.id, H2Error.none);
    this.forget(each);
    this.finished();
  }
}
