/** Ingress before the handlers of real frameworks: filters first, bodies and errors as they are without the mesh. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { createMesh, type MeshConfig } from '../../src/index.ts';
import { eventually, type Teardown } from '../mesh/support.ts';
import { fromInterop, load } from './clients.ts';

/** POST /echo answers with the JSON that it got and its header x-added; GET /throw fails; GET /stream comes in pieces. */
type Framework = (t: Teardown) => Promise<Server>;

interface ExpressApp {
  (request: IncomingMessage, response: ServerResponse): void;
  use(handler: unknown): void;
  get(path: string, handler: unknown): void;
  post(path: string, handler: unknown): void;
  listen(port: number, host: string): Server;
}
type ExpressRequest = IncomingMessage & { body: unknown; get(name: string): string };
type ExpressResponse = ServerResponse & { json(value: unknown): void };

const pieces = ['a', 'b', 'c'];

const frameworks: Record<string, Framework> = {
  async express() {
    const express = (await load('express')) as (() => ExpressApp) & { json(): unknown };
    const app = express();
    app.use(express.json());
    app.post('/echo', (request: ExpressRequest, response: ExpressResponse) => {
      response.json({ got: request.body, added: request.get('x-added') });
    });
    app.get('/throw', () => {
      throw new Error('broken');
    });
    app.get('/stream', (_request: ExpressRequest, response: ExpressResponse) => {
      for (const each of pieces) response.write(each);
      response.end();
    });
    app.use((_error: Error, _request: unknown, response: ServerResponse, _next: unknown) => {
      response.statusCode = 500;
      response.end();
    });
    return app.listen(0, '127.0.0.1');
  },
  async fastify(t) {
    const fastify = (await load('fastify')) as () => {
      server: Server;
      get(path: string, handler: unknown): void;
      post(path: string, handler: unknown): void;
      listen(options: object): Promise<string>;
      close(): Promise<void>;
    };
    const app = fastify();
    app.post('/echo', (request: { body: unknown; headers: Record<string, string> }) => ({
      got: request.body,
      added: request.headers['x-added'],
    }));
    app.get('/throw', async () => {
      throw new Error('broken');
    });
    app.get('/stream', (_request: unknown, reply: { send(body: unknown): unknown }) =>
      reply.send(ReadableStream.from(pieces.map((each) => Buffer.from(each)))),
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    t.teardown(() => app.close());
    return app.server;
  },
  async koa() {
    const Koa = (await load('koa')) as new () => {
      silent: boolean;
      use(handler: (context: KoaContext) => unknown): void;
      listen(port: number, host: string): Server;
    };
    const app = new Koa();
    app.silent = true;
    app.use(async (context) => {
      if (context.path === '/throw') throw new Error('broken');
      if (context.path === '/stream') {
        const { Readable } = await import('node:stream');
        context.body = Readable.from(pieces);
        return;
      }
      let text = '';
      for await (const chunk of context.req) text += String(chunk);
      context.body = { got: JSON.parse(text) as unknown, added: context.get('x-added') };
    });
    return app.listen(0, '127.0.0.1');
  },
  async hono() {
    const { Hono } = fromInterop('hono') as { Hono: new () => HonoApp };
    const { serve } = fromInterop('@hono/node-server') as { serve(options: object): Server };
    const app = new Hono();
    app.post('/echo', async (c) => c.json({ got: await c.req.json(), added: c.req.header('x-added') }));
    app.get('/throw', () => {
      throw new Error('broken');
    });
    app.get(
      '/stream',
      () => new Response(ReadableStream.from(pieces.map((each) => Buffer.from(each))) as never),
    );
    app.onError((_error, c) => c.json({}, 500));
    return serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  },
};

interface KoaContext {
  readonly path: string;
  readonly req: IncomingMessage;
  body: unknown;
  get(name: string): string;
}
interface HonoContext {
  readonly req: { json(): Promise<unknown>; header(name: string): string };
  json(value: unknown, status?: number): Response;
}
interface HonoApp {
  readonly fetch: unknown;
  post(path: string, handler: (c: HonoContext) => unknown): void;
  get(path: string, handler: (c: HonoContext) => unknown): void;
  onError(handler: (error: Error, c: HonoContext) => Response): void;
}

const ingress = {
  filters: [
    { name: 'payload-limit', config: { maxBytes: 10_000 } },
    {
      name: 'local-rate-limit',
      config: { descriptors: [{ key: [{ header: 'x-once' }], maxTokens: 1, fillIntervalMs: 3_600_000 }] },
    },
    {
      name: 'header-mutation',
      config: {
        requestHeaders: [{ name: 'x-added', value: 'by the mesh' }],
        responseHeaders: [{ name: 'x-by', value: 'mesh' }],
      },
    },
  ],
} as NonNullable<MeshConfig['ingress']>;

for (const [name, start] of Object.entries(frameworks)) {
  test(`${name}: bodies, streams and errors come through the filters; what they refuse never arrives`, async (t) => {
    await using mesh = await createMesh({ ingress });
    const server = await start(t);
    if (!server.listening) await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    mesh.protect(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}/echo`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });

    const echoed = await post(JSON.stringify({ a: 1 }));
    t.is(echoed.status, 200);
    t.deepEqual(await echoed.json(), { got: { a: 1 }, added: 'by the mesh' });
    t.is(echoed.headers.get('x-by'), 'mesh');

    t.is((await post(JSON.stringify('x'.repeat(20_000)))).status, 413);
    t.is((await post('1', { 'x-once': 'same' })).status === 429, false);
    const limited = await post('{}', { 'x-once': 'same' });
    t.is(limited.status, 429);
    t.is(limited.headers.get('x-by'), 'mesh');

    const streamed = await fetch(`${url}/stream`);
    t.is(await streamed.text(), 'abc');
    t.is(streamed.headers.get('x-by'), 'mesh');
    t.is((await fetch(`${url}/throw`)).status, 500);
    t.is((await fetch(`${url}/none`, { method: 'HEAD' })).headers.get('x-by'), 'mesh');
    await eventually(() => mesh.runtime.proxy.active === 0, 'all streams end');
    const { values } = mesh.runtime.metrics;
    const labels = { listener: 'ingress', class: '2xx' };
    t.true(
      (values[mesh.runtime.metrics.counter('heddle_downstream_responses_total', labels)] as number) >= 2,
    );
  });
}
