import { constants } from 'node:http2';
import test, { type ExecutionContext } from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../src/index.ts';
import { bytesMethod, GrpcStatus, grpcStatusOfError } from '../../src/transport/grpc/index.ts';
import {
  type FakeServer,
  fakeServer,
  frame,
  openChannel,
  reply,
  unframe,
} from '../transport/grpc/support.ts';
import { deadAddress, eventually, within } from './support.ts';

const echo = bytesMethod('test.Echo', 'Echo');
const text = (value: string): Buffer => Buffer.from(value);

type Listener = NonNullable<MeshConfig['listeners']>[number];
type RouteInput = NonNullable<NonNullable<Listener['virtualHosts']>[number]['routes']>[number];

/** client -> h2c listener -> h2c cluster `up`. */
async function meshTo(
  t: ExecutionContext,
  address: string,
  route: RouteInput = {},
  listener: Partial<Listener> = {},
): Promise<{ mesh: Mesh; address: string }> {
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'http2',
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ cluster: 'up', ...route }] }],
        ...listener,
      },
    ],
    clusters: [{ name: 'up', codec: 'http2', endpoints: [address] }],
  });
  t.teardown(() => mesh.close());
  return { mesh, address: mesh.listeners.addresses['in'] as string };
}

const echoing = (t: ExecutionContext): Promise<FakeServer> =>
  fakeServer(t, async (stream, _headers, body) => reply(stream, unframe(await body())));

test('failures of the proxy reach a client of gRPC as statuses', async (t) => {
  const server = await fakeServer(t, () => {});
  const { address } = await meshTo(t, server.address);
  const channel = openChannel(t, { address });
  const late = await t.throwsAsync(within(channel.unary(echo, text('a'), { timeoutMs: 60 }), 'deadline'));
  t.is(grpcStatusOfError(late), GrpcStatus.deadlineExceeded);
  const dead = await meshTo(t, await deadAddress());
  const down = await t.throwsAsync(openChannel(t, { address: dead.address }).unary(echo, text('a')));
  t.is(grpcStatusOfError(down), GrpcStatus.unavailable);
  t.regex(String(down?.message), /connect_failure/);
});

test('the deadline of the proxy ends a stream whose answer has begun', async (t) => {
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(frame('first'));
  });
  const { address } = await meshTo(t, server.address, { grpcTimeoutMaxMs: 1500 });
  const call = openChannel(t, { address }).serverStream(echo, text('a'));
  const got: string[] = [];
  const error = await t.throwsAsync(
    within(
      (async () => {
        for await (const message of call) got.push(String(message));
      })(),
      'the end',
    ),
  );
  t.deepEqual(got, ['first']);
  t.is(grpcStatusOfError(error), GrpcStatus.deadlineExceeded);
  t.is(server.calls[0]?.['grpc-timeout'], '1500m');
});

test('calls are repeated by status and, without any policy, when they were refused unseen', async (t) => {
  let failures = 0;
  const server = await fakeServer(t, async (stream, headers, body) => {
    const message = unframe(await body());
    if (failures++ > 0) return reply(stream, message);
    if (headers['x-how'] === 'refuse') return stream.close(constants.NGHTTP2_REFUSED_STREAM);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '8' },
      { endStream: true },
    );
  });
  const { address } = await meshTo(t, server.address, { retry: { on: ['resourceExhausted'] } });
  const channel = openChannel(t, { address });
  t.is(String(await channel.unary(echo, text('again'))), 'again');
  t.is(failures, 2);
  const plain = await meshTo(t, server.address);
  failures = 0;
  const other = openChannel(t, { address: plain.address });
  t.is(String(await other.unary(echo, text('unseen'), { metadata: { 'x-how': 'refuse' } })), 'unseen');
});

test('a stream of gRPC may be longer than a request of HTTP may take', async (t) => {
  const server = await fakeServer(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    stream.on('end', () => stream.end());
  });
  const { address } = await meshTo(
    t,
    server.address,
    { timeoutMs: 0 },
    { limits: { requestTimeoutMs: 100, headerTimeoutMs: 100 } },
  );
  const call = openChannel(t, { address }).open(echo);
  const answers = call[Symbol.asyncIterator]();
  const startMs = performance.now();
  while (performance.now() - startMs < 700) {
    await call.send(text('still there?'));
    t.is(String((await within(answers.next(), 'an answer')).value), 'still there?');
  }
  call.end();
  t.true((await within(answers.next(), 'the end')).done);
});

test('routes match by service, method, version and group', async (t) => {
  const server = await echoing(t);
  const route = (name: string, value: string, status: number): RouteInput => ({
    match: { variables: [{ name: name as 'service', exact: value }] },
    directResponse: { status, body: `${name}\n` },
  });
  const { address } = await meshTo(
    t,
    server.address,
    {},
    {
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            route('serviceVersion', '2.0.0', 401),
            route('serviceGroup', 'blue', 403),
            route('rpcMethod', 'Forbidden', 404),
            { match: { headers: [{ name: ':service', exact: 'test.Echo' }] }, cluster: 'up' },
          ],
        },
      ],
    },
  );
  const channel = openChannel(t, { address });
  const statusOf = async (method: string, metadata: Record<string, string> = {}): Promise<number> =>
    channel.unary(bytesMethod('test.Echo', method), text('a'), { metadata }).then(
      () => 0,
      (error) => grpcStatusOfError(error),
    );
  t.is(await statusOf('Any'), 0);
  t.is(await statusOf('Forbidden'), GrpcStatus.unimplemented);
  t.is(await statusOf('Any', { 'tri-service-version': '2.0.0' }), GrpcStatus.unauthenticated);
  t.is(await statusOf('Any', { 'tri-service-group': 'blue' }), GrpcStatus.permissionDenied);
  const other = channel.unary(bytesMethod('test.Other', 'Any'), text('a'));
  t.is(grpcStatusOfError(await t.throwsAsync(other)), GrpcStatus.unimplemented, 'no route');
});

test('a cluster checks its hosts by the health protocol of gRPC', async (t) => {
  let status = 1;
  const server = await fakeServer(t, (stream) => reply(stream, [Buffer.from([8, status])]));
  const mesh = await createMesh({
    clusters: [
      {
        name: 'up',
        codec: 'http2',
        endpoints: [server.address],
        healthCheck: {
          name: 'grpc',
          config: { service: 'a.B' },
          intervalMs: 20,
          noTrafficIntervalMs: 20,
          timeoutMs: 5000,
        },
      },
    ],
  });
  t.teardown(() => mesh.close());
  const isWell = (): boolean => mesh.clusters.get('up')?.hostSet.all[0]?.isUnhealthy === false;
  t.true(isWell());
  status = 2;
  await eventually(() => !isWell(), 'NOT_SERVING is noticed');
  status = 1;
  await eventually(isWell, 'SERVING is noticed');
});
