import { Code, factsOf } from '../base/codes.ts';
import { HeddleError } from '../base/errors.ts';
import { HeadView } from '../base/head-view.ts';
import { tokenByte } from '../base/header-field.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamEnd } from '../contract/stream-end.ts';
import { ResponseBody } from './call-body.ts';
import { keptBytes } from './kept-bytes.ts';
import type { StreamProxy } from './proxy.ts';

export type CallBody = string | Uint8Array | AsyncIterable<Uint8Array> | null;

export interface CallOptions {
  /** @default 'GET' */
  readonly method?: string;
  /** Path with query. @default '/' */
  readonly path?: string;
  /** Host name as routes see it; without own virtual hosts it is the cluster's name. */
  readonly authority: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: CallBody;
  readonly signal?: AbortSignal | undefined;
  /** All tries together; overrides the route's. 0 = none. */
  readonly timeoutMs?: number;
  /** The inbound stream that causes this call: its trace goes on. */
  readonly parent?: Stream;
}

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
  #onAbort: (() => void) | null = null;
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

  /** @internal */
  abortWith(p: StreamProxy, s: Stream, signal: AbortSignal): void {
    const gen = s.gen;
    this.#signal = signal;
    this.#onAbort = () => {
      if (s.gen !== gen) return;
      p.downstreamReset(s, Code.aborted);
      this.#fail(new HeddleError('ERR_REQUEST_ABORTED', 'the signal fired', { cause: signal.reason }));
    };
    signal.addEventListener('abort', this.#onAbort, { once: true });
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
  async pump(p: StreamProxy, s: Stream, body: AsyncIterable<Uint8Array>): Promise<void> {
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
    if (this.#onAbort !== null) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onAbort = null;
    this.#signal = null;
  }
}

const nothing: Buffer = Buffer.alloc(0);
const noHead: HeadView = new HeadView();

const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function callError(s: Stream, code: number = s.code): HeddleError {
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

/** Starts a call: enters the data path at `filterBeforeRoute`, like a request that a codec has just scanned. */
export function startCall(p: StreamProxy, pipeline: Pipeline, options: CallOptions): Promise<MeshResponse> {
  const signal = options.signal;
  if (signal?.aborted) {
    return Promise.reject(
      new HeddleError('ERR_REQUEST_ABORTED', 'the signal had fired before', { cause: signal.reason }),
    );
  }
  return new Promise((resolve, reject) => {
    const s = p.acquire();
    const response = new MeshResponse(resolve, reject);
    try {
      writeHead(s, options);
    } catch (thrown) {
      p.release(s);
      reject(thrown);
      return;
    }
    s.down = response;
    s.protocol = 'call';
    s.pipeline = pipeline;
    s.requestOwned = true;
    s.parent = options.parent ?? null;
    if (signal) response.abortWith(p, s, signal);
    send(p, s, response, options);
  });
}

function send(p: StreamProxy, s: Stream, response: MeshResponse, options: CallOptions): void {
  const body = options.body ?? null;
  const timeoutMs = options.timeoutMs ?? -1;
  if (timeoutMs > 0) s.routeDeadlineMs = p.context.clock.now() + timeoutMs;
  if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = body === null ? null : typeof body === 'string' ? Buffer.from(body) : toBuffer(body);
    if (bytes === null) p.requestHead(s, null, 0, 0, true);
    else p.requestHead(s, bytes, 0, bytes.length, true);
    return;
  }
  const gen = s.gen;
  p.requestHead(s, null, 0, 0, false);
  if (s.gen === gen) void response.pump(p, s, body);
}

/** @throws HeddleError ERR_REQUEST_INVALID, ERR_HEADER_INVALID */
function writeHead(s: Stream, options: CallOptions): void {
  const head = s.req;
  head.methodText = checkedMethod(options.method ?? 'GET');
  head.path = checkedTarget(options.path ?? '/', 'path');
  head.authority = checkedTarget(options.authority, 'authority');
  const headers = options.headers;
  for (const name in headers) {
    const value = headers[name] as string | readonly string[];
    if (isOurs(name)) continue;
    if (typeof value === 'string') head.add(name, value);
    else for (const each of value) head.add(name, each);
  }
  const body = options.body ?? null;
  if (body === null) {
    if (head.methodText === 'POST' || head.methodText === 'PUT' || head.methodText === 'PATCH') {
      head.contentLength = 0;
      head.add('content-length', '0');
    }
    return;
  }
  const length =
    typeof body === 'string' ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : -1;
  head.contentLength = length;
  if (length >= 0) head.add('content-length', String(length));
  else head.chunked = true;
}

/** Framing and hop-by-hop headers are the codec's business. */
function isOurs(name: string): boolean {
  switch (name.length) {
    case 4:
      return /^host$/i.test(name);
    case 10:
      return /^(connection|keep-alive)$/i.test(name);
    case 14:
      return /^content-length$/i.test(name);
    case 17:
      return /^transfer-encoding$/i.test(name);
    default:
      return false;
  }
}

function checkedMethod(method: string): string {
  if (method === 'GET') return method;
  for (let i = 0; i < method.length; i++) {
    if (tokenByte[method.charCodeAt(i)] !== 1) {
      throw new HeddleError('ERR_REQUEST_INVALID', `method ${JSON.stringify(method)}`);
    }
  }
  if (method === '' || method === 'CONNECT') {
    throw new HeddleError(
      'ERR_REQUEST_INVALID',
      `method ${JSON.stringify(method)}; use mesh.connect for tunnels`,
    );
  }
  return method;
}

function checkedTarget(text: string, what: string): string {
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte <= 32 || byte >= 127 || byte === 35) {
      throw new HeddleError('ERR_REQUEST_INVALID', `${what} ${JSON.stringify(text.slice(0, 200))} at ${i}`);
    }
  }
  if (text === '') throw new HeddleError('ERR_REQUEST_INVALID', `the ${what} is empty`);
  return text;
}
