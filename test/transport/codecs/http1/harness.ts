import * as v from 'valibot';
import { BufferBudget, WriteSlab } from '../../../../src/core/base/buffers.ts';
import type { HeadView } from '../../../../src/core/base/head-view.ts';
import { RpcNames } from '../../../../src/core/base/rpc-names.ts';
import { TextCache } from '../../../../src/core/base/text-cache.ts';
import type {
  ClientCodec,
  ClientOwner,
  CodecContext,
  ServerCodec,
  ServerLimits,
  ServerOwner,
} from '../../../../src/core/contract/codec.ts';
import type { Metrics } from '../../../../src/core/contract/metrics.ts';
import type { Pipeline } from '../../../../src/core/contract/pipeline.ts';
import { Stream, type StreamCore } from '../../../../src/core/contract/stream.ts';
import type { StreamEnd, StreamSink } from '../../../../src/core/contract/stream-end.ts';
import { TurnWrites } from '../../../../src/core/contract/turn-writes.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../../../src/core/contract/wire.ts';
import { createFakeTime } from '../../../../src/testing/fake-clock.ts';
import { Http1Client } from '../../../../src/transport/codecs/http1/client.ts';
import { Http1Config } from '../../../../src/transport/codecs/http1/config.ts';
import { Http1Server } from '../../../../src/transport/codecs/http1/server.ts';

/** A wire driven by hand: what the codec writes is kept, what it reads is given by `send`. */
export class FakeWire implements Wire {
  readonly kind = 'memory' as const;
  readonly peer: Peer = {
    address: '10.0.0.9',
    port: 1234,
    spiffeId: null,
    certificateSha256: null,
    serverName: null,
  };
  readonly localAddress = '127.0.0.1:80';
  readonly highWaterBytes = 65_536;
  readonly isConnecting = false;
  readonly canDetach = true;
  ownsReads = true;
  pending = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** One entry a write. */
  readonly writes: Buffer[] = [];
  isPaused = false;
  isEnded = false;
  destroyedWith = -1;
  /** The next writes stay unsent and return false. */
  isStuck = false;
  #engine: ByteEngine | null = null;

  attach(engine: ByteEngine): void {
    this.#engine = engine;
  }

  write(buf: Buffer, start: number, end: number): boolean {
    if (this.isEnded || this.destroyedWith >= 0) return true;
    this.writes.push(Buffer.from(buf.subarray(start, end)));
    if (this.isStuck) this.pending += end - start;
    return !this.isStuck;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(code: number): void {
    if (this.destroyedWith < 0) this.destroyedWith = code;
  }

  detach(): DetachedWire {
    throw new Error('not here');
  }

  get text(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }

  takeText(): string {
    const text = this.text;
    this.writes.length = 0;
    return text;
  }

  /** Delivers bytes in pieces of `size`; borrowed ones are poisoned after the call, as a socket's next read would. */
  send(bytes: string | Buffer, size = Number.POSITIVE_INFINITY): void {
    const all = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    for (let at = 0; at < all.length && this.destroyedWith < 0; at += size) {
      const piece = all.subarray(at, Math.min(all.length, at + size));
      const read = Buffer.alloc(piece.length + 9, 0xdd);
      piece.copy(read, 4);
      this.#engine?.onBytes(read, 4, 4 + piece.length);
      if (!this.ownsReads) read.fill(0xdd);
    }
  }

  drain(): void {
    this.isStuck = false;
    this.pending = 0;
    this.#engine?.onDrain();
  }

  finish(): void {
    this.#engine?.onEnd();
  }

  close(code: number): void {
    this.#engine?.onClose(code);
  }
}

export interface Message {
  line: string;
  headers: Record<string, string>;
  body: string;
  trailers: Record<string, string> | null;
  end: boolean;
  reset: number;
}

/** Writes down what arrives; a stream is poisoned as soon as its last event came, as the pool of the core would. */
export class FakeSink implements StreamSink, StreamCore {
  readonly requests: (Message & { stream: Stream })[] = [];
  readonly responses: Message[] = [];
  readonly informational: number[] = [];
  writables = 0;
  released = 0;
  onRequestEnd: (s: Stream, index: number) => void = () => {};
  onRequestHead: (s: Stream, index: number) => void = () => {};
  onResponseEnd: (s: Stream) => void = () => {};

  acquire(): Stream {
    return new Stream(this);
  }

  release(s: Stream): void {
    this.released++;
    s.recycle();
  }

  requestHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    const message = messageOf(`${s.req.method} ${s.req.path} ${s.req.authority}`, s.req, buf, a, b, end);
    this.requests.push({ ...message, stream: s });
    this.onRequestHead(s, this.requests.length - 1);
    if (end) this.onRequestEnd(s, this.requests.length - 1);
  }

  requestData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const index = this.requests.findLastIndex((each) => each.stream === s);
    const message = this.requests[index] as Message;
    message.body += buf.toString('latin1', a, b);
    message.end = end;
    if (end) this.onRequestEnd(s, index);
  }

  requestTrailers(s: Stream, trailers: HeadView): void {
    const index = this.requests.findLastIndex((each) => each.stream === s);
    const message = this.requests[index] as Message;
    message.trailers = { ...trailers.toObject() };
    message.end = true;
    this.onRequestEnd(s, index);
  }

  responseInformational(s: Stream): void {
    this.informational.push(s.res.status);
  }

  responseHead(s: Stream, buf: Buffer | null, a: number, b: number, end: boolean): void {
    this.responses.push(messageOf(String(s.res.status), s.res, buf, a, b, end));
    if (end) this.#finished(s);
  }

  responseData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): void {
    const message = this.responses.at(-1) as Message;
    message.body += buf.toString('latin1', a, b);
    message.end = end;
    if (end && !s.isTunnel) this.#finished(s);
  }

  responseTrailers(s: Stream, trailers: HeadView): void {
    const message = this.responses.at(-1) as Message;
    message.trailers = { ...trailers.toObject() };
    message.end = true;
    this.#finished(s);
  }

  #finished(s: Stream): void {
    this.onResponseEnd(s);
    s.recycle();
  }

  upstreamReset(_s: Stream, code: number): void {
    this.responses.push({ line: 'reset', headers: {}, body: '', trailers: null, end: true, reset: code });
  }

  downstreamReset(s: Stream, code: number): void {
    const message = this.requests.findLast((each) => each.stream === s) as Message;
    message.reset = code;
  }

  writable(_s: Stream, _end: StreamEnd): void {
    this.writables++;
  }

  upstreamReady(): void {}
  resume(): void {}
  reply(): void {}
  onStreamDeadline(): void {}
}

function messageOf(
  line: string,
  head: HeadView,
  buf: Buffer | null,
  a: number,
  b: number,
  end: boolean,
): Message {
  const body = buf === null ? '' : buf.toString('latin1', a, b);
  return { line, headers: { ...head.toObject() }, body, trailers: null, end, reset: -1 };
}

export class FakeServerOwner implements ServerOwner {
  readonly pipeline = {} as Pipeline;
  limits: ServerLimits;
  isDraining = false;
  readonly errors: { code: number; detail: string }[] = [];
  closedCount = 0;
  idleCount = 0;

  constructor(limits: Partial<ServerLimits>) {
    this.limits = {
      maxHeaderBytes: 32_768,
      maxHeaderCount: 100,
      maxUriBytes: 8192,
      maxBodyBytes: 0,
      idleTimeoutMs: 60_000,
      headerTimeoutMs: 10_000,
      requestTimeoutMs: 300_000,
      maxRequestsPerConnection: 0,
      maxPipelined: 16,
      ...limits,
    };
  }

  protocolError(code: number, detail: string): void {
    this.errors.push({ code, detail });
  }

  closed(_codec: ServerCodec): void {
    this.closedCount++;
  }

  idle(_codec: ServerCodec): void {
    this.idleCount++;
  }
}

export class FakeClientOwner implements ClientOwner {
  rooms = 0;
  readonly gones: number[] = [];
  onRoom: (codec: ClientCodec) => void = () => {};

  room(codec: ClientCodec): void {
    this.rooms++;
    this.onRoom(codec);
  }

  gone(_codec: ClientCodec, code: number): void {
    this.gones.push(code);
  }

  connected(): void {}
}

export function createContext(sink: StreamSink) {
  const time = createFakeTime();
  const later: { flush(): void }[] = [];
  const context: CodecContext = {
    sink,
    clock: time.clock,
    wheel: time.wheel,
    slab: new WriteSlab(),
    writes: new TurnWrites(null),
    texts: new TextCache(),
    names: new RpcNames(),
    budget: new BufferBudget(1 << 20),
    metrics: { values: new Float64Array(8) } as Metrics,
    flushLater: (engine) => later.push(engine),
  };
  const flush = (): void => {
    for (const engine of later.splice(0)) engine.flush();
  };
  return { context, clock: time.clock, flush };
}

export interface ServerOptions {
  readonly limits?: Partial<ServerLimits>;
  readonly config?: v.InferInput<typeof Http1Config>;
  readonly ownsReads?: boolean;
}

export function createServer(options: ServerOptions = {}) {
  const sink = new FakeSink();
  const { context, clock, flush } = createContext(sink);
  const wire = new FakeWire();
  wire.ownsReads = options.ownsReads ?? true;
  const owner = new FakeServerOwner(options.limits ?? {});
  const codec = new Http1Server(wire, context, owner, v.parse(Http1Config, options.config ?? {}));
  return { sink, context, clock, flush, wire, owner, codec };
}

export function createClient(options: ServerOptions = {}) {
  const sink = new FakeSink();
  const { context, clock, flush } = createContext(sink);
  const wire = new FakeWire();
  wire.ownsReads = options.ownsReads ?? false;
  const owner = new FakeClientOwner();
  const codec = new Http1Client(wire, context, owner, v.parse(Http1Config, options.config ?? {}));
  return { sink, context, clock, flush, wire, owner, codec };
}

/** Answers `s` through its downstream end with a whole text. */
export function answer(
  s: Stream,
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = {},
): void {
  s.res.reset();
  s.res.status = status;
  for (const [name, value] of Object.entries(headers)) s.res.add(name, value);
  const bytes = Buffer.from(body, 'latin1');
  s.down?.sendHead(s, s.res, bytes, 0, bytes.length, true);
}

/** A request head as an in-process caller makes it. */
export function fillRequest(
  head: HeadView,
  method: string,
  path: string,
  authority: string,
  headers: Readonly<Record<string, string>> = {},
): HeadView {
  head.reset();
  head.methodText = method;
  head.path = path;
  head.authority = authority;
  for (const [name, value] of Object.entries(headers)) head.add(name, value);
  return head;
}
