import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { connect as tcpConnect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import WebSocket, { WebSocketServer } from 'ws';
import { gateway, proxy } from '../../../e2e/support.ts';
import { tcpUpstream, upstream, within } from '../../../mesh/support.ts';
import { h2Client, h2Upstream } from './node-peers.ts';

const route = { upgrades: ['websocket', 'connect'] };
const h2Cluster = (address: string) => ({ clusters: [{ name: 'up', endpoints: [address], codec: 'http2' }] });

/** A WebSocket server of HTTP/1.1 that answers each message in capitals. */
async function shouter(t: ExecutionContext): Promise<string> {
  const { address, server } = await upstream(t, (_request, response) => void response.end());
  const sockets = new WebSocketServer({ server });
  t.teardown(() => sockets.close());
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(String(data).toUpperCase()));
  });
  return address;
}

/** The same as bytes over an extended CONNECT: no frames, only capitals. */
function h2Shouter(t: ExecutionContext, settings = { enableConnectProtocol: true }) {
  return h2Upstream(
    t,
    (stream, headers) => {
      if (headers[':method'] !== 'CONNECT') {
        stream.respond({ ':status': 200 }, { endStream: true });
        return;
      }
      stream.respond({
        ':status': 200,
        'x-protocol': String(headers[':protocol']),
        'x-key': String(headers['sec-websocket-key']),
      });
      stream.on('data', (chunk: Buffer) => stream.write(chunk.toString().toUpperCase()));
      stream.on('end', () => stream.end('END'));
    },
    { settings },
  );
}

async function textOf(stream: ClientHttp2Stream, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const [chunk] = (await within(once(stream, 'data'), 'tunnel data')) as [Buffer];
    text += chunk.toString('latin1');
  }
  return text;
}

test('WebSocket over h2 (RFC 8441) reaches a WebSocket server of HTTP/1.1', async (t) => {
  const { address } = await proxy(t, gateway(await shouter(t), { codec: 'http2' }, route));
  const session = h2Client(t, address);
  await within(once(session, 'remoteSettings'), 'settings');
  t.true(session.remoteSettings.enableConnectProtocol);
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', 'sec-websocket-version': '13' },
    { endStream: false },
  );
  const [head] = (await within(once(stream, 'response'), 'an answer')) as [Record<string, unknown>];
  t.is(head[':status'], 200);
  t.is(head['sec-websocket-accept'], undefined);
  t.is(head['upgrade'], undefined);
  // A masked text frame with a mask of zeros, and its answer.
  stream.write(Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('hello')]));
  t.is(await textOf(stream, 7), '\x81\x05HELLO');
  stream.close();
});

test('a WebSocket client of HTTP/1.1 reaches an upstream that speaks RFC 8441', async (t) => {
  const { address: up } = await h2Upstream(
    t,
    (stream, headers) => {
      stream.respond({ ':status': 200, 'x-protocol': String(headers[':protocol']) });
      // Takes the first frame apart by hand: six bytes of header, then the masked text.
      stream.once('data', (chunk: Buffer) => {
        const mask = chunk.subarray(2, 6);
        const text = Buffer.from(chunk.subarray(6).map((byte, i) => byte ^ (mask[i % 4] as number)));
        stream.write(Buffer.from([0x81, text.length, ...Buffer.from(text.toString().toUpperCase())]));
      });
    },
    { settings: { enableConnectProtocol: true } },
  );
  const { address } = await proxy(t, { ...gateway(up, {}, route), ...h2Cluster(up) });
  const socket = new WebSocket(`ws://${address}/chat`);
  t.teardown(() => socket.terminate());
  await within(once(socket, 'open'), 'the upgrade');
  socket.send('hello');
  const [answer] = (await within(once(socket, 'message'), 'a message')) as [Buffer];
  t.is(String(answer), 'HELLO');
});

test('an extended CONNECT goes from h2 to h2, with both directions ending by themselves', async (t) => {
  const { address: up } = await h2Shouter(t);
  const { address } = await proxy(t, { ...gateway(up, { codec: 'http2' }, route), ...h2Cluster(up) });
  const session = h2Client(t, address);
  await within(once(session, 'remoteSettings'), 'settings');
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' },
    { endStream: false },
  );
  stream.write('early ');
  const [head] = (await within(once(stream, 'response'), 'an answer')) as [Record<string, unknown>];
  t.is(head['x-protocol'], 'websocket');
  t.is(head['x-key'], 'undefined', 'the key belongs to HTTP/1.1');
  t.is(await textOf(stream, 6), 'EARLY ');
  stream.write('more');
  t.is(await textOf(stream, 4), 'MORE');
  stream.end();
  t.is(await textOf(stream, 3), 'END');
  await within(once(stream, 'close'), 'the end');
  t.is(stream.rstCode, 0);
});

test('an upstream without RFC 8441 refuses the upgrade', async (t) => {
  const { address: up } = await h2Shouter(t, { enableConnectProtocol: false });
  const { address } = await proxy(t, { ...gateway(up, {}, route), ...h2Cluster(up) });
  const socket = new WebSocket(`ws://${address}/chat`);
  t.teardown(() => socket.terminate());
  const [error] = (await within(once(socket, 'error'), 'a refusal')) as [Error];
  t.regex(error.message, /502/);
});

test('an upgrade that the route does not name goes on as a plain request', async (t) => {
  const { address: up } = await h2Shouter(t);
  const { address } = await proxy(t, { ...gateway(up, { codec: 'http2' }), ...h2Cluster(up) });
  const session = h2Client(t, address);
  await within(once(session, 'remoteSettings'), 'settings');
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/' },
    { endStream: false },
  );
  const [head] = (await within(once(stream, 'response'), 'an answer')) as [Record<string, unknown>];
  t.is(head['x-protocol'], undefined);
  stream.write('nobody reads this');
  stream.resume();
  await within(once(stream, 'close'), 'the end');
});

test('CONNECT over h2 opens a tunnel through an HTTP/1.1 upstream', async (t) => {
  const { address: up } = await tcpUpstream(t, (socket) => {
    socket.once('data', (head) => {
      socket.write(`HTTP/1.1 200 OK\r\n\r\n${String(head).split(' ')[1]};`);
      socket.on('data', (chunk) => socket.write(String(chunk).toUpperCase()));
      socket.on('end', () => socket.end());
    });
  });
  const { address } = await proxy(t, gateway(up, { codec: 'http2' }, route));
  const session = h2Client(t, address);
  const stream = session.request(
    { ':method': 'CONNECT', ':authority': 'inner.test:443' },
    { endStream: false },
  );
  await within(once(stream, 'response'), 'an answer');
  t.is(await textOf(stream, 15), 'inner.test:443;');
  stream.write('abc');
  t.is(await textOf(stream, 3), 'ABC');
  stream.end();
  stream.resume();
  await within(once(stream, 'close'), 'the end');
});

test('Upgrade: h2c is neither honoured nor forwarded', async (t) => {
  let seen = '';
  const { address: up } = await upstream(t, (request, response) => {
    seen = JSON.stringify(request.headers);
    response.end('plain');
  });
  const { address } = await proxy(t, gateway(up));
  const [host, port] = address.split(':');
  const socket = tcpConnect(Number(port), host);
  t.teardown(() => socket.destroy());
  socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  );
  const [answer] = (await within(once(socket, 'data'), 'an answer')) as [Buffer];
  t.regex(String(answer), /^HTTP\/1\.1 200 /);
  t.notRegex(seen, /h2c|http2-settings|upgrade/i);
});
