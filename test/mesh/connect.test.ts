import { once } from 'node:events';
import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { deadAddress, eventually, tcpUpstream, within } from './support.ts';

test('connect gives a byte stream to a host, counted as one request until it closes', async (t) => {
  const { address } = await tcpUpstream(t, (socket) => socket.pipe(socket));
  await using mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  t.is(mesh.clusters.get('raw')?.breakers.requests, 1);
  stream.write('hello');
  t.is(String(await within(once(stream, 'data'), 'the echo')), 'hello');
  stream.end();
  await within(once(stream, 'close'), 'the close');
  t.is(mesh.clusters.get('raw')?.breakers.requests, 0);
});

test('each half of a connection ends on its own', async (t) => {
  const { address } = await tcpUpstream(t, (socket) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    // Answers only after the other side has said that it is done.
    socket.on('end', () => socket.end(`got ${text}`));
  });
  await using mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  stream.end('a question');
  let answer = '';
  for await (const chunk of stream) answer += (chunk as Buffer).toString();
  t.is(answer, 'got a question');
});

test('the other half may go on after the upstream has ended its own', async (t) => {
  const got = Promise.withResolvers<string>();
  const { address } = await tcpUpstream(t, (socket) => {
    socket.end('bye');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('end', () => got.resolve(text));
  });
  await using mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  stream.resume();
  await within(once(stream, 'end'), 'the end of the upstream');
  stream.end('still here');
  t.is(await within(got.promise, 'what was sent afterwards'), 'still here');
});

test('a connection has back-pressure both ways and loses nothing of 32 MiB', async (t) => {
  const { address } = await tcpUpstream(t, (socket) => socket.pipe(socket));
  await using mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  const total = 32 * 1024 * 1024;
  let sent = 0;
  const write = (): void => {
    while (sent < total) {
      sent += 65536;
      if (!stream.write(Buffer.alloc(65536, 1))) {
        stream.once('drain', write);
        return;
      }
    }
    stream.end();
  };
  write();
  let before = -1;
  let quiet = 0;
  await eventually(() => {
    quiet = sent === before ? quiet + 1 : 0;
    before = sent;
    return quiet > 40;
  }, 'writing stops while nobody reads');
  t.true(sent < total);
  let received = 0;
  for await (const chunk of stream) received += (chunk as Buffer).length;
  t.is(received, total);
});

test('an upstream that drops the connection is an error of the stream', async (t) => {
  const { address, sockets } = await tcpUpstream(t, () => {});
  await using mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  await eventually(() => sockets.size === 1, 'the connection at the upstream');
  for (const socket of sockets) socket.resetAndDestroy();
  const [error] = (await within(once(stream, 'error'), 'the error')) as [Error];
  t.like(error, { code: 'ERR_UPSTREAM_RESET' });
});

test('connect fails with the reason, the host and the nearest name', async (t) => {
  const dead = await deadAddress();
  await using mesh = await createMesh({
    clusters: [{ name: 'dead', endpoints: [dead] }, { name: 'empty' }, { name: 'users' }],
  });
  t.like(await t.throwsAsync(within(mesh.connect('dead'), 'the failure')), {
    code: 'ERR_UPSTREAM_CONNECT',
    context: { cluster: 'dead', host: dead, reason: 'connect_failure' },
  });
  t.like(await t.throwsAsync(mesh.connect('empty')), { code: 'ERR_CLUSTER_NO_HOST' });
  const unknown = await t.throwsAsync(mesh.connect('user'), { message: /did you mean "users"\?/ });
  t.like(unknown, { code: 'ERR_CLUSTER_UNKNOWN' });
  t.is(mesh.clusters.get('dead')?.breakers.requests, 0);
});

test('closing the mesh closes the connections that connect gave away', async (t) => {
  const { address, sockets } = await tcpUpstream(
    t,
    (socket) => void socket.resume().on('end', () => socket.end()),
  );
  const mesh = await createMesh({ clusters: [{ name: 'raw', endpoints: [address] }] });
  const stream = await mesh.connect('raw');
  stream.on('error', () => {});
  await eventually(() => sockets.size === 1, 'the connection at the upstream');
  const closed = once(stream, 'close');
  await mesh.close();
  await within(closed, 'the close');
  await eventually(() => sockets.size === 0, 'the upstream sees it');
  t.like(await t.throwsAsync(mesh.connect('raw')), { code: 'ERR_MESH_CLOSED' });
});
