import { once } from 'node:events';
import http, { type RequestListener, type Server } from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import test from 'ava';
import * as v from 'valibot';
import type { MeshConfig } from '../../src/core/config/input.ts';
import type { StreamFilterDefinition } from '../../src/core/contract/stream-filter.ts';
import { Verdict } from '../../src/core/contract/stream-filter.ts';
import { createMesh, HeddleError, type Mesh } from '../../src/index.ts';
import { type Echoed, echo, eventually, type Teardown, upstream, within } from '../mesh/support.ts';

type Ingress = NonNullable<MeshConfig['ingress']>;

async function serve(t: Teardown, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server behind a mesh. */
async function guarded(
  t: Teardown,
  ingress: Ingress,
  listener: RequestListener = echo,
  use: StreamFilterDefinition<never>[] = [],
): Promise<{ mesh: Mesh; url: string; server: Server }> {
  const mesh = await createMesh({ ingress }, { use: use as never });
  t.teardown(() => mesh.close());
  const server = http.createServer(listener);
  mesh.protect(server);
  return { mesh, url: `http://${await serve(t, server)}`, server };
}

const counted = (mesh: Mesh, name = 'heddle_downstream_requests_total'): number =>
  mesh.runtime.metrics.values[mesh.runtime.metrics.counter(name, { listener: 'ingress' })] as number;

/** A filter of the test's own. */
function own(hooks: ReturnType<StreamFilterDefinition['create']>): StreamFilterDefinition<never> {
  return {
    kind: 'filter',
    name: 'own',
    stage: 'beforeRoute',
    config: v.optional(v.strictObject({}), {}),
    create: () => hooks,
  } as unknown as StreamFilterDefinition<never>;
}

test('requests pass the filters first: headers that they set and remove arrive in both forms', async (t) => {
  const edits = {
    filters: [
      'request-id',
      {
        name: 'header-mutation',
        config: {
          requestHeaders: [{ name: 'x-added', value: 'yes' }],
          removeRequestHeaders: ['x-gone'],
          responseHeaders: [{ name: 'x-answer', value: 'edited' }],
        },
      },
    ],
  };
  const { mesh, url } = await guarded(t, edits, (request, response) => {
    response.setHeader('x-own', 'kept');
    response.end(JSON.stringify({ headers: request.headers, raw: request.rawHeaders }));
  });
  const answer = await fetch(url, { headers: { 'x-gone': '1', cookie: 'a=1' } });
  const got = (await answer.json()) as { headers: Record<string, string>; raw: string[] };
  t.is(got.headers['x-added'], 'yes');
  t.is(got.headers['x-gone'], undefined);
  t.regex(got.headers['traceparent'] ?? '', /^00-[0-9a-f]{32}-/);
  t.true(got.raw.includes('x-added'));
  t.false(got.raw.includes('x-gone'));
  t.is(answer.headers.get('x-answer'), 'edited');
  t.is(answer.headers.get('x-own'), 'kept');
  t.is(answer.headers.get('server'), null);
  await eventually(() => mesh.runtime.proxy.active === 0, 'the stream ends');
  t.is(counted(mesh), 1);
});

test('what a filter refuses, the application never hears of', async (t) => {
  let heard = 0;
  const { mesh, url, server } = await guarded(
    t,
    {
      filters: [
        { name: 'local-rate-limit', config: { bucket: { maxTokens: 1, fillIntervalMs: 3_600_000 } } },
      ],
    } as Ingress,
    (_request, response) => {
      heard++;
      response.end('ok');
    },
  );
  server.prependListener('request', () => heard++);
  t.is((await fetch(url)).status, 200);
  const refused = await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) });
  t.is(refused.status, 429);
  t.is(heard, 2);
  await eventually(() => mesh.runtime.proxy.active === 0, 'the streams end');
  t.is(counted(mesh), 2);
});

test('a limit of the body holds, however it is sent, and the application reads what passes', async (t) => {
  const { url } = await guarded(t, {
    filters: [{ name: 'payload-limit', config: { maxBytes: 1000 } }],
  } as Ingress);
  const small = (await (await fetch(url, { method: 'POST', body: 'x'.repeat(900) })).json()) as Echoed;
  t.is(small.body.length, 900);
  t.is((await fetch(url, { method: 'POST', body: 'x'.repeat(1001) })).status, 413);
  const chunked = {
    method: 'POST',
    body: ReadableStream.from([new Uint8Array(600), new Uint8Array(600)]),
    duplex: 'half',
  };
  t.is((await fetch(url, chunked as unknown as RequestInit)).status, 413);
});

test('a large upload through body filters keeps its bytes and waits for a slow application', async (t) => {
  const sizeBytes = 8 * 1024 * 1024;
  let isReading = false;
  let start = (): void => {};
  const { url } = await guarded(
    t,
    { filters: [{ name: 'payload-limit', config: { maxBytes: sizeBytes } }] } as Ingress,
    (request, response) => {
      start = () => {
        isReading = true;
        let gotBytes = 0;
        request.on('data', (chunk: Buffer) => {
          gotBytes += chunk.length;
        });
        request.on('end', () => response.end(String(gotBytes)));
      };
    },
  );
  const outgoing = http.request(url, { method: 'POST', headers: { 'content-length': sizeBytes } });
  const answered = once(outgoing, 'response') as Promise<[http.IncomingMessage]>;
  outgoing.end(Buffer.alloc(sizeBytes));
  await once(outgoing, 'socket');
  for (let i = 0; i < 300; i++) await new Promise((resolve) => setImmediate(resolve));
  t.false(isReading);
  t.true((outgoing.socket?.bytesWritten ?? 0) - (outgoing.socket?.writableLength ?? 0) < sizeBytes);
  start();
  const [response] = await within(answered, 'the answer');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  t.is(text, String(sizeBytes));
});

test('filters may wait before the request, and see and change the head of the answer', async (t) => {
  const hooks = {
    onRequestHead: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return Verdict.continue;
    },
    onResponseHead: (s: {
      res: { status: number; set(name: string, value: string): void; remove(name: string): boolean };
    }) => {
      s.res.set('x-status', String(s.res.status));
      s.res.remove('x-secret');
      return Verdict.continue;
    },
  };
  const { url } = await guarded(
    t,
    { filters: ['own'] },
    (request, response) => {
      request.resume();
      response.writeHead(201, 'Made', { 'x-secret': '1', 'set-cookie': ['a=1', 'b=2'] });
      response.write('a');
      response.end('b');
    },
    [own(hooks as never)],
  );
  const answer = await fetch(url, { method: 'PUT', body: 'sent' });
  t.is(answer.status, 201);
  t.is(answer.statusText, 'Made');
  t.is(answer.headers.get('x-status'), '201');
  t.is(answer.headers.get('x-secret'), null);
  t.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
  t.is(await answer.text(), 'ab');
});

test('a filter may answer in the application’s place when it sees the answer; what the application writes is dropped', async (t) => {
  const done: string[] = [];
  const { url } = await guarded(
    t,
    { filters: ['own'] },
    (_request, response) => {
      response.setHeader('x-leak', 'secret');
      response.write('secret', () => done.push('write'));
      response.end('secret', () => done.push('end'));
    },
    [
      own({
        onResponseHead: (s) =>
          s.isLocalReply ? Verdict.continue : s.reply(502, 'instead', { 'x-by': 'filter' }),
      }),
    ],
  );
  const answer = await fetch(url);
  t.is(answer.status, 502);
  t.is(await answer.text(), 'instead');
  t.is(answer.headers.get('x-leak'), null);
  t.is(answer.headers.get('x-by'), 'filter');
  await eventually(() => done.length === 2, 'the callbacks');
  t.deepEqual(done, ['write', 'end']);
});

test('virtual hosts answer, redirect or send elsewhere; the rest is the application’s', async (t) => {
  const { address } = await upstream(t, echo);
  const mesh = await createMesh({
    clusters: [{ name: 'legacy', endpoints: [address] }],
    ingress: {
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { path: '/health' }, directResponse: { status: 200, body: 'fine' } },
            { match: { prefix: '/old/' }, cluster: 'legacy' },
          ],
        },
      ],
    },
  } as MeshConfig);
  t.teardown(() => mesh.close());
  const server = http.createServer((_request, response) => response.end('application'));
  mesh.protect(server);
  const url = `http://${await serve(t, server)}`;
  t.is(await (await fetch(`${url}/health`)).text(), 'fine');
  t.is(await (await fetch(`${url}/new`)).text(), 'application');
  const body = 'x'.repeat(300_000);
  const got = (await (await fetch(`${url}/old/a`, { method: 'POST', body })).json()) as Echoed;
  t.like(got, { method: 'POST', url: '/old/a' });
  t.is(got.body.length, body.length);
});

test('a trace goes on from the request through the application to the calls that it makes', async (t) => {
  const { address } = await upstream(t, echo);
  const mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  t.teardown(() => mesh.close());
  const server = http.createServer(async (_request, response) => {
    await new Promise((resolve) => setImmediate(resolve));
    const byFetch = (await (await mesh.fetch('http://users/')).json()) as Echoed;
    const outgoing = http.get('http://users/', { agent: mesh.agent });
    const [answer] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    const byHttp = JSON.parse(text) as Echoed;
    response.end(JSON.stringify([byFetch.headers['traceparent'], byHttp.headers['traceparent']]));
  });
  mesh.protect(server);
  const url = `http://${await serve(t, server)}`;
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const answer = await fetch(url, { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` } });
  const seen = (await answer.json()) as string[];
  for (const each of seen) t.is(each.slice(3, 35), trace);
  t.not(seen[0], seen[1]);
});

test('upgrades pass the filters, and the socket is the application’s', async (t) => {
  const { mesh, url, server } = await guarded(t, {
    filters: [{ name: 'local-rate-limit', config: { bucket: { maxTokens: 1, fillIntervalMs: 3_600_000 } } }],
  } as Ingress);
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const open = async (): Promise<string> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.endsWith('\r\n\r\n') && text.includes('101')) socket.write('ping');
      if (text.endsWith('ping')) socket.end();
    });
    await within(once(socket, 'close'), 'the end');
    return text;
  };
  t.regex(await open(), /^HTTP\/1\.1 101 .*ping$/s);
  await eventually(() => mesh.runtime.proxy.active === 0, 'the stream ends');
  t.regex(await open(), /^HTTP\/1\.1 429 .*connection: close/s);
  t.is(counted(mesh), 2);
});

test('a client that goes away ends the stream; a throwing application is Node’s affair', async (t) => {
  const { mesh, url } = await guarded(t, {}, () => {});
  const outgoing = http.get(url);
  outgoing.on('error', () => {});
  await eventually(() => mesh.runtime.proxy.active === 1, 'the stream');
  outgoing.destroy();
  await eventually(() => mesh.runtime.proxy.active === 0, 'its end');
  t.is(counted(mesh, 'heddle_downstream_resets_total'), 1);
});

test('servers that listen already, https-like emitters and http2 compat are protected; undo takes it back', async (t) => {
  const mesh = await createMesh({
    ingress: {
      filters: [{ name: 'header-mutation', config: { responseHeaders: [{ name: 'x-by', value: 'mesh' }] } }],
    },
  } as MeshConfig);
  t.teardown(() => mesh.close());
  const server = http.createServer(echo);
  const url = `http://${await serve(t, server)}`;
  t.is((await fetch(url)).headers.get('x-by'), null);
  const undo = mesh.protect(server);
  t.is((await fetch(url)).headers.get('x-by'), 'mesh');
  mesh.protect(server);
  undo();
  t.is((await fetch(url)).headers.get('x-by'), null);
  t.false(Object.hasOwn(server, 'emit'));

  const h2 = http2.createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      response.setHeader('x-trace', String(request.headers['traceparent']));
      response.end(text);
    });
  });
  mesh.protect(h2);
  h2.listen(0, '127.0.0.1');
  await once(h2, 'listening');
  const session = http2.connect(`http://127.0.0.1:${(h2.address() as AddressInfo).port}`);
  t.teardown(() => {
    session.destroy();
    h2.close();
  });
  const stream = session.request({ ':method': 'POST', ':path': '/a' });
  stream.end('body');
  const [headers] = (await within(once(stream, 'response'), 'the answer')) as [http2.IncomingHttpHeaders];
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  t.is(text, 'body');
  t.is(headers['x-by'], 'mesh');
  t.regex(String(headers['x-trace']), /^00-/);
  await eventually(() => mesh.runtime.proxy.active === 0, 'the streams end');
});

test('what cannot work is refused: no server, two meshes, filters of answer bodies', async (t) => {
  await using mesh = await createMesh();
  await using other = await createMesh();
  t.throws(() => mesh.protect({} as Server), { instanceOf: HeddleError, code: 'ERR_OPTION_INVALID' });
  const server = http.createServer();
  mesh.protect(server);
  t.throws(() => other.protect(server), { message: /another mesh/ });
  const bodies = own({ onResponseBody: () => Verdict.continue });
  await t.throwsAsync(createMesh({ ingress: { filters: ['own'] } }, { use: [bodies] as never }), {
    message: /looks at the bodies of answers/,
  });
});

test('a reload changes the filters of new requests and keeps the server', async (t) => {
  const { mesh, url } = await guarded(t, {});
  t.is((await fetch(url)).status, 200);
  const result = await mesh.reload({
    ingress: { filters: [{ name: 'ip-access', config: { deny: ['127.0.0.0/8'] } }] },
  } as MeshConfig);
  t.deepEqual(result.problems, []);
  t.is((await fetch(url)).status, 403);
});
