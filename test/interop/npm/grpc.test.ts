import test, { type ExecutionContext } from 'ava';
import { createMesh, type Mesh } from '../../../src/index.ts';
import { proxyProcess } from '../../e2e/support.ts';
import { eventually, within } from '../../mesh/support.ts';
import {
  echoService,
  type GrpcJsClient,
  loadGrpcJs,
  type ServiceError,
  startEchoServer,
} from '../kit/grpc-js.ts';

/**
 *   @grpc/grpc-js client ─┬─▶ standalone proxy ─▶ @grpc/grpc-js server
 *                         └─▶ mesh.grpc.channel ─▶
 */
const grpc = loadGrpcJs();
const Client = grpc.makeGenericClientConstructor(echoService, 'Echo');
const insecure = grpc.credentials.createInsecure();
const sixteenMiB = 16 * 1024 * 1024;

const threaded = 'in-process, mesh in a worker thread';
type Ways = Readonly<Record<string, (t: ExecutionContext, up: string) => Promise<GrpcJsClient>>>;
const ways: Ways = {
  'through a standalone proxy': async (t, up) => {
    const proxy = await proxyProcess(t, {
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          codec: 'http2',
          filters: ['request-id', 'grpc-metrics'],
          virtualHosts: [
            { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/test.Echo' }, cluster: 'up' }] },
          ],
        },
      ],
      clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }],
    });
    const client = new Client(proxy.address, insecure, { 'grpc.max_receive_message_length': sixteenMiB });
    t.teardown(() => client.close());
    return client;
  },
  'in-process': async (t, up) => {
    const mesh = await createMesh({ clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }] });
    t.teardown(() => mesh.close());
    const channelOverride = mesh.grpc.channel('up', { maxReceiveBytes: sixteenMiB });
    return new Client('unused', insecure, { channelOverride });
  },
  [threaded]: async (t, up) => {
    const mesh = await createMesh({
      mode: 'worker',
      clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }],
    });
    t.teardown(() => mesh.close());
    const channelOverride = mesh.grpc.channel('up', { maxReceiveBytes: sixteenMiB });
    return new Client('unused', insecure, { channelOverride });
  },
};

function unary(client: GrpcJsClient, body: Buffer | string, ...more: unknown[]): Promise<Buffer> {
  return within(
    new Promise((resolve, reject) => {
      client['unary']?.(Buffer.from(body as string), ...more, (error: Error | null, answer: Buffer) =>
        error === null ? resolve(answer) : reject(error),
      );
    }),
    'a unary call',
  );
}

const metadataOf = (values: Record<string, string | Buffer>) => {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
};

for (const [way, connect] of Object.entries(ways)) {
  test(`all four kinds of calls ${way}`, async (t) => {
    const client = await connect(t, await startEchoServer(grpc, t));
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
    const answers = await Promise.all(names.map((name) => unary(client, name)));
    t.deepEqual(answers.map(String), names);

    const counted = new Promise<string>((resolve, reject) => {
      const call = client['client']?.((error: Error | null, answer: Buffer) =>
        error === null ? resolve(String(answer)) : reject(error),
      );
      for (let i = 0; i < 20; i++) call?.write(Buffer.alloc(30_000));
      call?.end();
    });
    t.is(await within(counted, 'a client stream'), '600000');

    const parts: string[] = [];
    const stream = client['server']?.(Buffer.from('n'));
    for await (const part of stream as AsyncIterable<Buffer>) parts.push(String(part));
    t.deepEqual(parts, ['n0', 'n1', 'n2', 'n3', 'n4']);

    const both = client['both']?.() as NonNullable<ReturnType<GrpcJsClient[string]>>;
    const echoes = both[Symbol.asyncIterator]();
    for (let i = 0; i < 10; i++) {
      both.write(Buffer.from(`ping ${i}`));
      t.is(String((await within(echoes.next(), 'an echo')).value), `ping ${i}`);
    }
    both.end();
    t.true((await within(echoes.next(), 'the end')).done);
  });

  // Another thread carries the same calls: once is enough.
  if (way === threaded) continue;
  test(`metadata, errors with details, deadlines and cancel ${way}`, async (t) => {
    const client = await connect(t, await startEchoServer(grpc, t));
    const raw = Buffer.from([0, 255, 10, 13]);
    const heads: unknown[] = [];
    const call = client['unary']?.(
      Buffer.from('a'),
      metadataOf({ 'x-text': 'ja', 'x-raw-bin': raw }),
      () => {},
    ) as NonNullable<ReturnType<GrpcJsClient[string]>>;
    call.on('metadata', (metadata: { get(name: string): unknown[] }) =>
      heads.push(metadata.get('x-text')[0]),
    );
    const status = await within(
      new Promise<ServiceError>((resolve) => {
        call.on('status', resolve);
      }),
      'a status',
    );
    t.deepEqual(heads, ['ja']);
    t.is(status.code, 0);
    t.true((status.metadata.get('x-raw-bin')[0] as Buffer).equals(raw));

    const missing = (await t.throwsAsync(unary(client, ''))) as ServiceError;
    t.is(missing.code, grpc.status['NOT_FOUND'] as number);
    t.is(missing.details, 'größer als nichts');
    t.deepEqual([...(missing.metadata.get('grpc-status-details-bin')[0] as Buffer)], [8, 5]);

    const late = unary(client, 'wait', new grpc.Metadata(), { deadline: Date.now() + 200 });
    t.is(((await t.throwsAsync(late)) as ServiceError).code, grpc.status['DEADLINE_EXCEEDED'] as number);
    const past = unary(client, 'wait', new grpc.Metadata(), { deadline: Date.now() - 1 });
    t.is(((await t.throwsAsync(past)) as ServiceError).code, grpc.status['DEADLINE_EXCEEDED'] as number);

    const both = client['both']?.() as NonNullable<ReturnType<GrpcJsClient[string]>>;
    const cancelled = new Promise<ServiceError>((resolve) => {
      both.on('error', resolve);
      both.on('data', () => both.cancel());
      both.write(Buffer.from('a'));
    });
    t.is((await within(cancelled, 'a cancelled stream')).code, grpc.status['CANCELLED'] as number);
    t.is(String(await unary(client, 'still here')), 'still here');
  });

  test(`messages of 4 MiB ${way}`, async (t) => {
    const client = await connect(t, await startEchoServer(grpc, t));
    const big = Buffer.alloc(4 * 1024 * 1024, 5);
    t.true((await unary(client, big)).equals(big));
    const both = client['both']?.() as NonNullable<ReturnType<GrpcJsClient[string]>>;
    const read = (async () => {
      let bytes = 0;
      for await (const part of both as AsyncIterable<Buffer>) bytes += part.length;
      return bytes;
    })();
    for (let i = 0; i < 4; i++) {
      if (both.write(big)) continue;
      await within(new Promise((resolve) => both.once('drain', resolve)), 'room');
    }
    both.end();
    t.is(await within(read, '16 MiB there and back'), 4 * big.length);
  });
}

test("failures of the mesh are statuses to @grpc/grpc-js, and the mesh's own are seen in its metrics", async (t) => {
  const up = await startEchoServer(grpc, t);
  const mesh: Mesh = await createMesh({
    inProcess: {
      filters: ['grpc-metrics'],
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { prefix: '/test.Echo/unary' }, cluster: 'up' },
            { match: { prefix: '/test.Echo/server' }, cluster: 'nobody' },
          ],
        },
      ],
    },
    clusters: [
      { name: 'up', endpoints: [up], codec: 'http2' },
      { name: 'nobody', endpoints: [], codec: 'http2' },
    ],
  });
  t.teardown(() => mesh.close());
  const client = new Client('unused', insecure, { channelOverride: mesh.grpc.channel('any.test') });
  await unary(client, 'a');
  const codeOf = async (name: string): Promise<number> => {
    const call = client[name]?.(Buffer.from('a')) as NonNullable<ReturnType<GrpcJsClient[string]>>;
    const failed = new Promise<ServiceError>((resolve) => {
      call.on('error', resolve);
      call.resume();
    });
    return (await within(failed, name)).code;
  };
  t.is(await codeOf('server'), grpc.status['UNAVAILABLE'] as number);
  t.is(await codeOf('both'), grpc.status['UNIMPLEMENTED'] as number);
  const calls = mesh.runtime.metrics.counter('heddle_grpc_calls_total', {
    listener: 'inProcess',
    service: 'test.Echo',
    method: 'unary',
    status: 'OK',
  });
  await eventually(() => mesh.runtime.metrics.values[calls] === 1, 'the call is counted');
  client.close();
  t.throws(() => client['unary']?.(Buffer.from('a'), () => {}), { code: 'ERR_MESH_CLOSED' });
});
