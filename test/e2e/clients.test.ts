import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import test from 'ava';
import { Agent, request, fetch as undiciFetch } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { type Echoed, echo, eventually, upstream, within } from '../mesh/support.ts';
import { gateway, proxy } from './support.ts';

test('undici: many calls at once over few connections, each with its own answer', async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address } = await proxy(t, gateway(host));
  const dispatcher = new Agent({ connections: 8, pipelining: 1 });
  t.teardown(() => dispatcher.close());
  const calls = Array.from({ length: 400 }, async (_, i) => {
    const { statusCode, body } = await request(`http://${address}/${i}`, {
      dispatcher,
      method: i % 2 === 0 ? 'GET' : 'POST',
      body: i % 2 === 0 ? null : `body ${i}`,
    });
    const got = (await body.json()) as Echoed;
    return statusCode === 200 && got.url === `/${i}` && got.body === (i % 2 === 0 ? '' : `body ${i}`);
  });
  t.true((await within(Promise.all(calls), 'all answers')).every(Boolean));
});

test('undici: pipelined requests are answered in order', async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address } = await proxy(t, gateway(host));
  const dispatcher = new Agent({ connections: 1, pipelining: 20 });
  t.teardown(() => dispatcher.close());
  const calls = Array.from({ length: 100 }, async (_, i) => {
    const { body } = await request(`http://${address}/${i}`, { dispatcher });
    return ((await body.json()) as Echoed).url;
  });
  t.deepEqual(
    await within(Promise.all(calls), 'all answers'),
    Array.from({ length: 100 }, (_, i) => `/${i}`),
  );
});

test('fetch, of Node and of undici: bodies of unknown length both ways', async (t) => {
  const { address: host } = await upstream(t, (incoming, response) => void incoming.pipe(response));
  const { address } = await proxy(t, gateway(host));
  for (const call of [fetch, undiciFetch as unknown as typeof fetch]) {
    const parts = Array.from({ length: 20 }, () => randomBytes(10_000));
    const response = await call(`http://${address}/`, {
      method: 'POST',
      body: ReadableStream.from(parts) as ReadableStream<Uint8Array>,
      duplex: 'half',
    } as RequestInit);
    const hash = createHash('sha256').update(Buffer.from(await response.arrayBuffer()));
    t.is(hash.digest('hex'), createHash('sha256').update(Buffer.concat(parts)).digest('hex'));
  }
});

test('node:http with an agent: one connection serves many requests, HEAD, 204 and 304 among them', async (t) => {
  const { address: host } = await upstream(t, (incoming, response) => {
    const status = Number(/\d+/.exec(incoming.url ?? '')?.[0] ?? 200);
    response.writeHead(status, incoming.method === 'HEAD' ? { 'content-length': 42 } : {});
    response.end(status === 200 && incoming.method === 'GET' ? 'body' : '');
  });
  const { address, standalone } = await proxy(t, gateway(host));
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const [hostname, port] = address.split(':');
  const texts: string[] = [];
  for (const [method, path] of [
    ['GET', '/'],
    ['HEAD', '/'],
    ['GET', '/204'],
    ['GET', '/304'],
    ['GET', '/'],
  ]) {
    const call = httpRequest({ hostname, port, agent, method, path });
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    let text = `${response.statusCode} ${response.headers['content-length'] ?? '-'} `;
    for await (const chunk of response) text += String(chunk);
    texts.push(text);
  }
  t.deepEqual(texts, ['200 4 body', '200 42 ', '204 - ', '304 - ', '200 4 body']);
  t.is(standalone.mesh.listeners.all[0]?.connectionCount, 1);
});

test('ws: messages of all sizes both ways, pings, sub-protocol and close codes pass through', async (t) => {
  const { address: host, server } = await upstream(t, echo);
  const sockets = new WebSocketServer({ server, maxPayload: 32 * 1024 * 1024 });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'close me') socket.close(4001, 'as you wish');
      else socket.send(data, { binary: isBinary });
    });
    socket.on('ping', () => socket.send('pinged'));
  });
  const { address, standalone } = await proxy(t, gateway(host, {}, { upgrades: ['websocket'] }));
  const client = new WebSocket(`ws://${address}/chat`, ['heddle.v1'], { maxPayload: 32 * 1024 * 1024 });
  await within(once(client, 'open'), 'the upgrade');
  t.is(client.protocol, 'heddle.v1');
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 16 * 1024 * 1024]) {
    const sent = randomBytes(size);
    client.send(sent);
    const [got, isBinary] = (await within(once(client, 'message'), `${size} bytes`)) as [Buffer, boolean];
    t.true(isBinary);
    t.true(got.equals(sent), `${size} bytes`);
  }
  client.ping();
  t.is(String((await within(once(client, 'message'), 'an answer to ping'))[0]), 'pinged');
  client.send('close me');
  const [code, reason] = (await within(once(client, 'close'), 'the close')) as [number, Buffer];
  t.is(code, 4001);
  t.is(String(reason), 'as you wish');
  const second = new WebSocket(`ws://${address}/chat`);
  await within(once(second, 'open'), 'the second upgrade');
  const closing = once([...sockets.clients].at(-1) as WebSocket, 'close');
  second.close(1000, 'bye');
  t.is((await within(closing, 'the close at the server'))[0], 1000);
  await eventually(() => standalone.mesh.listeners.all[0]?.connectionCount === 0, 'both connections end');
  t.is(standalone.mesh.clusters.get('up')?.breakers.requests, 0);
});

test('ws: many at once, in both directions without waiting for each other', async (t) => {
  const { address: host, server } = await upstream(t, echo);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    for (let i = 0; i < 200; i++) socket.send(`down ${i}`);
    let received = 0;
    socket.on('message', () => {
      if (++received === 200) socket.close(1000);
    });
  });
  const { address } = await proxy(t, gateway(host, {}, { upgrades: ['websocket'] }));
  const one = async (): Promise<number> => {
    const client = new WebSocket(`ws://${address}/`);
    let received = 0;
    client.on('message', () => received++);
    await once(client, 'open');
    for (let i = 0; i < 200; i++) client.send(`up ${i}`);
    await once(client, 'close');
    return received;
  };
  const counts = await within(Promise.all(Array.from({ length: 20 }, one)), 'all closed');
  t.deepEqual(
    counts,
    Array.from({ length: 20 }, () => 200),
  );
});

test('ws: a route that does not name the upgrade does not pass it on, and a refusal of the upstream arrives', async (t) => {
  const { address: host, server } = await upstream(t, echo);
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno'),
  );
  const closed = await proxy(t, gateway(host));
  const open = await proxy(t, gateway(host, {}, { upgrades: ['websocket'] }));
  for (const [address, status] of [
    [closed.address, 200],
    [open.address, 401],
  ] as const) {
    const client = new WebSocket(`ws://${address}/`);
    client.on('error', () => {});
    const [, response] = (await within(once(client, 'unexpected-response'), 'the refusal')) as [
      unknown,
      IncomingMessage,
    ];
    t.is(response.statusCode, status);
    client.terminate();
  }
});
