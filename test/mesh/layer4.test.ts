import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { MeshConfig } from '../../src/core/config/input.ts';
import { createMesh, type Mesh } from '../../src/index.ts';
import { deadAddress, type Echoed, echo, eventually, tcpUpstream, upstream, within } from './support.ts';

const everything = [{ name: 'all', domains: ['*'], routes: [{ cluster: 'web' }] }];

async function meshOf(t: ExecutionContext, config: MeshConfig): Promise<Mesh> {
  const mesh = await createMesh(config);
  t.teardown(() => mesh.close());
  return mesh;
}

function dial(address: string): Socket {
  const socket = address.startsWith('unix:')
    ? connect({ path: address.slice(5), allowHalfOpen: true })
    : connect({ port: Number(address.split(':').at(-1)), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  return socket;
}

/** All that comes until the end. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await within(once(socket, 'end'), 'the end');
  return Buffer.concat(chunks);
}

const inUse = (mesh: Mesh, cluster: string): number[] => {
  const live = mesh.clusters.get(cluster);
  return [live?.breakers.requests ?? -1, live?.breakers.connections ?? -1];
};

test('32 MiB go through tcp-proxy each way at once, half-closed, over TCP and unix sockets', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-l4-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const sizeBytes = 32 * 1024 * 1024;
  const block = Buffer.from(Array.from({ length: 65_537 }, (_, i) => (i * 7) % 251));
  const server = await tcpUpstream(t, (socket) => socket.pipe(socket));
  for (const address of ['127.0.0.1:0', `unix:${join(directory, 'l4.sock')}`]) {
    const mesh = await meshOf(t, {
      listeners: [
        { name: 'l4', address, networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'echo' } }] },
      ],
      clusters: [{ name: 'echo', endpoints: [server.address] }],
    });
    const socket = dial(mesh.listeners.addresses['l4'] as string);
    let received = 0;
    let isIntact = true;
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += 4099) {
        isIntact &&= chunk[at] === block[(received + at) % block.length];
      }
      received += chunk.length;
    });
    let sent = 0;
    while (sent < sizeBytes) {
      sent += block.length;
      if (!socket.write(block)) await within(once(socket, 'drain'), 'room');
    }
    socket.end();
    await within(once(socket, 'end'), 'the end');
    t.is(received, sent);
    t.true(isIntact);
    await eventually(() => inUse(mesh, 'echo').every((each) => each === 0), 'permits come back');
    await mesh.close();
  }
});

test('a reset of the host arrives as a reset, and a dead host is left out for the next one', async (t) => {
  const server = await tcpUpstream(t, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      if (chunk.toString() === 'reset') socket.resetAndDestroy();
      else socket.end('fine');
    });
  });
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'l4',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'raw' } }],
      },
    ],
    clusters: [{ name: 'raw', endpoints: [await deadAddress(), server.address] }],
  });
  for (let i = 0; i < 4; i++) {
    const socket = dial(mesh.listeners.addresses['l4'] as string);
    socket.write('hello');
    t.is((await readAll(socket)).toString(), 'fine');
    socket.destroy();
  }
  const socket = dial(mesh.listeners.addresses['l4'] as string);
  const failed = new Promise((resolve) => socket.once('close', resolve));
  let code = '';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? '';
  });
  socket.on('data', () => {});
  socket.write('reset');
  await within(failed, 'the reset');
  t.is(code, 'ECONNRESET');
  await eventually(() => inUse(mesh, 'raw').every((each) => each === 0), 'permits come back');
});

test('a reader that does not read keeps memory bounded and loses nothing', async (t) => {
  const sizeBytes = 48 * 1024 * 1024;
  let written = 0;
  const server = await tcpUpstream(t, (socket) => {
    const block = Buffer.alloc(256 * 1024, 'x');
    const more = (): void => {
      while (written < sizeBytes) {
        written += block.length;
        if (!socket.write(block)) return void socket.once('drain', more);
      }
      socket.end();
    };
    more();
  });
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'l4',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'raw' } }],
      },
    ],
    clusters: [{ name: 'raw', endpoints: [server.address] }],
  });
  const socket = dial(mesh.listeners.addresses['l4'] as string);
  socket.pause();
  let seen = -1;
  await eventually(() => {
    const isStill = written === seen && written > 0;
    seen = written;
    return isStill;
  }, 'the host is made to wait');
  t.true(written < sizeBytes, `the host wrote ${written} bytes to a client that reads none`);
  t.is((await readAll(socket)).length, sizeBytes);
});

test('HTTP behind a PROXY header sees the client that it names, and counts its connections by it', async (t) => {
  const web = await upstream(t, echo);
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'web',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'proxy-protocol', config: { trusted: ['127.0.0.1'] } }],
        filters: ['forwarded-headers'],
        limits: { maxConnectionsPerSource: 1 },
        virtualHosts: everything,
      },
    ],
    clusters: [{ name: 'web', endpoints: [web.address] }],
  });
  const address = mesh.listeners.addresses['web'] as string;
  const head = (client: string): string =>
    `PROXY TCP4 ${client} 10.0.0.1 5555 443\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`;
  const sockets = ['203.0.113.1', '203.0.113.2'].map(() => dial(address));
  sockets.forEach((socket, i) => void socket.write(head(`203.0.113.${i + 1}`).slice(0, 60)));
  sockets.forEach((socket, i) => void socket.write(head(`203.0.113.${i + 1}`).slice(60)));
  for (const [i, socket] of sockets.entries()) {
    const answer = (await readAll(socket)).toString();
    const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Echoed;
    t.is(headers['x-forwarded-for'], `203.0.113.${i + 1}`);
    socket.destroy();
  }
});

test('one port takes HTTP and anything else; a client that says nothing gets the TCP host', async (t) => {
  const web = await upstream(t, (_request, response) => response.end('web'));
  const raw = await tcpUpstream(t, (socket) => {
    socket.end('220 ready\r\n');
    socket.resume();
  });
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'mixed',
        address: '127.0.0.1:0',
        codec: { name: 'detect', config: { codecs: ['http1'], timeoutMs: 50 } },
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'raw' } }],
        virtualHosts: everything,
      },
    ],
    clusters: [
      { name: 'web', endpoints: [web.address] },
      { name: 'raw', endpoints: [raw.address] },
    ],
  });
  const address = mesh.listeners.addresses['mixed'] as string;
  const answer = await fetch(`http://${address}/`);
  t.is(await answer.text(), 'web');
  for (const first of ['SSH-2.0-x\r\n', '']) {
    const socket = dial(address);
    if (first !== '') socket.write(first);
    t.is((await readAll(socket)).toString(), '220 ready\r\n');
    socket.destroy();
  }
});

test('hosts that expect a PROXY header get one on pooled connections too', async (t) => {
  const heads: string[] = [];
  const server = await tcpUpstream(t, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      heads.push(chunk.toString('latin1').split('\r\n')[0] ?? '');
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  const mesh = await meshOf(t, {
    clusters: [{ name: 'web', endpoints: [server.address], proxyProtocol: { version: 1 } }],
  });
  const response = await mesh.fetch('http://web/');
  t.is(await response.text(), 'ok');
  t.deepEqual(heads, ['PROXY UNKNOWN']);
});

test('a reload changes network filters for new connections, the old ones go on', async (t) => {
  const server = await tcpUpstream(t, (socket) => socket.pipe(socket));
  const config = (networkFilters: readonly object[]): MeshConfig => ({
    listeners: [
      {
        name: 'l4',
        address: '127.0.0.1:0',
        networkFilters: [...networkFilters, { name: 'tcp-proxy', config: { cluster: 'echo' } }] as never,
      },
    ],
    clusters: [{ name: 'echo', endpoints: [server.address] }],
  });
  const mesh = await meshOf(t, config([]));
  const address = mesh.listeners.addresses['l4'] as string;
  const old = dial(address);
  old.write('one');
  await within(once(old, 'data'), 'an echo');
  const { applied } = await mesh.reload(config([{ name: 'ip-access', config: { deny: ['127.0.0.0/8'] } }]));
  t.true(applied);
  t.is(mesh.listeners.addresses['l4'], address);
  const refused = dial(address);
  refused.resume();
  await within(
    once(refused, 'end').catch(() => {}),
    'the refusal',
  );
  old.write('two');
  const [echoed] = (await within(once(old, 'data'), 'an echo')) as [Buffer];
  t.is(echoed.toString(), 'two');
  old.destroy();
});

test('a drain lets tunnels go on until its deadline, then drops them', async (t) => {
  const server = await tcpUpstream(t, (socket) => socket.pipe(socket));
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'l4',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'echo' } }],
      },
    ],
    clusters: [{ name: 'echo', endpoints: [server.address] }],
  });
  const socket = dial(mesh.listeners.addresses['l4'] as string);
  socket.write('x');
  await within(once(socket, 'data'), 'an echo');
  const drained = mesh.drain(300);
  socket.write('y');
  await within(once(socket, 'data'), 'an echo while draining');
  socket.resume();
  const gone = once(socket, 'close').catch(() => {});
  socket.on('end', () => socket.end());
  await within(drained, 'the drain');
  await within(gone, 'the end');
  t.pass();
});

test('what does not fit together is refused with the place', async (t) => {
  const listener = (extra: object): MeshConfig => ({
    listeners: [{ name: 'l4', address: '127.0.0.1:0', ...extra }],
    clusters: [{ name: 'db', endpoints: ['127.0.0.1:1'] }],
  });
  const tcp = { name: 'tcp-proxy', config: { cluster: 'db' } };
  const cases: [MeshConfig, RegExp][] = [
    [listener({ networkFilters: [tcp, { name: 'ip-access', config: { deny: ['::1'] } }] }), /last place/],
    [
      listener({ networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'bd' } }] }),
      /names of clusters: db/,
    ],
    [listener({ networkFilters: ['tcp-prox'] }), /name of a network filter/],
    [listener({ networkFilters: ['ip-access'] }), /at least one of allow and deny/],
    [listener({ networkFilters: ['proxy-protocol'] }), /trusted/],
    [listener({ networkFilters: [tcp], codec: 'detect' }), /codecs/],
    [listener({ networkFilters: [tcp], codec: { name: 'detect', config: { codecs: ['http9'] } } }), /http1/],
    [
      listener({ networkFilters: [tcp], codec: { name: 'detect', config: { codecs: ['detect'] } } }),
      /finds out/,
    ],
    [{ clusters: [{ name: 'a', codec: { name: 'detect', config: { codecs: ['http1'] } } }] }, /finds out/],
    [listener({}), /at least one virtual host/],
    [listener({ networkFilters: [{ name: 'udp-proxy', config: {} }] }), /exactly one of cluster/],
    [
      listener({
        address: 'unix:/tmp/x',
        networkFilters: [{ name: 'udp-proxy', config: { cluster: 'db' } }],
      }),
      /no unix socket/,
    ],
    [
      listener({
        networkFilters: [
          { name: 'ip-access', config: { deny: ['::1'] } },
          { name: 'udp-proxy', config: { cluster: 'db' } },
        ],
      }),
      /only network filter/,
    ],
  ];
  for (const [config, message] of cases) {
    await t.throwsAsync(createMesh(config), { code: 'ERR_CONFIG_INVALID', message }, String(message));
  }
});

/** A UDP server that answers each datagram with the same in capitals, and a client. */
async function udpEnd(
  t: ExecutionContext,
  onMessage: (message: Buffer, from: RemoteInfo, socket: UdpSocket) => void,
) {
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => onMessage(message, from, socket));
  socket.bind(0, '127.0.0.1');
  await within(once(socket, 'listening'), 'the socket');
  t.teardown(() => socket.close());
  return socket;
}

test('datagrams go to a host and back, one session a client, also after a reload', async (t) => {
  const server = await udpEnd(t, (message, { port, address }, socket) => {
    socket.send(message.toString().toUpperCase(), port, address);
  });
  const config = (idleTimeoutMs: number): MeshConfig => ({
    listeners: [
      {
        name: 'dns',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'udp-proxy', config: { cluster: 'dns', idleTimeoutMs } }],
      },
    ],
    clusters: [{ name: 'dns', endpoints: [`127.0.0.1:${server.address().port}`] }],
  });
  const mesh = await meshOf(t, config(60_000));
  const port = Number((mesh.listeners.addresses['dns'] as string).split(':')[1]);
  const answers: string[] = [];
  const clients = await Promise.all(
    [1, 2].map(() => udpEnd(t, (message) => void answers.push(message.toString()))),
  );
  for (const [i, client] of clients.entries()) client.send(`hello ${i}`, port, '127.0.0.1');
  await eventually(() => answers.length === 2, 'two answers');
  t.deepEqual(answers.toSorted(), ['HELLO 0', 'HELLO 1']);
  t.is(mesh.listeners.datagrams.all[0]?.connectionCount, 2);
  t.true((await mesh.reload(config(30_000))).applied);
  clients[0]?.send('again', port, '127.0.0.1');
  await eventually(() => answers.includes('AGAIN'), 'an answer after the reload');
  await mesh.close();
  const again = createSocket('udp4');
  again.bind(port, '127.0.0.1');
  await within(once(again, 'listening'), 'the port is free');
  again.close();
  t.deepEqual(inUse(mesh, 'dns'), [-1, -1]);
});

test('TCP and UDP may share a port, two of a kind may not', async (t) => {
  const clusters = [{ name: 'dns', endpoints: ['127.0.0.1:1'] }];
  const listeners = (address: string, filters: readonly string[]) =>
    filters.map((filter, index) => ({
      name: `in-${index}`,
      address,
      networkFilters: [{ name: filter, config: { cluster: 'dns' } }],
    }));
  const both = async (triesLeft: number): Promise<string> => {
    const address = await freeUdpAddress();
    try {
      const mesh = await meshOf(t, { listeners: listeners(address, ['tcp-proxy', 'udp-proxy']), clusters });
      t.deepEqual(mesh.listeners.addresses, { 'in-0': address, 'in-1': address });
      return address;
    } catch (thrown) {
      // What is free for UDP may be somebody's TCP port.
      if (triesLeft === 0 || (thrown as { code?: string }).code !== 'ERR_LISTENER_ADDRESS') throw thrown;
      return await both(triesLeft - 1);
    }
  };
  const twice = listeners(await both(5), ['udp-proxy', 'udp-proxy']);
  await t.throwsAsync(createMesh({ listeners: twice, clusters }), { code: 'ERR_CONFIG_INVALID' });
});

async function freeUdpAddress(): Promise<string> {
  const free = createSocket('udp4');
  free.bind(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  return `127.0.0.1:${port}`;
}

test('a datagram to a host that nobody listens on ends its session', async (t) => {
  const gone = createSocket('udp4');
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const free = gone.address().port;
  gone.close();
  await once(gone, 'close');
  const mesh = await meshOf(t, {
    listeners: [
      {
        name: 'u',
        address: '127.0.0.1:0',
        networkFilters: [{ name: 'udp-proxy', config: { cluster: 'u' } }],
      },
    ],
    clusters: [{ name: 'u', endpoints: [`127.0.0.1:${free}`] }],
  });
  const client = await udpEnd(t, () => {});
  const port = Number((mesh.listeners.addresses['u'] as string).split(':')[1]);
  client.send('x', port, '127.0.0.1');
  await eventually(() => mesh.listeners.datagrams.all[0]?.connectionCount === 1, 'a session');
  await eventually(() => mesh.listeners.datagrams.all[0]?.connectionCount === 0, 'its end');
  t.deepEqual(inUse(mesh, 'u'), [0, 0]);
});
