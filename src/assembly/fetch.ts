import { HeddleError } from '../core/base/errors.ts';
import type { MeshResponse } from '../core/stream/call.ts';
import type { CallBody, CallOptions } from '../core/stream/start-call.ts';

/** Statuses whose Response may have no body (Fetch, "null body status"). */
const nullBodyStatuses = new Set([101, 204, 205, 304]);

/** Turns the arguments of `fetch` into a call. @throws HeddleError ERR_REQUEST_INVALID */
export function callOfFetch(input: string | URL | Request, init: RequestInit = {}): CallOptions {
  const request = input instanceof Request ? input : null;
  const url = urlOf(request === null ? input.toString() : request.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new HeddleError('ERR_REQUEST_INVALID', `protocol ${url.protocol} of ${url.href}`);
  }
  const headers = headersOf(request, init);
  const body = bodyOf(request, init, headers);
  return {
    method: (init.method ?? request?.method ?? 'GET').toUpperCase(),
    authority: url.host,
    path: url.pathname + url.search,
    headers: Object.fromEntries(headers),
    body,
    signal: init.signal ?? request?.signal ?? undefined,
  };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null) return url;
  const detail = `URL ${JSON.stringify(text.slice(0, 200))}; write "http://cluster/path"`;
  throw new HeddleError('ERR_REQUEST_INVALID', detail);
}

function headersOf(request: Request | null, init: RequestInit): Headers {
  if (init.headers !== undefined) return new Headers(init.headers);
  return new Headers(request?.headers);
}

function bodyOf(request: Request | null, init: RequestInit, headers: Headers): CallBody {
  const given = init.body;
  if (given === undefined || given === null) return (request?.body as CallBody | undefined) ?? null;
  if (typeof given === 'string') {
    if (!headers.has('content-type')) headers.set('content-type', 'text/plain;charset=UTF-8');
    return given;
  }
  if (given instanceof Uint8Array) return given;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  // Blob, FormData, URLSearchParams, ReadableStream: the platform knows their types and bytes.
  const extracted = new Response(given as ConstructorParameters<typeof Response>[0]);
  const type = extracted.headers.get('content-type');
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  return extracted.body as unknown as AsyncIterable<Uint8Array>;
}

/** A WHATWG Response whose body streams with back-pressure. */
export function fetchResponse(response: MeshResponse): Response {
  const headers = new Headers();
  response.headers.forEach((name, value) => {
    headers.append(name, value);
  });
  const { status } = response;
  const complete = response.body.complete;
  let body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null = null;
  if (!nullBodyStatuses.has(status)) {
    body = complete === null ? readable(response) : (complete as Uint8Array<ArrayBuffer>);
  }
  return new Response(body, { status, headers });
}

function readable(response: MeshResponse): ReadableStream<Uint8Array> {
  const chunks = response.body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        response.body.cancel();
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
}
