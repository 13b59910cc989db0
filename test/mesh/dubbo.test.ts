import { connect } from 'node:net';
import test from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../src/index.ts';
import { HessianWriter } from '../../src/transport/codecs/hessian/writer.ts';
import { readRequest } from '../transport/codecs/dubbo/support.ts';
import { callFrame, DubboPeer, dubboFrame, dubboServer, type Seen, valueBody } from './dubbo-peer.ts';
import { eventually, type Teardown, within } from './support.ts';

type Routes = NonNullable<NonNullable<MeshConfig['listeners']>[number]['virtualHosts']>[number]['routes'];

/** A mesh with one Dubbo listener in front of these endpoints, and a client of it. */
async function meshOf(
  t: Teardown,
  clusters: Readonly<Record<string, string>>,
  routes?: Routes,
  listener: object = {},
): Promise<{ mesh: Mesh; peer: DubboPeer; address: string }> {
  const names = Object.keys(clusters);
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'dubbo',
        ...listener,
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: routes ?? [{ match: {}, cluster: names[0] ?? '' }] },
        ],
      },
    ],
    clusters: names.map((name) => ({ name, codec: 'dubbo', endpoints: [clusters[name] ?? ''] })),
    log: { level: 'off' },
  });
  t.teardown(() => mesh.close());
  const address = mesh.listeners.addresses['in'] as string;
  return { mesh, address, peer: new DubboPeer(t, address) };
}

const withoutTrace = { tracing: { enabled: false } };
const headersOf = (request: Seen | undefined): Record<string, string> =>
  readRequest(request?.bytes ?? Buffer.alloc(0)).toObject();

test('service, method, version, group and attachments of a call choose its route', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const servers = await Promise.all(names.map((name) => dubboServer(t, () => name)));
  const routes: Routes = [
    { match: { variables: [{ name: 'service', exact: 'com.acme.Order' }] }, cluster: 'a' },
    { match: { path: '/com.acme.Demo/pay' }, cluster: 'b' },
    { match: { headers: [{ name: 'group', exact: 'g1' }] }, cluster: 'c' },
    { match: { headers: [{ name: 'dubbo.tag', exact: 'gray' }] }, cluster: 'd' },
    { match: { headers: [{ name: 'version', exact: '2.0.0' }] }, cluster: 'e' },
  ];
  const clusters = Object.fromEntries(names.map((name, i) => [name, servers[i]?.address ?? '']));
  const { peer } = await meshOf(t, clusters, routes);
  const generic = new HessianWriter()
    .string('2.0.2')
    .string('com.acme.Demo')
    .string('1.0.0')
    .string('$invoke')
    .string('Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;')
    .string('pay')
    .list(0, '[string')
    .list(0, '[object')
    .map({});
  const answers = await Promise.all([
    peer.call({ service: 'com.acme.Order' }),
    peer.call({ method: 'pay' }),
    peer.call({ attachments: { group: 'g1' } }),
    peer.call({ attachments: { 'dubbo.tag': 'gray' } }),
    peer.call({ version: '2.0.0' }),
    peer.call({ body: generic.bytes() }),
  ]);
  t.deepEqual(
    answers.map(({ text }) => text),
    ['a', 'b', 'c', 'd', 'e', 'b'].map((name) => `\x91\x01${name}`),
  );
  const nobody = await peer.call({ service: 'com.acme.Nobody' });
  t.is(nobody.status, 60);
  t.is(nobody.text, '\x09no_route\n');
});

test('what nobody edits passes byte for byte but for its id, other serializations too', async (t) => {
  const server = await dubboServer(t);
  const { peer } = await meshOf(t, { one: server.address }, undefined, withoutTrace);
  const calls = [{ attachments: { a: 'b' } }, { flag: 0xd7, body: Buffer.from('{"fastjson2":1}') }];
  for (const call of calls) {
    const answer = await peer.call(call);
    const sent = callFrame(call);
    const got = server.requests.at(-1)?.bytes ?? Buffer.alloc(16);
    t.deepEqual(got.subarray(12), sent.subarray(12));
    t.deepEqual(got.subarray(0, 4), sent.subarray(0, 4));
    t.is(answer.status, 20);
    t.is(answer.flag, sent.readUInt8(2) & 0x1f, 'the answer has the serialization of its request');
  }
});

test('an id of 64 bits comes back as it was, though ours has 31', async (t) => {
  const server = await dubboServer(t);
  const { peer } = await meshOf(t, { one: server.address });
  const frame = callFrame({ id: 0xfffffffe });
  frame.writeUInt32BE(0x7fffffff, 4);
  peer.socket.write(frame);
  const answer = await eventually(() => peer.answers[0], 'the answer');
  t.is(answer.bytes.toString('hex', 4, 12), '7ffffffffffffffe');
  t.true((server.requests[0] as Seen).bytes.readBigUInt64BE(4) < 2n ** 31n);
});

test('a trace goes on in the attachments', async (t) => {
  const server = await dubboServer(t);
  const { peer } = await meshOf(t, { one: server.address });
  const id = '0123456789abcdef0123456789abcdef';
  await peer.call({
    attachments: { traceparent: `00-${id}-0123456789abcdef-01`, tracestate: 'a=1', group: 'g1' },
  });
  const headers = headersOf(server.requests[0]);
  t.regex(headers['traceparent'] ?? '', new RegExp(`^00-${id}-[0-9a-f]{16}-01$`));
  t.not(headers['traceparent'], `00-${id}-0123456789abcdef-01`, 'with a span of our own');
  t.is(headers['tracestate'], 'a=1');
  t.is(headers['group'], 'g1');
  await peer.call();
  t.regex(headersOf(server.requests[1])['traceparent'] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
});

test('a one-way call is sent on and nobody waits for it', async (t) => {
  const server = await dubboServer(t, (request) => ((request.flag & 0x40) === 0 ? null : 'hi'));
  const { peer } = await meshOf(t, { one: server.address });
  peer.socket.write(callFrame({ flag: 0x82, id: 7, method: 'fire' }));
  await eventually(() => server.requests.length === 1, 'the one-way call arrives');
  t.is((server.requests[0] as Seen).flag, 0x82);
  t.is((await peer.call()).text, '\x91\x02hi');
  t.is(peer.answers.length, 1);
});

test('a heartbeat is answered here with its id, and a call meanwhile goes on', async (t) => {
  const server = await dubboServer(t);
  const { peer } = await meshOf(t, { one: server.address });
  const call = peer.call();
  const beat = await peer.call({ flag: 0xe2, id: 0x7fffffff, body: Buffer.from('N') });
  t.is(beat.bytes.toString('hex'), 'dabb2214000000007fffffff000000014e');
  await call;
  t.deepEqual(server.events, [], 'it goes no further');
});

test('a provider that says READONLY finishes what it has, and the next call gets another connection', async (t) => {
  const sockets = new Set<unknown>();
  let release = () => {};
  const server = await dubboServer(t, (request, socket) => {
    sockets.add(socket);
    if (!request.text.includes('slow')) return 'quick';
    socket.write(dubboFrame(0xa2, 0, 1, Buffer.from('\x01R')));
    release = () => socket.write(dubboFrame(2, 20, request.id, valueBody('late')));
    return null;
  });
  const { peer } = await meshOf(t, { one: server.address });
  const slow = peer.call({ method: 'slow' });
  await eventually(() => server.requests.length === 1, 'the slow call arrives');
  await eventually(
    async () => (await peer.call()).text === '\x91\x05quick' && sockets.size === 2,
    'another connection',
  );
  release();
  t.is((await slow).text, '\x91\x04late');
});

test('a drain tells clients READONLY and finishes their calls', async (t) => {
  let release = () => {};
  const server = await dubboServer(t, (request, socket) => {
    release = () => socket.write(dubboFrame(2, 20, request.id, valueBody('late')));
    return null;
  });
  const { mesh, peer } = await meshOf(t, { one: server.address });
  const call = peer.call();
  await eventually(() => server.requests.length === 1, 'the call arrives');
  const drained = mesh.drain(5000);
  await eventually(() => peer.events.length === 1, 'the client is told');
  release();
  t.is((await call).text, '\x91\x04late');
  t.deepEqual(
    peer.events.map(({ flag, text }) => [flag, text]),
    [[0xa2, '\x01R']],
  );
  await within(drained, 'the drain');
});

test('the time that the caller gives counts', async (t) => {
  const server = await dubboServer(t, () => null);
  const { peer } = await meshOf(t, { one: server.address });
  const start = performance.now();
  const answer = await peer.call({ attachments: { timeout: '150' } });
  t.is(answer.status, 31);
  t.true(performance.now() - start < 10_000);
});

test('bytes that break the protocol cost their connection, are counted, and no other', async (t) => {
  const server = await dubboServer(t);
  const { mesh, peer, address } = await meshOf(t, { one: server.address });
  await peer.call();
  const broken = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    dubboFrame(0xc2, 0, 1, Buffer.from('\x05hello')),
    dubboFrame(0x02, 20, 1, Buffer.of(0x92)),
    Buffer.from('dabbc2000000000000000001ffffffff', 'hex'),
  ];
  for (const bytes of broken) {
    const stranger = new DubboPeer(t, address);
    stranger.socket.write(bytes);
    await eventually(() => stranger.isClosed, bytes.toString('hex'));
  }
  t.is((await peer.call()).status, 20);
  const { series } = mesh.runtime.metrics.totals();
  const errors = series.filter(({ name }) => name === 'heddle_listener_protocol_errors_total');
  t.is(
    errors.reduce((sum, { values }) => sum + (values[0] ?? 0), 0),
    broken.length,
  );
});

test('one listener tells Dubbo, Bolt, Tars, Thrift and HTTP apart', async (t) => {
  const server = await dubboServer(t);
  const codecs = ['http1', 'bolt', 'dubbo', 'dubbo-thrift', 'thrift', 'tars'];
  const routes: Routes = [
    { match: { variables: [{ name: 'protocol', exact: 'dubbo' }] }, cluster: 'one' },
    { match: {}, directResponse: { status: 200, body: 'here' } },
  ];
  const { peer, address } = await meshOf(t, { one: server.address }, routes, {
    codec: { name: 'detect', config: { codecs } },
  });
  t.is((await peer.call()).text, '\x91\x02hi');
  const others: readonly [string, Buffer, string][] = [
    ['http1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'HTTP/1.1 200 OK'],
    ['bolt', Buffer.from(`0101000101000000010100000bb80000000000000000`, 'hex'), '\x01\0\0\x02'],
    ['thrift', Buffer.from('0000000c800100010000000000000001', 'hex'), '\x80\x01\0\x02'],
    [
      'tars',
      Buffer.from('0000001810012c3c4009560161660162 7d000c8c980ca80c'.replace(' ', ''), 'hex'),
      '\x10\x01',
    ],
  ];
  for (const [codec, bytes, expected] of others) {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect({ host, port: Number(port) });
    t.teardown(() => socket.destroy());
    const answer = Promise.withResolvers<string>();
    socket.once('data', (chunk) => answer.resolve(chunk.toString('latin1')));
    socket.once('close', () => answer.resolve('closed'));
    socket.write(bytes);
    t.true((await within(answer.promise, codec)).includes(expected), codec);
  }
});
