import test, { type ExecutionContext } from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../../src/index.ts';
import { PeerProcess } from './peer-process.ts';

/**
 *   sofa-rpc-node, sofa-bolt-node v1, v2, v2+CRC ──┬─▶ proxy ──▶ sofa-rpc-node server
 *                                                  └─▶ proxy ──▶ service of a mesh, and without the proxy
 *   mesh.rpc ───────────────────────────────────────▶ sofa-rpc-node server, and through the proxy
 */
const service = 'com.acme.DemoService';
const clients = ['sofa-rpc-node', 'bolt', 'bolt2', 'bolt2+crc'] as const;
const text = 'java.lang.String';

test.serial('sofa-rpc-node and every version of sofa-bolt-node call a service of this process', async (t) => {
  const mesh = await opened(t, {});
  const served = await mesh.serveRpc({
    protocol: 'bolt',
    service,
    version: '1.0',
    address: '127.0.0.1:0',
    methods: {
      sayHello: (name: string) => `hello ${name}`,
      total: (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0),
      nothing: () => null,
      older: (user: { age: number }) => ({ $class: 'com.acme.User', $: { ...user, age: user.age + 1 } }),
      fail: (reason: string) => {
        throw new Error(`refused: ${reason}`);
      },
    },
  });
  for (const address of [served.address, await proxyTo(t, served.address)]) {
    for (const each of clients) await callAll(t, await client(t, each, address), each);
  }
});

test.serial(
  'sofa-rpc-node and every version of sofa-bolt-node call a sofa-rpc-node server through a proxy',
  async (t) => {
    const proxy = await proxyTo(t, await startServer(t));
    for (const each of clients) {
      const peer = await client(t, each, proxy);
      await callAll(t, peer, each);
      const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
      t.deepEqual(
        await Promise.all(names.map((name) => peer.call('sayHello', [text, name]))),
        names.map((name) => `hello ${name}`),
        `${each}: a hundred at once on one connection`,
      );
    }
  },
);

test.serial('a mesh calls a sofa-rpc-node server, and does so through a proxy', async (t) => {
  const server = await startServer(t);
  for (const address of [server, await proxyTo(t, server)]) {
    const mesh = await opened(t, { clusters: [{ name: 'demo', codec: 'bolt', endpoints: [address] }] });
    const demo = mesh.rpc({ protocol: 'bolt', service, version: '1.0', cluster: 'demo' });
    t.is(await demo.invoke('sayHello', ['世界 😀']), 'hello 世界 😀');
    t.is(await demo.invoke('total', [[1, 2, 3]]), 6);
    t.is(await demo.invoke('nothing'), null);
    t.deepEqual(await demo.invoke('older', [{ name: 'ann', age: 41 }]), { name: 'ann', age: 42 });
    const error = (await t.throwsAsync(demo.invoke('fail', ['y']))) as Error;
    t.regex(error.message, /refused: y/);
    await t.throwsAsync(demo.invoke('slow', [5000], { argTypes: ['int'], timeoutMs: 300 }), {
      code: 'ERR_REQUEST_TIMEOUT',
    });
    t.is(await demo.invoke('sayHello', ['after']), 'hello after');
  }
});

async function callAll(t: ExecutionContext, peer: PeerProcess, which: string): Promise<void> {
  t.is(await peer.call('sayHello', [text, 'world']), 'hello world', which);
  t.is(await peer.call('sayHello', [text, '世界 😀']), 'hello 世界 😀', which);
  t.is(await peer.call('sayHello', [text, 'x'.repeat(70_000)]), `hello ${'x'.repeat(70_000)}`, which);
  t.is(await peer.call('total', ['java.util.ArrayList', [1, 2, 3]]), 6, which);
  t.is((await peer.call('nothing')) ?? null, null, which);
  const older = await peer.call('older', ['com.acme.User', { name: 'ann', age: 41 }]);
  t.deepEqual(older, { name: 'ann', age: 42 }, which);
  const error = (await t.throwsAsync(peer.call('fail', [text, 'y']))) as Error;
  t.regex(error.message, /refused: y/, which);
  t.is(await peer.call('sayHello', [text, 'still here']), 'hello still here', which);
}

async function startServer(t: ExecutionContext): Promise<string> {
  const server = await PeerProcess.start('bolt-peer.cjs', 'sofa-rpc-node', ['server']);
  t.teardown(() => server.stop());
  return `127.0.0.1:${server.started['port']}`;
}

async function client(t: ExecutionContext, role: string, address: string): Promise<PeerProcess> {
  const peer = await PeerProcess.start('bolt-peer.cjs', 'sofa-rpc-node', [role, address]);
  t.teardown(() => peer.stop());
  return peer;
}

/** Routes by service and adds to the header map of requests. */
async function proxyTo(t: ExecutionContext, address: string): Promise<string> {
  const mesh = await opened(t, {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'bolt',
        filters: ['request-id'],
        requestHeaders: [{ name: 'x-through', value: 'proxy', action: 'overwrite' }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: `/${service}` }, cluster: 'demo' }],
          },
        ],
      },
    ],
    clusters: [{ name: 'demo', codec: 'bolt', endpoints: [address] }],
  });
  return mesh.listeners.addresses['in'] as string;
}

async function opened(t: ExecutionContext, config: MeshConfig): Promise<Mesh> {
  const mesh = await createMesh(config);
  t.teardown(() => mesh.close());
  return mesh;
}
