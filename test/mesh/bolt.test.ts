import test from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../src/index.ts';
import type { FrameFacts } from '../transport/codecs/bolt/frames.ts';
import { BoltPeer, boltServer, type Seen } from './bolt-peer.ts';
import { deadAddress, eventually, type Teardown, tcpUpstream } from './support.ts';

type Routes = NonNullable<NonNullable<MeshConfig['listeners']>[number]['virtualHosts']>[number]['routes'];

interface Setting {
  readonly routes?: Routes;
  readonly filters?: readonly string[];
  readonly cluster?: object;
}

/** A mesh with one Bolt listener in front of these endpoints, and a client of it. */
async function meshOf(
  t: Teardown,
  clusters: Readonly<Record<string, readonly string[]>>,
  setting: Setting = {},
): Promise<{ mesh: Mesh; peer: BoltPeer; address: string }> {
  const names = Object.keys(clusters);
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'bolt',
        tracing: { enabled: false },
        ...(setting.filters !== undefined && { filters: setting.filters }),
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: setting.routes ?? [{ match: {}, cluster: names[0] ?? '' }] },
        ],
      },
    ],
    clusters: names.map((name) => ({
      name,
      codec: 'bolt',
      endpoints: clusters[name] ?? [],
      ...setting.cluster,
    })),
    log: { level: 'off' },
  });
  t.teardown(() => mesh.close());
  const address = mesh.listeners.addresses['in'] as string;
  return { mesh, address, peer: new BoltPeer(t, address) };
}

const services = (service: string, method = 'say', more = {}): FrameFacts => ({
  headers: { service, sofa_head_method_name: method, ...more },
});

const named =
  (name: string) =>
  (request: Seen): FrameFacts => ({ content: `${name} ${request.id}` });

/** The sum over all series of that name. */
const counter = (mesh: Mesh, name: string): number =>
  mesh.runtime.metrics
    .totals()
    .series.filter((each) => each.name === name)
    .reduce((sum, each) => sum + (each.values[0] ?? 0), 0);

test('service, method and headers of a call choose its route', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const servers = await Promise.all(names.map((name) => boltServer(t, named(name))));
  const routes: Routes = [
    { match: { headers: [{ name: 'service', exact: 'demo.Order:1.0' }] }, cluster: 'a' },
    { match: { path: '/demo.Hello:1.0/say' }, cluster: 'b' },
    { match: { headers: [{ name: 'rpc_req_baggage.Gray', exact: 'yes' }] }, cluster: 'c' },
    { match: { headers: [{ name: ':rpc-method', prefix: 'query' }] }, cluster: 'd' },
  ];
  const clusters = Object.fromEntries(names.map((name, i) => [name, [servers[i]?.address ?? '']]));
  const { peer } = await meshOf(t, clusters, { routes });
  const answers = await Promise.all([
    peer.call(services('demo.Order:1.0')),
    peer.call(services('demo.Hello:1.0')),
    peer.call(services('other', 'any', { 'rpc_req_baggage.Gray': 'yes' })),
    peer.call(services('other', 'queryAll')),
    peer.call({ ...services('demo.Order:1.0'), proto: 2, ver1: 2, crc: true }),
  ]);
  t.deepEqual(
    answers.map(({ text }) => /([a-d]) \d+$/.exec(text)?.[1]),
    ['a', 'b', 'c', 'd', 'a'],
  );
  t.is((await peer.call(services('nobody', 'knows'))).status, 6, 'NO_PROCESSOR');
});

test('one name has one route in each of two listeners, and another after a reload', async (t) => {
  const [a, b] = await Promise.all([boltServer(t, named('a')), boltServer(t, named('b'))]);
  const listener = (name: string, cluster: string) => ({
    name,
    address: '127.0.0.1:0',
    codec: 'bolt',
    virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster }] }],
  });
  const clusters = [
    { name: 'a', codec: 'bolt', endpoints: [a.address] },
    { name: 'b', codec: 'bolt', endpoints: [b.address] },
  ];
  const config = (first: string, second: string): MeshConfig => ({
    listeners: [listener('one', first), listener('two', second)],
    clusters,
    log: { level: 'off' },
  });
  const mesh = await createMesh(config('a', 'b'));
  t.teardown(() => mesh.close());
  const peers = ['one', 'two'].map((name) => new BoltPeer(t, mesh.listeners.addresses[name] as string));
  const ask = async (): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    for (const peer of [...peers, ...peers]) found.push(/([ab]) \d+$/.exec((await peer.call()).text)?.[1]);
    return found;
  };
  t.deepEqual(await ask(), ['a', 'b', 'a', 'b']);
  await mesh.reload(config('b', 'a'));
  t.deepEqual(await ask(), ['b', 'a', 'b', 'a']);
});

test('calls of many clients share a connection, each gets its own answers, and the counters are right', async (t) => {
  const server = await boltServer(t, (request) => ({ content: `for ${request.text.slice(-3)}` }));
  const { mesh, address } = await meshOf(t, { one: [server.address] });
  const peers = Array.from({ length: 5 }, () => new BoltPeer(t, address));
  const calls = peers.flatMap((peer, p) =>
    Array.from({ length: 40 }, (_, i) => {
      const mark = String(p * 100 + i).padStart(3, '0');
      return peer.call({ id: i + 1, content: `c${mark}` }).then(({ text, id }) => {
        t.is(id, i + 1);
        t.true(text.endsWith(`for ${mark}`), text);
      });
    }),
  );
  await Promise.all(calls);
  t.is(server.sockets.size, 1);
  t.is(counter(mesh, 'heddle_downstream_requests_total'), 200);
  t.is(counter(mesh, 'heddle_downstream_requests_active'), 0);
  t.is(counter(mesh, 'heddle_cluster_active'), 0);
});

test('calls on a connection that is lost are answered once each, and the next call gets a new connection', async (t) => {
  let isSilent = true;
  const server = await boltServer(t, () => (isSilent ? null : { content: 'again' }));
  const { mesh, peer } = await meshOf(t, { one: [server.address] });
  const calls = Array.from({ length: 20 }, () => peer.call());
  await eventually(() => server.requests.length === 20, 'all calls arrived');
  isSilent = false;
  for (const socket of server.sockets) socket.destroy();
  for (const { status } of await Promise.all(calls)) t.is(status, 0x10, 'CONNECTION_CLOSED');
  t.true((await peer.call()).text.endsWith('again'));
  t.is(peer.answers.length, 21, 'nothing was answered twice');
  t.is(counter(mesh, 'heddle_downstream_requests_active'), 0);
});

test('a policy retries calls of a lost connection on another host', async (t) => {
  const bad = await boltServer(t, (_request, socket) => {
    socket.destroy();
    return null;
  });
  const good = await boltServer(t, named('good'));
  const retry = { on: ['reset'], numRetries: 2, nonIdempotent: true, backoffBaseMs: 1 } as const;
  const { peer } = await meshOf(
    t,
    { both: [bad.address, good.address] },
    {
      routes: [{ match: {}, cluster: 'both', retry }],
      cluster: { circuitBreakers: { maxRetries: 0 }, outlierDetection: { consecutiveErrors: 0 } },
    },
  );
  const answers = await Promise.all(Array.from({ length: 10 }, () => peer.call()));
  for (const { status, text } of answers) t.true(status === 0 && text.includes('good'), text);
  t.is(peer.answers.length, 10);
  t.true(bad.requests.length > 0);
});

test("a caller's own timeout ends its call, and the late answer is dropped", async (t) => {
  const late: (() => void)[] = [];
  const server = await boltServer(t, (request, socket) => {
    if (request.text.includes('slow')) {
      late.push(() => socket.write(Buffer.from(request.bytes)));
      return null;
    }
    return { content: 'fast' };
  });
  const { peer } = await meshOf(t, { one: [server.address] });
  const answer = await peer.call({ content: 'slow', word: 60 });
  t.is(answer.status, 7, 'TIMEOUT');
  t.true((await peer.call()).text.endsWith('fast'));
  t.is(server.sockets.size, 1, 'the connection is shared: it stays');
});

test('a client that goes away takes its calls with it', async (t) => {
  const server = await boltServer(t, () => null);
  const { mesh, peer } = await meshOf(t, { one: [server.address] });
  for (let i = 0; i < 10; i++) void peer.call().catch(() => {});
  await eventually(() => server.requests.length === 10, 'all calls arrived');
  peer.socket.destroy();
  await eventually(() => counter(mesh, 'heddle_cluster_active') === 0, 'no call is left at the cluster');
  t.is(counter(mesh, 'heddle_downstream_requests_active'), 0);
});

test('one-way calls arrive and nothing comes back', async (t) => {
  const server = await boltServer(t, (request) => (request.type === 2 ? null : {}));
  const { mesh, peer } = await meshOf(t, { one: [server.address] });
  for (let i = 0; i < 5; i++) void peer.call({ type: 2, id: i + 1 }).catch(() => {});
  await peer.call({ id: 99 });
  t.is(server.requests.length, 6);
  t.deepEqual(
    peer.answers.map(({ id }) => id),
    [99],
  );
  t.is(counter(mesh, 'heddle_downstream_requests_active'), 0);
});

test('GOAWAY from upstream: what is in flight finishes, new calls go elsewhere', async (t) => {
  const held: (() => void)[] = [];
  const server = await boltServer(t, (request, socket) => {
    if (!request.text.includes('hold')) return { content: 'now' };
    held.push(() => socket.write(Buffer.from(heldAnswer(request.id))));
    socket.write(goAway());
    return null;
  });
  const { peer } = await meshOf(t, { one: [server.address] });
  const slow = peer.call({ content: 'hold' });
  await eventually(() => held.length === 1, 'the held call arrived');
  await eventually(async () => {
    await peer.call();
    return server.sockets.size === 2;
  }, 'a second connection');
  held[0]?.();
  t.true((await slow).text.endsWith('held'));
  await eventually(() => server.sockets.size === 1, 'the first connection is closed once it is idle');
});

test('a host that is down fails calls at once and is dialled again once it is back', async (t) => {
  const address = await deadAddress();
  const { peer } = await meshOf(
    t,
    { one: [address] },
    { cluster: { outlierDetection: { consecutiveErrors: 0 } } },
  );
  const answers = await Promise.all(Array.from({ length: 5 }, () => peer.call()));
  for (const { status } of answers) t.is(status, 4, 'SERVER_THREADPOOL_BUSY: nobody took it');
});

test('one port speaks HTTP/1.1, Bolt v1 and v2, and passes on what it does not know', async (t) => {
  const server = await boltServer(t, named('bolt'));
  const raw = await tcpUpstream(t, (socket) => socket.on('data', (bytes) => socket.end(`raw ${bytes}`)));
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: { name: 'detect', config: { codecs: ['http1', 'bolt', 'dubbo'] } },
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'raw' } }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { path: '/hello' }, directResponse: { status: 200, body: 'http' } },
              { match: {}, cluster: 'rpc' },
            ],
          },
        ],
      },
    ],
    clusters: [
      { name: 'rpc', codec: 'bolt', endpoints: [server.address] },
      { name: 'raw', endpoints: [raw.address] },
    ],
    log: { level: 'off' },
  });
  t.teardown(() => mesh.close());
  const address = mesh.listeners.addresses['in'] as string;
  t.is(await (await fetch(`http://${address}/hello`)).text(), 'http');
  for (const version of [{}, { proto: 2, ver1: 1 }, { proto: 2, ver1: 2, crc: true }] as const) {
    const peer = new BoltPeer(t, address);
    t.true((await peer.call(version)).text.includes('bolt'));
  }
  const { connect } = await import('node:net');
  const [host, port] = address.split(':') as [string, string];
  const socket = connect({ host, port: Number(port) });
  t.teardown(() => socket.destroy());
  let text = '';
  socket.on('data', (bytes) => {
    text += String(bytes);
  });
  socket.write('SSH-2.0-x\r\n');
  await eventually(() => text === 'raw SSH-2.0-x\r\n', 'the raw upstream answered');
});

test('trace keys of SOFATracer, old and new, and of W3C reach the provider as they were sent', async (t) => {
  const trace = {
    'rpc_trace_context.sofaTraceId': '0a0fe8c21600000000000100112345',
    'rpc_trace_context.sofaRpcId': '0.1',
    new_rpc_trace_context: 'tcid=0a0fe8c2&spid=0.1&pspid=0&sample=true&',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  const server = await boltServer(t);
  const { peer } = await meshOf(t, { one: [server.address] });
  await peer.call(services('demo.Hello:1.0', 'say', trace));
  const text = server.requests[0]?.text ?? '';
  for (const [name, value] of Object.entries(trace))
    t.true(text.includes(name) && text.includes(value), name);
});

function goAway(): Buffer {
  return Buffer.from([1, 1, 0, 100, 1, 0, 0, 0, 9, 1, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
}

function heldAnswer(id: number): Buffer {
  const answer = Buffer.alloc(24);
  answer.set([1, 0, 0, 2, 1], 0);
  answer.writeUInt32BE(id, 5);
  answer[9] = 1;
  answer.writeUInt32BE(4, 16);
  answer.write('held', 20);
  return answer;
}
