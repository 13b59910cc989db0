import { Readable } from 'node:stream';
import { HeddleError } from '../../core/base/errors.ts';
import type { CallBody, CallOptions } from '../../core/stream/start-call.ts';
import { authorityOfText } from '../http/target.ts';

type HeaderValue = string | number | readonly string[] | null | undefined;

/** What callers of `dispatch` give, as far as the mesh reads it (undici's DispatchOptions). */
export interface DispatchOptions {
  readonly origin?: string | URL;
  readonly path: string;
  readonly method: string;
  readonly body?: unknown;
  readonly headers?:
    | Readonly<Record<string, HeaderValue>>
    | readonly string[]
    | Iterable<readonly [string, HeaderValue]>
    | null;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly upgrade?: boolean | string | null;
  /** Ms until the answer begins; 0 or null = none. Without it the route's limits count. */
  readonly headersTimeout?: number | null;
  /** Ms between two pieces of the answer; 0 or null = none. */
  readonly bodyTimeout?: number | null;
}

/** "host:port" in lower case, "" when there is none. A URL keeps it as a string of its own: nothing is parsed. */
export function authorityOfOrigin(origin: string | URL | undefined): string {
  if (origin === undefined || origin === null) return '';
  return typeof origin === 'string' ? (authorityOfText(origin) ?? '') : origin.host;
}

/** @throws HeddleError ERR_REQUEST_INVALID */
export function callOptionsOf(
  options: DispatchOptions,
  authority: string,
  signal: AbortSignal | undefined,
): CallOptions {
  const headers = headersOf(options.headers);
  const body = bodyOf(options.body, headers);
  const isStream = body !== null && typeof body === 'object' && !(body instanceof Uint8Array);
  const announced = isStream ? lengthOf(headers) : undefined;
  return {
    method: options.method,
    path: options.query === undefined ? options.path : withQuery(options.path, options.query),
    authority,
    headers,
    body,
    signal,
    ...(announced === undefined ? {} : { contentLength: announced }),
  };
}

type Headers_ = Record<string, string | readonly string[]>;

function headersOf(given: DispatchOptions['headers']): Headers_ {
  const headers: Headers_ = {};
  if (given === undefined || given === null) return headers;
  if (Array.isArray(given)) {
    for (let i = 0; i + 1 < given.length; i += 2) add(headers, String(given[i]), given[i + 1] as HeaderValue);
    return headers;
  }
  if (Symbol.iterator in given) {
    for (const [name, value] of given as Iterable<readonly [string, HeaderValue]>) add(headers, name, value);
    return headers;
  }
  for (const name of Object.keys(given))
    add(headers, name, (given as Record<string, HeaderValue>)[name] as HeaderValue);
  return headers;
}

function add(headers: Headers_, name: string, value: HeaderValue): void {
  if (value === undefined || value === null) return;
  const text = typeof value === 'string' ? value : Array.isArray(value) ? value.map(String) : String(value);
  const before = headers[name];
  headers[name] = before === undefined ? text : [before, text].flat();
}

function lengthOf(headers: Headers_): number | undefined {
  for (const name in headers) {
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const length = Number(headers[name]);
    if (Number.isSafeInteger(length) && length >= 0) return length;
  }
  return undefined;
}

function bodyOf(given: unknown, headers: Headers_): CallBody {
  if (given === undefined || given === null) return null;
  if (typeof given === 'string' || given instanceof Uint8Array) return given;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  if (given instanceof Readable) return bytesOf(given);
  if (given instanceof Blob || given instanceof FormData) return extracted(given, headers);
  if (isAsyncIterable(given) || isIterable(given)) return bytesOf(given);
  throw new HeddleError(
    'ERR_REQUEST_INVALID',
    `body ${Object.prototype.toString.call(given)}; give a string, bytes, a stream or an iterable`,
  );
}

const isAsyncIterable = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;
const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;

async function* bytesOf(chunks: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') yield Buffer.from(chunk);
    else if (chunk instanceof Uint8Array) yield chunk;
    else if (chunk instanceof ArrayBuffer) yield new Uint8Array(chunk);
    else throw new HeddleError('ERR_REQUEST_INVALID', 'a body chunk is neither text nor bytes');
  }
}

function extracted(given: Blob | FormData, headers: Headers_): CallBody {
  const response = new Response(given as ConstructorParameters<typeof Response>[0]);
  const type = response.headers.get('content-type');
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (type !== null && !hasType) headers['content-type'] = type;
  return response.body as unknown as AsyncIterable<Uint8Array>;
}

function withQuery(path: string, query: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) parameters.append(name, String(each));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}
