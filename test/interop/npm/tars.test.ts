import test, { type ExecutionContext } from 'ava';
import { createMesh } from '../../../src/index.ts';
import { deadAddress, eventually } from '../../mesh/support.ts';
import { PeerProcess } from './peer-process.ts';

const text = 'string';

test('a client and a server of the package @tars/rpc talk through a proxy', async (t) => {
  const address = await deadAddress();
  await start(t, ['server', address.split(':')[1] ?? '', '']);
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'tars',
        requestHeaders: [{ name: 'x-through', value: 'proxy', action: 'overwrite' }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: { path: '/Demo.Hello.HelloObj/refused' },
                directResponse: { status: 503, body: 'busy' },
              },
              {
                match: { variables: [{ name: 'service', exact: 'Demo.Hello.HelloObj' }] },
                cluster: 'hellos',
              },
            ],
          },
        ],
      },
    ],
    clusters: [{ name: 'hellos', codec: 'tars', endpoints: [address] }],
    log: { level: 'off' },
  });
  t.teardown(() => mesh.close());
  const client = await start(t, ['client', '-', mesh.listeners.addresses['in'] as string]);
  await eventually(
    () =>
      client.call('greet', [text, 'first']).then(
        () => true,
        () => false,
      ),
    'the server listens',
  );
  t.is(await client.call('greet', [text, '世界 😀']), 'hello 世界 😀');
  const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
  t.deepEqual(
    await Promise.all(names.map((name) => client.call('greet', [text, name]))),
    names.map((name) => `hello ${name}`),
  );
  t.is(await client.call('greet', [text, 'x'.repeat(100_000)]), `hello ${'x'.repeat(100_000)}`);
  await t.throwsAsync(client.call('missing', [text, 'x']), { message: /^-3 / });
  await t.throwsAsync(client.call('refused', [text, 'x']), { message: /^-9 / }, 'an answer of the proxy');
  t.is(await client.call('greet', [text, 'after']), 'hello after');
});

async function start(t: ExecutionContext, args: readonly string[]): Promise<PeerProcess> {
  const peer = await PeerProcess.start('tars-peer.cjs', '@tars/rpc', args);
  t.teardown(() => peer.stop());
  return peer;
}
