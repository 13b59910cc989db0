import test, { type ExecutionContext } from 'ava';
import { createMesh } from '../../../src/index.ts';
import { eventually } from '../../mesh/support.ts';
import { PeerProcess } from './peer-process.ts';

const text = 'string';

for (const kind of ['binary', 'compact']) {
  test.serial(`a client and a server of the package thrift talk through a proxy: ${kind}`, async (t) => {
    const server = await start(t, 'server', kind);
    const proxy = await proxyTo(t, `127.0.0.1:${server.started['port']}`);
    const client = await start(t, 'client', kind, proxy);
    t.is(await client.call('greet', [text, '世界 😀']), 'hello 世界 😀');
    const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
    t.deepEqual(
      await Promise.all(names.map((name) => client.call('greet', [text, name]))),
      names.map((name) => `hello ${name}`),
      'ids of one, two and three bytes on one connection',
    );
    t.is(await client.call('greet', [text, 'x'.repeat(100_000)]), `hello ${'x'.repeat(100_000)}`);
    await client.call('note', [text, 'noted']);
    await eventually(
      async () => (await client.call('notes', [text, ''])) === 'noted',
      'the one-way call arrives',
    );
    await t.throwsAsync(client.call('missing', [text, 'x']), { message: '1 no such method' });
    await t.throwsAsync(
      client.call('refused', [text, 'x']),
      { message: '11 busy' },
      'an answer of the proxy',
    );
    t.is(await client.call('greet', [text, 'after']), 'hello after');
  });
}

async function start(t: ExecutionContext, role: string, kind: string, address = ''): Promise<PeerProcess> {
  const peer = await PeerProcess.start('thrift-peer.cjs', 'thrift', [role, kind, address]);
  t.teardown(() => peer.stop());
  return peer;
}

async function proxyTo(t: ExecutionContext, address: string): Promise<string> {
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'thrift',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { path: '/refused' }, directResponse: { status: 503, body: 'busy' } },
              { match: {}, cluster: 'calculators' },
            ],
          },
        ],
      },
    ],
    clusters: [{ name: 'calculators', codec: 'thrift', endpoints: [address] }],
    log: { level: 'off' },
  });
  t.teardown(() => mesh.close());
  return mesh.listeners.addresses['in'] as string;
}
