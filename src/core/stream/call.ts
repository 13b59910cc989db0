import { Code, factsOf } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { HeadView } from '../base/head-view.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd, StreamSink } from '../contract/stream-end.ts';
import { ResponseBody } from './call-body.ts';
import { keptBytes } from './kept-bytes.ts';

/**
 * The in-process caller: one end of a stream like any codec, and the response object that the caller gets. One object
 * and one promise a call.
 */
export class MeshResponse implements StreamEnd {
  status = 0;
  /** The response head; `get`, `has`, `getAll`, `toObject`. */
  headers: HeadView;
  readonly body: ResponseBody;
  readonly #resolve: (response: MeshResponse) => void;
  readonly #reject: (error: unknown) => void;
  #isSettled = false;
  #signal: AbortSignal | null = null;
  #sink: StreamSink | null = null;
  #stream: Stream | null = null;
  #gen = 0;
  #resumed: (() => void) | null = null;
  #isReadPaused = false;

  constructor(resolve: (response: MeshResponse) => void, reject: (error: unknown) => void) {
    this.headers = noHead;
    this.body = new ResponseBody(this);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The whole body. Rejects with a HeddleError when the upstream breaks off. */
  bytes(): Promise<Buffer> {
    return this.body.bytes();
  }

  async text(): Promise<string> {
    return (await this.body.bytes()).toString('utf8');
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /** Trailers, once the body has ended; null when there were none. */
  get trailers(): HeadView | null {
    return this.body.trailers;
  }

  /**
   * @internal The listener is this object. With a closure kept in a field, minor collections freed nothing of a
   * call (V8 of Node 24): a third of the CPU of calls with a signal was the collector's.
   */
  abortWith(p: StreamSink, s: Stream, signal: AbortSignal): void {
    this.#sink = p;
    this.#stream = s;
    this.#gen = s.gen;
    this.#signal = signal;
    signal.addEventListener('abort', this, { once: true });
  }

  /** @internal The signal has fired. */
  handleEvent(): void {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen) return;
    const cause: unknown = this.#signal?.reason;
    this.#sink?.downstreamReset(s, Code.aborted);
    this.#fail(new HeddleError('ERR_REQUEST_ABORTED', 'the signal fired', { cause }));
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.status = head.status;
    if (s.isLocalReply && s.code !== Code.none) {
      this.#fail(callError(s));
      return true;
    }
    head.retain();
    this.headers = head;
    // The caller keeps the head; the pooled stream gets a new one.
    s.res = new HeadView();
    s.res.status = head.status;
    if (buf !== null && b > a) this.body.push(keptBytes(s.responseOwned, buf, a, b));
    if (end) this.#ended(null);
    else this.body.bind(s);
    this.#isSettled = true;
    this.#resolve(this);
    return !this.body.isFull;
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (b > a) this.body.push(keptBytes(s.responseOwned, buf, a, b));
    if (end) this.#ended(null);
    return !this.body.isFull;
  }

  sendTrailers(_s: Stream, trailers: HeadView): void {
    trailers.retain();
    this.#ended(trailers);
  }

  reset(s: Stream, code: number): void {
    this.#fail(callError(s, code));
  }

  pauseRead(): void {
    this.#isReadPaused = true;
  }

  resumeRead(): void {
    this.#isReadPaused = false;
    this.#resumed?.();
    this.#resumed = null;
  }

  /** @internal Sends a streamed request body, no faster than the upstream takes it. */
  async pump(p: StreamSink, s: Stream, body: AsyncIterable<Uint8Array>): Promise<void> {
    const gen = s.gen;
    try {
      for await (const chunk of body) {
        if (s.gen !== gen) return;
        if (chunk.length > 0) p.requestData(s, toBuffer(chunk), 0, chunk.length, false);
        if (this.#isReadPaused && s.gen === gen) {
          await new Promise<void>((resolve) => {
            this.#resumed = resolve;
          });
        }
      }
      if (s.gen === gen) p.requestData(s, nothing, 0, 0, true);
    } catch (thrown) {
      if (s.gen !== gen) return;
      p.downstreamReset(s, Code.aborted);
      this.#fail(HeddleError.from(thrown, 'ERR_REQUEST_INVALID'));
    }
  }

  #ended(trailers: HeadView | null): void {
    this.#release();
    this.body.end(trailers);
  }

  #fail(error: HeddleError): void {
    this.#release();
    this.body.fail(error);
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#reject(error);
  }

  #release(): void {
    this.#resumed?.();
    this.#resumed = null;
    if (this.#signal === null) return;
    this.#signal.removeEventListener('abort', this);
    this.#signal = this.#sink = this.#stream = null;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const noHead: HeadView = new HeadView();

/** The same bytes as a Buffer. */
export const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Why a stream of this process ended without an answer. */
export function callError(s: Stream, code: number = s.code): HeddleError {
  const facts = factsOf(code);
  const detail = `${facts.name} (${s.req.method} ${s.cluster?.name ?? s.req.authority}${s.host === null ? '' : ` at ${s.host.address}`}, try ${s.tries})`;
  return new HeddleError(facts.error, detail, {
    context: {
      reason: facts.name,
      status: facts.status,
      cluster: s.cluster?.name ?? null,
      host: s.host?.address ?? null,
      tries: s.tries,
    },
  });
}
