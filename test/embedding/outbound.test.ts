import { once } from 'node:events';
import http, { Agent, get, type IncomingMessage, request as namedRequest } from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import test from 'ava';
import { type Dispatcher, getGlobalDispatcher, request, setGlobalDispatcher } from 'undici';
import { interceptOutbound } from '../../src/embedding/outbound.ts';
import type { MeshPort } from '../../src/embedding/port.ts';
import { createMesh, type Mesh } from '../../src/index.ts';
import { deadAddress, type Echoed, echo, type Teardown, upstream, within } from '../mesh/support.ts';

const globals = globalThis as unknown as Record<symbol, unknown>;
const keys = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')] as const;

async function hooked(t: Teardown, listener: http.RequestListener = echo): Promise<Mesh> {
  const { address } = await upstream(t, listener);
  const mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const undo = interceptOutbound(mesh);
  t.teardown(async () => {
    undo();
    await mesh.close();
  });
  return mesh;
}

const requestsOf = (mesh: Mesh): number =>
  mesh.runtime.metrics.counter('heddle_downstream_requests_total', { listener: 'inProcess' });

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function answerTo(outgoing: http.ClientRequest): Promise<IncomingMessage> {
  const [response] = (await within(once(outgoing, 'response'), 'the answer')) as [IncomingMessage];
  return response;
}

const echoed = async (outgoing: http.ClientRequest): Promise<Echoed> =>
  JSON.parse(String(await bodyOf(await answerTo(outgoing)))) as Echoed;

test.serial(
  'fetch, undici, http.get, http.request by name or imported: all go through the mesh',
  async (t) => {
    const mesh = await hooked(t);
    t.like((await (await fetch('http://users/fetch')).json()) as object, { url: '/fetch' });
    t.like((await (await request('http://users/undici')).body.json()) as object, { url: '/undici' });
    t.like(await echoed(http.get('http://users/get')), { url: '/get' });
    t.like(await echoed(get(new URL('http://USERS/url'))), { url: '/url' });
    t.like(await echoed(namedRequest({ hostname: 'users', path: '/options' }).end()), { url: '/options' });
    t.like(await echoed(http.request('http://users/both', { method: 'POST', port: 80 }).end('sent')), {
      url: '/both',
      method: 'POST',
      body: 'sent',
    });
    t.is(mesh.runtime.metrics.values[requestsOf(mesh)], 6);
  },
);

test.serial(
  'https to a name that the mesh knows goes through it: the cluster says whether TLS is spoken',
  async (t) => {
    await hooked(t);
    const got = await echoed(https.get('https://users/secure'));
    t.like(got, { url: '/secure' });
    t.is(got.headers['host'], 'users');
  },
);

test.serial(
  'hosts that it does not know reach their server by the same dispatcher object as before',
  async (t) => {
    const { address } = await upstream(t, echo);
    const seen: string[] = [];
    const before = getGlobalDispatcher();
    const own = before.compose((next) => (options, handler) => {
      seen.push(String(options.path));
      return next(options, handler);
    });
    setGlobalDispatcher(own);
    t.teardown(() => setGlobalDispatcher(before));
    const mesh = await hooked(t);
    t.like((await (await request(`http://${address}/undici`)).body.json()) as object, { url: '/undici' });
    t.like((await (await fetch(`http://${address}/fetch`)).json()) as object, { url: '/fetch' });
    t.like(await echoed(http.get(`http://${address}/http`)), { url: '/http' });
    t.deepEqual(seen, ['/undici', '/fetch']);
    t.is(mesh.runtime.proxy.active, 0);
  },
);

test.serial('an own agent, connection or dispatcher knows its way and is left alone', async (t) => {
  const { port } = await upstream(t, (_request, response) => response.end('direct'));
  await hooked(t, (_request, response) => response.end('mesh'));
  class OwnAgent extends Agent {
    override createConnection() {
      return connect(port, '127.0.0.1');
    }
  }
  const byAgent = http.get('http://users/', { agent: new OwnAgent() });
  t.is(String(await bodyOf(await answerTo(byAgent))), 'direct');
  const byConnection = http.get({ host: 'users', createConnection: () => connect(port, '127.0.0.1') });
  t.is(String(await bodyOf(await answerTo(byConnection))), 'direct');
  const byDefault = http.get({ host: 'users', agent: http.globalAgent });
  t.is(String(await bodyOf(await answerTo(byDefault))), 'mesh');
  const calls: string[] = [];
  const dispatcher = {
    dispatch: (options: { path: string }, handler: { onResponseError?(c: null, e: Error): void }) => {
      calls.push(options.path);
      queueMicrotask(() => handler.onResponseError?.(null, new Error('own')));
      return true;
    },
  } as unknown as Dispatcher;
  await t.throwsAsync(request('http://users/own', { dispatcher }), { message: 'own' });
  t.deepEqual(calls, ['/own']);
});

test.serial(
  'taking it back restores functions and dispatchers, also below what others put over them',
  async (t) => {
    const { address } = await upstream(t, echo);
    await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
    const held = [http.request, http.get, https.request, https.get, globals[keys[0]], globals[keys[1]]];
    const undo = interceptOutbound(mesh);
    t.not(http.request, held[0] as typeof http.request);
    t.not(globals[keys[0]], held[4]);
    undo();
    t.deepEqual(
      [http.request, http.get, https.request, https.get, globals[keys[0]], globals[keys[1]]].map(
        (each, index) => each === held[index],
      ),
      [true, true, true, true, true, true],
    );
    const undoAgain = interceptOutbound(mesh);
    const ours = http.request;
    const wrapped = ((...args: Parameters<typeof ours>) => ours(...args)) as typeof http.request;
    http.request = wrapped;
    undoAgain();
    t.is(http.request, wrapped, 'what somebody put over it stays');
    http.request = held[0] as typeof http.request;
    const outgoing = wrapped('http://users/');
    await t.throwsAsync(within(once(outgoing, 'response'), 'nothing'), { message: /ENOTFOUND|EAI_AGAIN/ });
  },
);

test.serial(
  'without an answer the request fails with the reason; a timeout and an abort are Node’s own',
  async (t) => {
    const address = await deadAddress();
    await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
    const undo = interceptOutbound(mesh);
    t.teardown(undo);
    const refused = http.get('http://users/');
    const [error] = (await within(once(refused, 'error'), 'the error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'ERR_UPSTREAM_CONNECT');
    undo();
    const slow = await hooked(t, () => {});
    const waiting = http.get('http://users/', { timeout: 20 });
    await within(once(waiting, 'timeout'), 'the timeout');
    waiting.destroy();
    await t.throwsAsync(once(waiting, 'close'), { code: 'ECONNRESET' });
    const controller = new AbortController();
    const aborted = http.get('http://users/', { signal: controller.signal });
    aborted.once('socket', () => controller.abort());
    await t.throwsAsync(once(aborted, 'response'), { name: 'AbortError' });
    while (slow.runtime.proxy.active > 0) await new Promise((resolve) => setImmediate(resolve));
    t.pass();
  },
);

test.serial('Expect: 100-continue, trailers, 1xx and an early answer come through', async (t) => {
  await hooked(t, (incoming, response) => {
    if (incoming.url === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    incoming.resume();
    incoming.on('end', () => {
      response.writeHead(200, { trailer: 'x-t', 'transfer-encoding': 'chunked' });
      response.write('a');
      response.addTrailers({ 'x-t': '1' });
      response.end();
    });
  });
  const expecting = http.request('http://users/', { method: 'PUT', headers: { expect: '100-continue' } });
  expecting.flushHeaders();
  await within(once(expecting, 'continue'), '100');
  expecting.end('body');
  const response = await answerTo(expecting);
  t.is(String(await bodyOf(response)), 'a');
  t.deepEqual(response.trailers, { 'x-t': '1' });
  const hinted = http.get('http://users/hints');
  const informed = once(hinted, 'information') as Promise<[{ statusCode: number }]>;
  (await answerTo(hinted)).resume();
  t.is((await within(informed, '103'))[0].statusCode, 103);
});

test.serial(
  'one connection serves request after request, and an upload waits for a slow upstream',
  async (t) => {
    let gotBytes = 0;
    let isPaused = true;
    let go = (): void => {};
    const mesh = await hooked(t, (incoming, response) => {
      if (incoming.method === 'GET') {
        response.end('x'.repeat(100_000));
        return;
      }
      go = () => {
        isPaused = false;
        incoming.on('data', (chunk: Buffer) => {
          gotBytes += chunk.length;
        });
        incoming.on('end', () => response.end(String(gotBytes)));
      };
    });
    const sockets = new Set<unknown>();
    for (let i = 0; i < 5; i++) {
      const outgoing = http.get('http://users/');
      outgoing.on('socket', (socket) => sockets.add(socket));
      t.is((await bodyOf(await answerTo(outgoing))).length, 100_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.is(sockets.size, 1);
    const upload = http.request('http://users/', { method: 'POST' });
    const chunk = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    while (sentBytes < 64 * 1024 * 1024 && upload.write(chunk)) sentBytes += chunk.length;
    for (let i = 0; i < 200 && sentBytes < 64 * 1024 * 1024; i++) {
      if (!upload.writableNeedDrain) {
        upload.write(chunk);
        sentBytes += chunk.length;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.true(isPaused);
    t.true(sentBytes < 32 * 1024 * 1024, `${sentBytes} bytes went to a reader that reads nothing`);
    go();
    upload.end();
    t.is(Number(String(await bodyOf(await answerTo(upload)))), gotBytes);
    t.true(mesh.runtime.proxy.active === 0);
  },
);

test.serial(
  'mesh.agent and mesh.httpsAgent serve explicit users; unknown hosts go by Node’s agent',
  async (t) => {
    const { address } = await upstream(t, echo);
    const other = await upstream(t, echo);
    await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
    t.like(await echoed(http.get('http://users/a', { agent: mesh.agent })), { url: '/a' });
    t.like(await echoed(https.get('https://users/b', { agent: mesh.httpsAgent })), { url: '/b' });
    t.like(await echoed(http.get(`http://${other.address}/c`, { agent: mesh.agent })), { url: '/c' });
  },
);

test.serial('any mesh will do: the hooks need four methods', async (t) => {
  const { port: number } = await upstream(t, echo);
  const port: MeshPort = {
    knows: (authority) => authority === 'users',
    request: () => Promise.reject(new Error('not by this way')),
    connect: () => Promise.reject(new Error('not by this way')),
    openHttp: () => connect(number, '127.0.0.1'),
  };
  t.teardown(interceptOutbound(port));
  t.like(await echoed(http.get('http://users/socket')), { url: '/socket' });
  await t.throwsAsync(fetch('http://users/'), { message: 'fetch failed' });
});
