import type { MeshPort } from '../port.ts';

/** `UniversalClientRequest` of @connectrpc/connect. */
export interface ConnectRequest {
  readonly url: string;
  readonly method: string;
  readonly header: Headers;
  readonly body?: AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `UniversalClientResponse` of @connectrpc/connect. */
export interface ConnectResponse {
  readonly status: number;
  readonly header: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  /** Filled when the body has ended. */
  readonly trailer: Headers;
}

/** What every transport of @connectrpc/connect takes (`CommonTransportOptions`), the HTTP client aside. */
export interface ConnectOptions {
  readonly baseUrl: string;
  readonly useBinaryFormat?: boolean;
  readonly interceptors?: never[];
  readonly readMaxBytes?: number;
  readonly writeMaxBytes?: number;
}

/** The HTTP client that transports of @connectrpc/connect are made with. */
export function connectClient(
  port: Pick<MeshPort, 'request'>,
): (request: ConnectRequest) => Promise<ConnectResponse> {
  return async ({ url, method, header, body, signal }) => {
    const target = new URL(url);
    const headers: Record<string, string> = {};
    header.forEach((value, name) => {
      headers[name] = value;
    });
    const answer = await port.request({
      method,
      authority: target.host,
      path: target.pathname + target.search,
      headers,
      body: body ?? null,
      signal,
    });
    const trailer = new Headers();
    const got = new Headers();
    answer.headers.forEach((name, value) => {
      got.append(name, value);
    });
    async function* chunks(): AsyncGenerator<Uint8Array, void, void> {
      yield* answer.body;
      answer.trailers?.forEach((name, value) => {
        trailer.append(name, value);
      });
    }
    return { status: answer.status, header: got, body: chunks(), trailer };
  };
}

const mostBytes = 0xff_ff_ff_ff;

/** Whatever the transport needs to know beyond where it goes. */
export function connectDefaults(options: ConnectOptions): Required<ConnectOptions> & object {
  return {
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes: mostBytes,
    writeMaxBytes: mostBytes,
    ...options,
  } as Required<ConnectOptions>;
}
