import { Code } from '../core/base/codes.ts';
import { messageOf } from '../core/base/errors.ts';
import type { HeadView } from '../core/base/head-view.ts';
import type { HostUpstream, UpstreamFactory } from '../core/contract/cluster.ts';
import type { Logger } from '../core/contract/logger.ts';
import type { Stream, StreamCore } from '../core/contract/stream.ts';
import type { StreamEnd } from '../core/contract/stream-end.ts';

/** An application handler in WHATWG terms. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

const bufferedBytes = 64 * 1024;
const nothing: Buffer = Buffer.alloc(0);

/** A cluster whose one host is code of this process: chosen, limited, retried and logged like any other. */
export function handlerUpstream(handler: FetchHandler, logger: Logger): UpstreamFactory {
  return (): HostUpstream => {
    const ends = new Set<HandlerEnd>();
    let isClosed = false;
    return {
      open(s: Stream): StreamEnd | number {
        if (isClosed) return Code.draining;
        const end = new HandlerEnd(handler, logger, () => ends.delete(end));
        ends.add(end);
        s.reused = false;
        s.responseOwned = true;
        return end;
      },
      cancelWait() {},
      drain() {
        isClosed = true;
      },
      close() {
        isClosed = true;
        for (const end of [...ends]) end.fail(Code.locallyClosed);
      },
    };
  };
}

/** One stream on its way through a handler: collects the request as a Request, sends the Response back. */
class HandlerEnd implements StreamEnd {
  readonly #handler: FetchHandler;
  readonly #logger: Logger;
  readonly #onDone: () => void;
  readonly #abort = new AbortController();
  /** Kept until the stream is over: Node aborts no signal of a Request that nobody holds any more. */
  #request: Request | null = null;
  #core: StreamCore | null = null;
  #stream: Stream | null = null;
  #gen = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #resumed: (() => void) | null = null;
  #isPaused = false;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;

  constructor(handler: FetchHandler, logger: Logger, onDone: () => void) {
    this.#handler = handler;
    this.#logger = logger;
    this.#onDone = onDone;
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.#core = s.core;
    this.#stream = s;
    this.#gen = s.gen;
    let body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null = null;
    if (!end) body = this.#stream_(s);
    else if (buf !== null && b > a) body = Uint8Array.from(buf.subarray(a, b));
    try {
      this.#request = this.#requestOf(head, body);
    } catch (thrown) {
      queueMicrotask(() => this.#failed(thrown));
      return true;
    }
    if (!end && buf !== null && b > a) this.#enqueue(buf, a, b);
    void this.#run(this.#request);
    return end || this.#hasRoom();
  }

  sendData(_s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (b > a) this.#enqueue(buf, a, b);
    if (!end) return this.#hasRoom();
    this.#controller?.close();
    this.#controller = null;
    return true;
  }

  sendTrailers(): void {
    this.#controller?.close();
    this.#controller = null;
  }

  reset(_s: Stream, code: number): void {
    this.#release();
    this.#controller?.error(new Error(`the stream ended early: code ${code}`));
    this.#controller = null;
    this.#stop();
  }

  pauseRead(): void {
    this.#isPaused = true;
  }

  resumeRead(): void {
    this.#isPaused = false;
    this.#resumed?.();
    this.#resumed = null;
  }

  fail(code: number): void {
    const s = this.#stream;
    if (s === null) return;
    this.#release();
    this.#stop();
    if (s.gen === this.#gen) this.#core?.upstreamReset(s, code);
  }

  /** Tells the application: its request is aborted and what it goes on writing is not wanted. */
  #stop(): void {
    this.#abort.abort();
    this.#request = null;
    this.#resumed?.();
    this.#reader?.cancel().catch(() => {});
  }

  #stream_(s: Stream): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (this.#stream !== null && s.gen === this.#gen) this.#core?.writable(s, this);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: bufferedBytes }),
    );
  }

  #enqueue(buf: Buffer, a: number, b: number): void {
    this.#controller?.enqueue(Uint8Array.from(buf.subarray(a, b)));
  }

  #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 1) > 0;
  }

  #requestOf(head: HeadView, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null): Request {
    const headers = new Headers();
    head.forEach((name, value) => {
      headers.append(name, value);
    });
    const hasBody = head.method !== 'GET' && head.method !== 'HEAD';
    const init: RequestInit & { duplex: 'half' } = {
      method: head.method,
      headers,
      body: hasBody ? body : null,
      signal: this.#abort.signal,
      duplex: 'half',
    };
    return new Request(`http://${head.authority}${head.path}`, init);
  }

  async #run(request: Request): Promise<void> {
    try {
      await this.#answer(await this.#handler(request));
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): void {
    if (this.#isGone()) return;
    this.#logger.error('an application handler failed', { error: messageOf(thrown) });
    const s = this.#stream as Stream;
    this.#release();
    this.#core?.upstreamReset(s, Code.upstreamReset);
  }

  #isGone(): boolean {
    return this.#stream === null || this.#stream.gen !== this.#gen;
  }

  async #answer(response: Response): Promise<void> {
    if (this.#isGone()) {
      await response.body?.cancel();
      return;
    }
    const s = this.#stream as Stream;
    writeHead(s.res, response);
    if (response.body === null) {
      this.#release();
      s.core.responseHead(s, null, 0, 0, true);
      this.#endRequest();
      return;
    }
    s.core.responseHead(s, null, 0, 0, false);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    this.#reader = reader;
    if (this.#isGone()) this.#stop();
    for (;;) {
      const { value, done } = await reader.read();
      // A stream that is over has cancelled the reader.
      if (this.#isGone()) return;
      if (done) break;
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (bytes.length > 0) s.core.responseData(s, bytes, 0, bytes.length, false);
      if (this.#isPaused && !this.#isGone()) await this.#untilResumed();
    }
    this.#release();
    s.core.responseData(s, nothing, 0, 0, true);
    this.#endRequest();
  }

  /** An answer that is complete before the request: nobody sends the rest of it. */
  #endRequest(): void {
    this.#controller?.error(new Error('the request was answered before its body had ended'));
    this.#controller = null;
  }

  #untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  #release(): void {
    this.#stream = null;
    this.#onDone();
  }
}

function writeHead(head: HeadView, response: Response): void {
  head.reset();
  head.status = response.status;
  for (const [name, value] of response.headers) {
    if (name === 'transfer-encoding' || name === 'connection') continue;
    head.add(name, value);
    if (name === 'content-length') head.contentLength = Number(value);
  }
  if (response.body === null && head.contentLength < 0) {
    head.contentLength = 0;
    if (response.status !== 204 && response.status !== 304) head.add('content-length', '0');
  } else if (head.contentLength < 0) head.chunked = true;
}
