import type { HeadView } from '../core/base/head-view.ts';
import { Stream, type StreamCore } from '../core/contract/stream.ts';
import type { StreamEnd } from '../core/contract/stream-end.ts';

/** A message as it arrived. Names are in lower case, bytes are copies. */
export interface RecordedMessage {
  method: string;
  path: string;
  authority: string;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  trailers: Record<string, string> | null;
  isComplete: boolean;
}

/** One stream seen from one side. */
export class Exchange {
  readonly stream: Stream;
  request: RecordedMessage | null = null;
  response: RecordedMessage | null = null;
  readonly informational: { status: number; headers: Record<string, string> }[] = [];
  /** Codes of `downstreamReset` and `upstreamReset`. */
  readonly resets: number[] = [];
  writable = 0;
  isReady = false;

  constructor(stream: Stream) {
    this.stream = stream;
  }
}

/**
 * A StreamSink that writes down what codecs deliver. As the proxy does, it takes a stream back (`recycle`) right after
 * its last event, so that a codec that touches it later shows.
 */
export class RecordingSink implements StreamCore {
  /** Every stream that reached `requestHead` or was begun here, in order. */
  readonly exchanges: Exchange[] = [];
  /** Streams acquired and not given back. */
  open = 0;
  /** Broken rules: data after the end, a second head, a reset after the end. */
  readonly offences: string[] = [];
  /** Called when a request is complete: the place to answer. */
  onRequest: (exchange: Exchange) => void = () => {};
  onRequestHead: (exchange: Exchange) => void = () => {};
  onResponseHead: (exchange: Exchange) => void = () => {};
  onResponse: (exchange: Exchange) => void = () => {};
  readonly #byStream = new Map<Stream, Exchange>();

  acquire(): Stream {
    this.open++;
    return new Stream(this);
  }

  release(_s: Stream): void {
    this.open--;
  }

  /** A stream of a test's own, for the client side. */
  begin(): Exchange {
    return this.#track(this.acquire());
  }

  /** The answer of a server side is out, or the stream was reset from here: the sink forgets it. */
  finish(exchange: Exchange): void {
    if (!this.#byStream.delete(exchange.stream)) return;
    this.open--;
    exchange.stream.recycle();
  }

  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const exchange = this.#track(s);
    exchange.request = recordHead(s.req, buf, a, b, end);
    this.onRequestHead(exchange);
    if (end) this.onRequest(exchange);
  }

  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const exchange = this.#byStream.get(s);
    if (!this.#append(exchange?.request, 'request', buf, a, b, end) || exchange === undefined) return;
    if (end) this.onRequest(exchange);
  }

  requestTrailers(s: Stream, trailers: HeadView): void {
    const exchange = this.#byStream.get(s);
    if (!this.#end(exchange?.request, 'request', trailers) || exchange === undefined) return;
    this.onRequest(exchange);
  }

  responseInformational(s: Stream): void {
    this.#byStream.get(s)?.informational.push({ status: s.res.status, headers: headersOf(s.res) });
  }

  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const exchange = this.#byStream.get(s);
    if (exchange === undefined || exchange.response !== null) {
      this.offences.push('a response head for a stream that has one or is over');
      return;
    }
    exchange.response = recordHead(s.res, buf, a, b, end);
    this.onResponseHead(exchange);
    if (end) this.#answered(exchange);
  }

  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const exchange = this.#byStream.get(s);
    if (!this.#append(exchange?.response, 'response', buf, a, b, end) || exchange === undefined) return;
    if (end) this.#answered(exchange);
  }

  responseTrailers(s: Stream, trailers: HeadView): void {
    const exchange = this.#byStream.get(s);
    if (!this.#end(exchange?.response, 'response', trailers) || exchange === undefined) return;
    this.#answered(exchange);
  }

  upstreamReset(s: Stream, code: number): void {
    this.#reset(s, code, 'upstreamReset');
  }

  downstreamReset(s: Stream, code: number): void {
    this.#reset(s, code, 'downstreamReset');
  }

  writable(s: Stream, _end: StreamEnd): void {
    const exchange = this.#byStream.get(s);
    if (exchange === undefined) this.offences.push('writable for a stream that is over');
    else exchange.writable++;
  }

  upstreamReady(s: Stream, _end: StreamEnd): void {
    const exchange = this.#byStream.get(s);
    if (exchange !== undefined) exchange.isReady = true;
  }

  resume(): void {}

  reply(): void {}

  onStreamDeadline(): void {}

  #track(s: Stream): Exchange {
    const exchange = new Exchange(s);
    this.exchanges.push(exchange);
    this.#byStream.set(s, exchange);
    return exchange;
  }

  #answered(exchange: Exchange): void {
    this.finish(exchange);
    this.onResponse(exchange);
  }

  #reset(s: Stream, code: number, what: string): void {
    const exchange = this.#byStream.get(s);
    if (exchange === undefined) {
      this.offences.push(`${what} for a stream that is over`);
      return;
    }
    exchange.resets.push(code);
    this.finish(exchange);
  }

  #append(
    message: RecordedMessage | null | undefined,
    what: string,
    buf: Buffer,
    a: number,
    b: number,
    end: boolean,
  ): boolean {
    if (!this.#isOpen(message, what)) return false;
    message.body = Buffer.concat([message.body, buf.subarray(a, b)]);
    message.isComplete = end;
    return true;
  }

  #end(message: RecordedMessage | null | undefined, what: string, trailers: HeadView): boolean {
    if (!this.#isOpen(message, what)) return false;
    message.trailers = headersOf(trailers);
    message.isComplete = true;
    return true;
  }

  #isOpen(message: RecordedMessage | null | undefined, what: string): message is RecordedMessage {
    if (message !== null && message !== undefined && !message.isComplete) return true;
    this.offences.push(`${what} data before its head or after its end`);
    return false;
  }
}

function recordHead(head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): RecordedMessage {
  return {
    method: head.method,
    path: head.path,
    authority: head.authority,
    status: head.status,
    headers: headersOf(head),
    body: buf === null ? Buffer.alloc(0) : Buffer.from(buf.subarray(a, b)),
    trailers: null,
    isComplete: end,
  };
}

function headersOf(head: HeadView): Record<string, string> {
  return { ...head.toObject() };
}
