import test from 'ava';
import { createMesh } from '../../../src/index.ts';
import { bytesMethod } from '../../../src/transport/grpc/index.ts';
import { eventually } from '../../mesh/support.ts';
import { fakeServer, openChannel, reply, unframe } from '../../transport/grpc/support.ts';

const echo = bytesMethod('test.Echo', 'Echo');
const text = (value: string): Buffer => Buffer.from(value);

test('calls are counted by method and status; names that no upstream knows share a series', async (t) => {
  const server = await fakeServer(t, async (stream, headers, body) => {
    const message = unframe(await body());
    const isKnown = !String(headers[':path']).includes('Nonsense');
    reply(stream, isKnown ? message : [], {
      'grpc-status': isKnown ? String(headers['x-status'] ?? 0) : '12',
    });
  });
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'http2',
        filters: [{ name: 'grpc-metrics', config: { maxMethods: 1 } }],
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ cluster: 'up' }] }],
      },
    ],
    clusters: [{ name: 'up', codec: 'http2', endpoints: [server.address] }],
  });
  t.teardown(() => mesh.close());
  const channel = openChannel(t, { address: mesh.listeners.addresses['in'] as string });
  await channel.unary(echo, text('a'));
  await channel.unary(echo, text('a'));
  await t.throwsAsync(channel.unary(echo, text('a'), { metadata: { 'x-status': '5' } }));
  for (let i = 0; i < 5; i++) {
    await t.throwsAsync(channel.unary(bytesMethod('test.Echo', `Nonsense${i}`), text('a')));
  }
  await channel.unary(bytesMethod('test.Echo', 'Second'), text('a'));
  const counted = (): string[] =>
    mesh.runtime.metrics
      .snapshot()
      .series.filter((each) => each.name === 'heddle_grpc_calls_total')
      .map(
        ({ labels, values }) => `${labels['service']}/${labels['method']} ${labels['status']} ${values[0]}`,
      )
      .sort();
  await eventually(() => counted().length === 4, 'four series');
  t.deepEqual(counted(), [
    '_other/_other OK 1',
    '_other/_other UNIMPLEMENTED 5',
    'test.Echo/Echo NOT_FOUND 1',
    'test.Echo/Echo OK 2',
  ]);
});
