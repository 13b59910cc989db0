import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { HeddleError, MeshApi } from '../../../src/index.ts';
import { deadAddress, type Echoed, echo, eventually, tcpUpstream, upstream, within } from '../support.ts';
import { type Mode, modes, startMesh } from './modes.ts';

const chunkBytes = 64 * 1024;
const cleanups: (() => unknown)[] = [];
const scope = { teardown: (run: () => unknown) => void cleanups.push(run) };
const meshes = new Map<Mode, MeshApi>();
const meshOf = (mode: Mode): MeshApi => meshes.get(mode) as MeshApi;
const events = new Map<string, PromiseWithResolvers<void>>();
const eventOf = (what: string): PromiseWithResolvers<void> => {
  const known = events.get(what) ?? Promise.withResolvers<void>();
  events.set(what, known);
  return known;
};
/** At the upstream: a request for that path is there; it is over. */
const arrivedFor = (path: string): PromiseWithResolvers<void> => eventOf(`${path} arrived`);
const goneFor = (path: string): PromiseWithResolvers<void> => eventOf(`${path} gone`);
let written = 0;

test.before(async () => {
  const web = await upstream(scope, (request, response) => {
    const path = request.url ?? '';
    arrivedFor(path).resolve();
    request.on('error', () => {});
    if (path.startsWith('/echo')) echo(request, response);
    else if (path === '/trailers') {
      response.writeHead(418, { 'x-a': 'b', trailer: 'x-sum' });
      response.write('part');
      response.addTrailers({ 'x-sum': '7' });
      response.end();
    } else if (path === '/hash') {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    } else if (path === '/ignores') request.pause();
    else if (path.startsWith('/big')) {
      const total = Number(path.slice(5)) || 64 * 1024 * 1024;
      written = 0;
      const write = (): void => {
        while (written < total) {
          written += chunkBytes;
          if (!response.write(Buffer.alloc(chunkBytes, written >> 16))) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
      response.once('close', () => goneFor(path).resolve());
    } else if (path.startsWith('/begins')) response.write('begin');
    else response.once('close', () => goneFor(path).resolve());
  });
  const rude = await tcpUpstream(scope, (socket) => void socket.once('data', () => socket.destroy()));
  const babble = await tcpUpstream(
    scope,
    (socket) => void socket.once('data', () => socket.end('220 mail.example ESMTP ready\r\n')),
  );
  const tunnel = await tcpUpstream(scope, (socket) => void socket.pipe(socket));
  const config = {
    clusters: [
      { name: 'web', endpoints: [web.address] },
      { name: 'dead', endpoints: [await deadAddress()] },
      { name: 'rude', endpoints: [rude.address] },
      { name: 'babble', endpoints: [babble.address] },
      { name: 'tunnel', endpoints: [tunnel.address] },
      { name: 'empty' },
    ],
  };
  for (const mode of modes) meshes.set(mode, await startMesh(mode, config));
});

test.after.always(async () => {
  for (const mesh of meshes.values()) await mesh.close();
  for (const cleanup of cleanups) await cleanup();
});

for (const mode of modes) {
  test(`${mode}: a request reaches the upstream with method, path, headers and body, and its answer comes back`, async (t) => {
    const response = await meshOf(mode).request({
      authority: 'web',
      method: 'PUT',
      path: '/echo?full=1',
      headers: { 'x-one': '1', 'x-many': ['a', 'b'], 'x-latin': 'caf\u00e9' },
      body: 'hello',
    });
    t.is(response.status, 200);
    t.is(response.headers.get('content-type'), 'application/json');
    const got = (await response.json()) as Echoed;
    t.like(got, { method: 'PUT', url: '/echo?full=1', body: 'hello' });
    t.like(got.headers, { 'x-one': '1', 'x-many': 'a, b', 'content-length': '5', host: 'web' });
    t.is(got.headers['x-latin'], 'caf\u00e9');
  });

  test(`${mode}: status, headers and trailers of an answer arrive as the upstream sent them`, async (t) => {
    const response = await meshOf(mode).request({ authority: 'web', path: '/trailers' });
    t.is(response.status, 418);
    t.is(response.headers.get('x-a'), 'b');
    t.is(await response.text(), 'part');
    t.is(response.trailers?.get('x-sum'), '7');
  });

  test(`${mode}: a hundred calls at once keep their answers apart`, async (t) => {
    const calls = Array.from({ length: 100 }, async (_, i) => {
      const body = 'x'.repeat(i * 300);
      const response = await meshOf(mode).request({
        authority: 'web',
        method: 'POST',
        path: `/echo${i}`,
        body,
      });
      const got = (await response.json()) as Echoed;
      return got.url === `/echo${i}` && got.body === body;
    });
    t.true((await Promise.all(calls)).every(Boolean));
  });

  test(`${mode}: bodies of every kind and size arrive whole, and the caller's bytes stay his`, async (t) => {
    const bytes = Buffer.alloc(3 * 1024 * 1024 + 7);
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = (i * 31) & 255;
    const want = createHash('sha256').update(bytes).digest('hex');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 100_000) {
        yield bytes.subarray(at, at + 100_000);
        await turn();
      }
    }
    for (const body of [bytes, pieces()]) {
      const response = await meshOf(mode).request({ authority: 'web', method: 'POST', path: '/hash', body });
      t.is(await response.text(), want);
    }
    t.is(createHash('sha256').update(bytes).digest('hex'), want);
  });

  test.serial(
    `${mode}: a slow reader of an answer holds the upstream back, and gets every byte`,
    async (t) => {
      const total = 64 * 1024 * 1024;
      const response = await meshOf(mode).request({ authority: 'web', path: `/big/${total}` });
      const chunks = response.body[Symbol.asyncIterator]();
      let read = (await chunks.next()).value?.length ?? 0;
      // Nobody reads now: what is written settles at what sockets and buffers on the way can hold.
      let before = -1;
      let quiet = 0;
      await eventually(() => {
        quiet = written === before ? quiet + 1 : 0;
        before = written;
        return quiet > 40;
      }, 'the upstream stops writing');
      t.true(written < total / 2, `${written} bytes went into nobody's hands`);
      let isInOrder = true;
      for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) {
        for (const at of [0, chunk.length - 1]) {
          if (chunk[at] !== ((Math.floor((read + at) / chunkBytes) + 1) & 255)) isInOrder = false;
        }
        read += chunk.length;
      }
      t.true(isInOrder);
      t.is(read, total);
    },
  );

  test(`${mode}: a streamed request body is pulled no faster than the upstream takes it`, async (t) => {
    const controller = new AbortController();
    const totalChunks = 1024;
    let pulled = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      for (; pulled < totalChunks; pulled++) {
        yield new Uint8Array(chunkBytes);
        await turn();
      }
    }
    const { signal } = controller;
    const call = meshOf(mode).request({
      authority: 'web',
      path: '/ignores',
      method: 'POST',
      body: body(),
      signal,
    });
    let before = -1;
    let quiet = 0;
    await eventually(() => {
      quiet = pulled === before ? quiet + 1 : 0;
      before = pulled;
      return quiet > 40;
    }, 'the body is not pulled any more');
    t.true(pulled < totalChunks / 2, `${pulled} chunks were pulled`);
    controller.abort();
    t.like(await t.throwsAsync(call), { code: 'ERR_REQUEST_ABORTED' });
  });

  test(`${mode}: a reader that stops early cancels the upstream`, async (t) => {
    const path = `/big/${1024 * 1024 * 1024}?${mode}`;
    const response = await meshOf(mode).request({ authority: 'web', path });
    for await (const chunk of response.body) {
      t.true(chunk.length > 0);
      break;
    }
    await within(goneFor(path).promise, 'the upstream sees the cancel');
  });

  test(`${mode}: an abort before a call sends nothing, one during it or in its body ends it with the reason`, async (t) => {
    const reason = new Error('no interest');
    const mesh = meshOf(mode);
    const early = mesh.request({ authority: 'web', path: '/echo', signal: AbortSignal.abort(reason) });
    t.like(await t.throwsAsync(early), { code: 'ERR_REQUEST_ABORTED', cause: reason });
    const controller = new AbortController();
    const path = `/waits/${mode}`;
    const call = mesh.request({ authority: 'web', path, signal: controller.signal });
    await within(arrivedFor(path).promise, 'the request at the upstream');
    controller.abort(reason);
    t.like(await t.throwsAsync(call), { code: 'ERR_REQUEST_ABORTED', cause: reason, retry: 'no' });
    await within(goneFor(path).promise, 'the upstream sees the cancel');
    const second = new AbortController();
    const response = await mesh.request({ authority: 'web', path: '/begins', signal: second.signal });
    const text = response.text();
    second.abort();
    t.like(await t.throwsAsync(within(text, 'the end of the body')), { code: 'ERR_REQUEST_ABORTED' });
  });

  test(`${mode}: a tunnel carries bytes both ways, half-closes, and ends with its peer`, async (t) => {
    const mesh = meshOf(mode);
    const tunnel = await mesh.connect('tunnel');
    const sent = Buffer.alloc(5 * 1024 * 1024, 'abcdefg');
    const hash = createHash('sha256');
    let bytes = 0;
    tunnel.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    tunnel.end(sent);
    await within(once(tunnel, 'end'), 'the other end half-closes');
    t.is(bytes, sent.length);
    t.is(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
    t.like(await t.throwsAsync(mesh.connect('empty')), { code: 'ERR_CLUSTER_NO_HOST' });
    t.like(await t.throwsAsync(mesh.connect('nobody')), { code: 'ERR_CLUSTER_UNKNOWN' });
    const other = await mesh.connect('tunnel');
    const closed = once(other, 'close');
    other.destroy();
    await within(closed, 'a destroyed tunnel closes');
  });

  test(`${mode}: fetch, agents and raw HTTP enter the same mesh`, async (t) => {
    const mesh = meshOf(mode);
    const got = (await (await mesh.fetch('http://web/echo', { method: 'POST', body: 'f' })).json()) as Echoed;
    t.is(got.body, 'f');
    t.true(mesh.knows('web'));
    t.false(mesh.knows('elsewhere.example'));
    const socket = mesh.openHttp();
    socket.write('GET /echo/raw HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    t.regex(text, /^HTTP\/1\.1 200 /);
    t.regex(text, /\r\ncontent-type: application\/json\r\n/i);
    t.true(text.includes('/echo/raw'));
  });
}

/** What an error says, without its stack. */
const factsOf = (thrown: unknown): unknown => {
  const { code, message, source, retry, context } = thrown as HeddleError;
  return { code, message, source, retry, context };
};

test('errors are equal in both modes: code, message, source, retry and context', async (t) => {
  const failures: ((mesh: MeshApi) => Promise<unknown>)[] = [
    (mesh) => mesh.request({ authority: 'dead', method: 'POST' }),
    (mesh) => mesh.request({ authority: 'rude', method: 'POST' }),
    (mesh) => mesh.request({ authority: 'babble', method: 'POST' }),
    (mesh) => mesh.request({ authority: 'empty' }),
    (mesh) => mesh.request({ authority: 'nobody' }),
    (mesh) => mesh.request({ authority: 'web', path: '/never', timeoutMs: 50 }),
    (mesh) => mesh.request({ authority: 'web', path: 'a b' }),
    (mesh) => mesh.request({ authority: 'web', headers: { 'x-a': 'b\nc' } }),
    (mesh) => mesh.fetch('ftp://web/'),
    (mesh) => mesh.connect('dead'),
    (mesh) => mesh.connect('webb'),
    async (mesh) => (await mesh.request({ authority: 'web', path: '/begins', timeoutMs: 50 })).text(),
  ];
  for (const [i, fail] of failures.entries()) {
    const [here, there] = await Promise.all(modes.map((mode) => t.throwsAsync(fail(meshOf(mode)))));
    t.deepEqual(factsOf(there), factsOf(here), `failure ${i}`);
  }
});
