import type { Clock } from '../base/clock.ts';
import { HeddleError } from '../base/errors.ts';
import { tokenByte } from '../base/header-field.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import type { StreamSink } from '../contract/stream-end.ts';
import { MeshResponse, toBuffer } from './call.ts';

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
  /** Bytes that a streamed body will have: sent as Content-Length. Without it the body is chunked. */
  readonly contentLength?: number;
  readonly signal?: AbortSignal | undefined;
  /** The whole call, its body included; overrides the route's. 0 = none. */
  readonly timeoutMs?: number;
  /** The inbound stream that causes this call: its trace goes on. */
  readonly parent?: Stream;
}

/** Where calls enter: the data path of this thread, or the link to that of another. */
export interface CallEntry extends StreamSink {
  readonly context: { readonly clock: Clock };
}

/** Starts a call: enters the data path at `filterBeforeRoute`, like a request that a codec has just scanned. */
export function startCall(
  p: CallEntry,
  pipeline: Pipeline | null,
  options: CallOptions,
): Promise<MeshResponse> {
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

function send(p: CallEntry, s: Stream, response: MeshResponse, options: CallOptions): void {
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
    typeof body === 'string'
      ? Buffer.byteLength(body)
      : body instanceof Uint8Array
        ? body.length
        : (options.contentLength ?? -1);
  head.contentLength = length;
  if (length >= 0) head.add('content-length', String(length));
  else head.chunked = true;
}

const ownNames: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
]);
/** Lengths of `ownNames`, as bits: nearly every other name is passed over by this. */
const ownLengths = [...ownNames].reduce((bits, name) => bits | (1 << name.length), 0);

/** Framing and hop-by-hop headers are the codec's business. */
function isOurs(name: string): boolean {
  if (((1 << name.length) & ownLengths) === 0) return false;
  const first = name.charCodeAt(0) | 32;
  return (
    (first === 99 || first === 104 || first === 107 || first === 116) && ownNames.has(name.toLowerCase())
  );
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
