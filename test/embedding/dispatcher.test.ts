import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import test from 'ava';
import type { Dispatcher } from 'undici';
import { Agent, request, stream, upgrade } from 'undici';
import type { CallbackHandler, DispatchController } from '../../src/embedding/dispatcher/handler.ts';
import type { Mesh } from '../../src/index.ts';
import { createMesh, HeddleError } from '../../src/index.ts';
import { deadAddress, type Echoed, echo, type Teardown, upstream, within } from '../mesh/support.ts';

const asUndici = (mesh: Mesh): Dispatcher => mesh.dispatcher as unknown as Dispatcher;

async function meshTo(t: Teardown, listener: Parameters<typeof upstream>[1]): Promise<Mesh> {
  const { address } = await upstream(t, listener);
  const mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  t.teardown(() => mesh.close());
  return mesh;
}

/** A handler of undici 6 that keeps what it was told. */
function recorder(overrides: CallbackHandler = {}) {
  const events: string[] = [];
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler: CallbackHandler = {
    onConnect: () => void events.push('connect'),
    onHeaders: (status, raw) => void events.push(`headers ${status} ${raw.length % 2}`),
    onData: (chunk) => void chunks.push(chunk),
    onComplete: (trailers) => {
      events.push(`complete ${trailers.map(String).join('=')}`);
      resolve();
    },
    onError: (error) => {
      events.push(`error ${(error as NodeJS.ErrnoException).code}`);
      resolve();
    },
    ...overrides,
  };
  return { handler, events, chunks, ended: within(promise, 'the call') };
}

test('undici.request goes through the mesh by name: method, path, query, headers and body arrive', async (t) => {
  const mesh = await meshTo(t, echo);
  const answer = await request('http://users/a?b=1', {
    dispatcher: asUndici(mesh),
    method: 'POST',
    headers: { 'x-a': ['1', '2'], host: 'ignored' },
    body: 'text',
  });
  t.is(answer.statusCode, 200);
  const got = (await answer.body.json()) as Echoed;
  t.like(got, { method: 'POST', url: '/a?b=1', body: 'text' });
  t.is(got.headers['x-a'], '1, 2');
  t.is(got.headers['host'], 'users');
  t.is(got.headers['content-length'], '4');
});

test('the fetch of Node goes through the dispatcher that it is given', async (t) => {
  const mesh = await meshTo(t, echo);
  const init = { dispatcher: mesh.dispatcher, method: 'PUT', body: 'sent' } as unknown as RequestInit;
  const got = (await (await fetch('http://users/x?y', init)).json()) as Echoed;
  t.like(got, { method: 'PUT', url: '/x?y', body: 'sent' });
  t.is(got.headers['content-length'], '4', 'fetch tells how long its body is');
});

test('a handler of the older generation hears connect, headers, data and complete with trailers', async (t) => {
  const mesh = await meshTo(t, (_request, response) => {
    response.writeHead(200, { trailer: 'x-sum', 'transfer-encoding': 'chunked' });
    response.write('one');
    response.addTrailers({ 'x-sum': '7' });
    response.end('two');
  });
  const { handler, events, chunks, ended } = recorder();
  mesh.dispatcher.dispatch({ origin: 'http://users', path: '/', method: 'GET' }, handler);
  await ended;
  t.deepEqual(events, ['connect', 'headers 200 0', 'complete x-sum=7']);
  t.is(Buffer.concat(chunks).toString(), 'onetwo');
});

test('a paused handler is sent nothing until it resumes, and the upstream is slowed down', async (t) => {
  const sizeBytes = 8 * 1024 * 1024;
  let sentBytes = 0;
  const mesh = await meshTo(t, (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, 7);
    const more = (): void => {
      while (sentBytes < sizeBytes) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  let resume = (): void => {};
  let gotBytes = 0;
  const first = Promise.withResolvers<void>();
  const { handler, ended } = recorder({
    onHeaders: (_status, _raw, go) => {
      resume = go;
      return true;
    },
    onData: (chunk) => {
      gotBytes += chunk.length;
      if (gotBytes !== chunk.length) return true;
      first.resolve();
      return false;
    },
  });
  mesh.dispatcher.dispatch({ origin: 'http://users', path: '/', method: 'GET' }, handler);
  await within(first.promise, 'first bytes');
  const pausedAt = gotBytes;
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  t.is(gotBytes, pausedAt);
  t.true(sentBytes < sizeBytes, `${sentBytes} bytes were sent to a paused reader`);
  resume();
  await ended;
  t.is(gotBytes, sizeBytes);
});

test('controllers pause, resume and abort, and the abort reaches the upstream', async (t) => {
  const closed = Promise.withResolvers<void>();
  const mesh = await meshTo(t, (request, response) => {
    request.socket.once('close', () => closed.resolve());
    response.write('first');
  });
  const failed = Promise.withResolvers<Error>();
  let held: DispatchController | null = null;
  mesh.dispatcher.dispatch(
    { origin: new URL('http://users'), path: '/', method: 'GET' },
    {
      onRequestStart: (controller) => {
        held = controller;
      },
      onResponseData: (controller) => {
        t.false(controller.aborted);
        controller.abort(new Error('enough'));
      },
      onResponseError: (controller, error) => {
        t.is(controller, held);
        failed.resolve(error);
      },
    },
  );
  t.is((await within(failed.promise, 'the error')).message, 'enough');
  await within(closed.promise, 'the end of the upstream connection');
});

test('a signal that fires before, during and after the head rejects with its reason', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const mesh = await meshTo(t, (request, response) => {
    if (request.url === '/body') response.write('x');
    else arrived.resolve();
  });
  const dispatcher = asUndici(mesh);
  const reason = new Error('no more');
  await t.throwsAsync(request('http://users/', { dispatcher, signal: AbortSignal.abort(reason) }), {
    is: reason,
  });
  const during = new AbortController();
  const call = request('http://users/', { dispatcher, signal: during.signal });
  await within(arrived.promise, 'the request');
  during.abort(reason);
  await t.throwsAsync(call, { is: reason });
  const later = new AbortController();
  const { body } = await request('http://users/body', { dispatcher, signal: later.signal });
  later.abort(reason);
  await t.throwsAsync(body.text(), { is: reason });
});

test('streams, iterables, blobs and forms are sent as bodies', async (t) => {
  const mesh = await meshTo(t, echo);
  const dispatcher = asUndici(mesh);
  async function* pieces() {
    yield Buffer.from('pie');
    yield Buffer.from('ces');
  }
  const send = async (body: unknown): Promise<Echoed> => {
    const answer = await request('http://users/', { dispatcher, method: 'POST', body: body as never });
    return (await answer.body.json()) as Echoed;
  };
  t.is((await send(Readable.from([Buffer.from('str'), 'eam']))).body, 'stream');
  t.is((await send(pieces())).body, 'pieces');
  t.is((await send(Buffer.from('bytes'))).body, 'bytes');
  const blob = await send(new Blob(['blob'], { type: 'text/x' }));
  t.like(blob, { body: 'blob' });
  t.is(blob.headers['content-type'], 'text/x');
  const form = new FormData();
  form.set('a', '1');
  t.regex((await send(form)).body, /name="a"/);
});

test('a body that fails while it is sent fails the call and ends it upstream', async (t) => {
  const aborted = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const mesh = await meshTo(t, (request) => {
    arrived.resolve();
    request.on('error', () => aborted.resolve());
    request.resume();
  });
  async function* broken() {
    yield Buffer.from('x');
    await arrived.promise;
    throw new Error('source broke');
  }
  const call = request('http://users/', {
    dispatcher: asUndici(mesh),
    method: 'POST',
    body: Readable.from(broken()),
  });
  await t.throwsAsync(call, { message: /source broke/ });
  await within(aborted.promise, 'the end upstream');
});

test('undici.stream and pipelines of interceptors work on it', async (t) => {
  const mesh = await meshTo(t, echo);
  const seen: string[] = [];
  const dispatcher = mesh.dispatcher.compose((next) => (options, handler) => {
    seen.push(options.path);
    return next(options, handler);
  });
  const chunks: Buffer[] = [];
  await stream('http://users/s', { dispatcher: dispatcher as unknown as Dispatcher, method: 'GET' }, () => {
    return new WritableChunks(chunks);
  });
  t.like(JSON.parse(Buffer.concat(chunks).toString()) as object, { url: '/s' });
  t.deepEqual(seen, ['/s']);
});

test('an upgrade gives a tunnel to the upstream', async (t) => {
  const { address, server } = await upstream(t, echo);
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello');
    socket.pipe(socket);
  });
  await using mesh = await createMesh({
    clusters: [{ name: 'users', endpoints: [address] }],
    inProcess: {
      virtualHosts: [{ name: 'a', domains: ['users'], routes: [{ cluster: 'users', upgrades: ['echo'] }] }],
    },
  });
  const { socket } = await upgrade('http://users/', { dispatcher: asUndici(mesh), protocol: 'echo' });
  socket.write('ping');
  let text = '';
  while (text.length < 9) text += String(await within(once(socket, 'data'), 'bytes'));
  t.is(text, 'helloping');
  socket.destroy();
});

test('hosts that the mesh does not know go to the dispatcher below, as they are', async (t) => {
  const mesh = await meshTo(t, echo);
  const { address } = await upstream(t, echo);
  const answer = await request(`http://${address}/direct`, { dispatcher: asUndici(mesh) });
  t.like((await answer.body.json()) as object, { url: '/direct' });
});

test('no host, and a time limit: the errors say so by their code', async (t) => {
  const address = await deadAddress();
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const error = await t.throwsAsync(request('http://users/', { dispatcher: asUndici(mesh) }));
  t.true(error instanceof HeddleError);
  t.is((error as NodeJS.ErrnoException).code, 'ERR_UPSTREAM_CONNECT');
  const slow = await meshTo(t, () => {});
  await t.throwsAsync(request('http://users/', { dispatcher: asUndici(slow), headersTimeout: 20 }), {
    code: 'UND_ERR_HEADERS_TIMEOUT',
  });
  const stalls = await meshTo(t, (_request, response) => void response.write('x'));
  const { body } = await request('http://users/', { dispatcher: asUndici(stalls), bodyTimeout: 20 });
  await t.throwsAsync(body.text(), { code: 'UND_ERR_BODY_TIMEOUT' });
});

test('close waits for the calls under way and takes no more; destroy ends them; the mesh goes on', async (t) => {
  const held: (() => void)[] = [];
  const mesh = await meshTo(t, (_request, response) => void held.push(() => response.end('done')));
  const { dispatcher } = mesh;
  const { handler, chunks, ended } = recorder();
  dispatcher.dispatch({ origin: 'http://users', path: '/', method: 'GET' }, handler);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  let isClosed = false;
  const closing = dispatcher.close().then(() => {
    isClosed = true;
  });
  const late = recorder();
  dispatcher.dispatch({ origin: 'http://users', path: '/', method: 'GET' }, late.handler);
  await late.ended;
  t.deepEqual(late.events, ['error UND_ERR_CLOSED']);
  t.false(isClosed);
  held[0]?.();
  await ended;
  await closing;
  t.is(Buffer.concat(chunks).toString(), 'done');
  const again = mesh.request({ authority: 'users' });
  while (held.length === 1) await new Promise((resolve) => setImmediate(resolve));
  held[1]?.();
  t.is((await again).status, 200);
});

test('a Pool of undici that is not the mesh stays untouched beside it', async (t) => {
  const { address } = await upstream(t, echo);
  const mesh = await meshTo(t, echo);
  const own = new Agent();
  const answer = await request(`http://${address}/own`, { dispatcher: own });
  t.like((await answer.body.json()) as object, { url: '/own' });
  t.is(mesh.runtime.proxy.active, 0);
  await own.close();
});

class WritableChunks extends Writable {
  readonly #chunks: Buffer[];
  constructor(chunks: Buffer[]) {
    super();
    this.#chunks = chunks;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}
