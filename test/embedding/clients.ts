import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { request } from 'undici';

/** One request in terms that every client has. */
interface ClientCall {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

interface ClientAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** An HTTP client as an application would use it: a URL, nothing of the mesh. */
export type Client = (url: string, call: ClientCall) => Promise<ClientAnswer>;

/** Of the packages in test/interop. */
export const fromInterop: NodeJS.Require = createRequire(new URL('../interop/package.json', import.meta.url));
/** @returns the default export of a package in test/interop */
export const load = async (name: string): Promise<unknown> =>
  ((await import(pathToFileURL(fromInterop.resolve(name)).href)) as { default: unknown }).default;

/** `body` as fetch wants it. */
const fetchInit = ({ method = 'GET', headers, body, signal }: ClientCall): RequestInit =>
  ({ method, headers, signal, body: body && Readable.toWeb(body), duplex: 'half' }) as RequestInit;

async function byHttp(
  url: string,
  { method = 'GET', headers, body, signal }: ClientCall,
): Promise<ClientAnswer> {
  const outgoing = http.request(url, { method, ...(headers && { headers }), ...(signal && { signal }) });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  if (body === undefined) outgoing.end();
  else body.pipe(outgoing);
  const [response] = await answered;
  return { status: response.statusCode ?? 0, body: response };
}

async function byAxios(): Promise<Client> {
  const axios = (await load('axios')) as (config: object) => Promise<{ status: number; data: Readable }>;
  return async (url, { method = 'GET', headers, body, signal }) => {
    const common = {
      url,
      method,
      headers,
      signal,
      data: body,
      responseType: 'stream',
      validateStatus: () => true,
    };
    const { status, data } = await axios({ ...common, maxContentLength: -1, maxBodyLength: -1 });
    return { status, body: data };
  };
}

async function byGot(): Promise<Client> {
  const got = (await load('got')) as { stream(url: string, options: object): Readable };
  return async (url, { method = 'GET', headers, body, signal }) => {
    const options = { method, headers, signal, body, retry: { limit: 0 }, throwHttpErrors: false };
    const stream = got.stream(url, options);
    const [response] = (await once(stream, 'response')) as [{ statusCode: number }];
    return { status: response.statusCode, body: stream };
  };
}

async function byNodeFetch(): Promise<Client> {
  const fetch = (await load('node-fetch')) as (
    url: string,
    init: object,
  ) => Promise<{ status: number; body: Readable }>;
  return async (url, { method = 'GET', headers, body, signal }) => {
    const answer = await fetch(url, { method, headers, body, signal });
    return { status: answer.status, body: answer.body };
  };
}

async function bySuperagent(): Promise<Client> {
  const superagent = fromInterop('superagent') as (method: string, url: string) => SuperagentRequest;
  return (url, { method = 'GET', headers = {}, body, signal }) =>
    new Promise((resolve, reject) => {
      const outgoing = superagent(method, url)
        .set(headers)
        .ok(() => true)
        .buffer(true);
      signal?.addEventListener('abort', () => {
        outgoing.abort();
        reject(signal.reason);
      });
      outgoing.on('error', reject);
      outgoing.parse((response: IncomingMessage, done: (error: null, body: unknown) => void) => {
        // It listens to the data itself, so a body that is read later has to be kept for later.
        resolve({ status: response.statusCode ?? 0, body: response.pipe(new PassThrough()) });
        response.once('end', () => done(null, null));
      });
      const request = outgoing.request();
      request.on('error', reject);
      if (body === undefined) outgoing.end(() => {});
      else body.pipe(outgoing as unknown as NodeJS.WritableStream);
    });
}

interface SuperagentRequest {
  set(headers: object): this;
  ok(test: () => boolean): this;
  buffer(whole: boolean): this;
  parse(parser: unknown): this;
  on(event: 'error', listener: (error: Error) => void): this;
  request(): http.ClientRequest;
  abort(): void;
  end(done: () => void): void;
}

export const clientNames = ['fetch', 'undici', 'http', 'axios', 'got', 'node-fetch', 'superagent'] as const;
export type ClientName = (typeof clientNames)[number];

/** The real packages; those that are not ours come from test/interop. */
export async function loadClients(): Promise<Record<ClientName, Client>> {
  return {
    fetch: async (url, call) => {
      const { status, body } = await fetch(url, fetchInit(call));
      return { status, body: body as unknown as AsyncIterable<Uint8Array> };
    },
    undici: async (url, { method = 'GET', headers, body, signal }) => {
      const answer = await request(url, {
        method,
        ...(headers && { headers }),
        ...(body && { body }),
        ...(signal && { signal }),
      });
      return { status: answer.statusCode, body: answer.body };
    },
    http: byHttp,
    axios: await byAxios(),
    got: await byGot(),
    'node-fetch': await byNodeFetch(),
    superagent: await bySuperagent(),
  };
}
