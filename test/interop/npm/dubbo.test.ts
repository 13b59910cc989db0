import test, { type ExecutionContext } from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../../src/index.ts';
import { PeerProcess } from './peer-process.ts';

/**
 *   dubbo-remoting, apache-dubbo-js, dubbo2.js ──┬─▶ proxy ──▶ dubbo-remoting server
 *                                                └─▶ proxy ──▶ service of a mesh
 *   mesh.rpc ─────────────────────────────────────▶ dubbo-remoting server, and through the proxy
 */
const service = 'com.acme.DemoService';
const clients = ['dubbo-remoting', 'apache-dubbo-js', 'dubbo2.js'] as const;
const text = 'java.lang.String';

test.serial('clients of three libraries call a service of this process through a proxy', async (t) => {
  const mesh = await opened(t, {});
  const served = await mesh.serveRpc({
    protocol: 'dubbo',
    service,
    version: '1.0.0',
    group: 'g1',
    address: '127.0.0.1:0',
    methods: {
      sayHello: (name: string) => `hello ${name}`,
      total: (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0),
      older: (user: { age: number }) => ({ $class: 'com.acme.User', $: { ...user, age: user.age + 1 } }),
      fail: (reason: string) => {
        throw new Error(`refused: ${reason}`);
      },
    },
  });
  const proxy = await proxyTo(t, served.address);
  for (const library of clients) await callAll(t, await client(t, library, proxy, 'g1'), library);
});

test.serial('clients of three libraries call a server of dubbo-remoting through a proxy', async (t) => {
  const proxy = await proxyTo(t, await startServer(t));
  for (const library of clients) {
    const peer = await client(t, library, proxy, '');
    await callAll(t, peer, library);
    const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
    t.deepEqual(
      await Promise.all(names.map((name) => peer.call('sayHello', [text, name]))),
      names.map((name) => `hello ${name}`),
      `${library}: a hundred at once on one connection`,
    );
    await t.throwsAsync(peer.call('noSuchRoute', [text, 'x']).then(String), undefined, library);
    t.is(await peer.call('sayHello', [text, 'after']), 'hello after');
  }
});

test.serial('a mesh calls a server of dubbo-remoting, and does so through a proxy', async (t) => {
  const server = await startServer(t);
  for (const address of [server, await proxyTo(t, server)]) {
    const mesh = await opened(t, { clusters: [{ name: 'demo', codec: 'dubbo', endpoints: [address] }] });
    const demo = mesh.rpc({ protocol: 'dubbo', service, version: '1.0.0', cluster: 'demo' });
    t.is(await demo.invoke('sayHello', ['世界 😀']), 'hello 世界 😀');
    t.is(await demo.invoke('total', [[1, 2, 3]]), 6);
    const error = (await t.throwsAsync(demo.invoke('fail', ['y']))) as Error;
    t.regex(error.message, /refused: y/);
    await t.throwsAsync(demo.invoke('slow', [5000], { argTypes: ['int'], timeoutMs: 300 }), {
      code: 'ERR_REQUEST_TIMEOUT',
    });
    t.is(await demo.invoke('sayHello', ['after']), 'hello after');
  }
});

async function callAll(t: ExecutionContext, peer: PeerProcess, library: string): Promise<void> {
  t.is(await peer.call('sayHello', [text, 'world']), 'hello world', library);
  t.is(await peer.call('sayHello', [text, '世界 😀']), 'hello 世界 😀', library);
  t.is(await peer.call('sayHello', [text, 'x'.repeat(70_000)]), `hello ${'x'.repeat(70_000)}`, library);
  t.is(await peer.call('total', ['java.util.List', [1, 2, 3]]), 6, library);
  const older = await peer.call('older', ['com.acme.User', { name: 'ann', age: 41 }]);
  t.deepEqual(older, { name: 'ann', age: 42 }, library);
  const error = (await t.throwsAsync(peer.call('fail', [text, 'y']))) as Error;
  t.regex(error.message, /refused: y/, library);
  t.is(await peer.call('sayHello', [text, 'still here']), 'hello still here', library);
}

async function startServer(t: ExecutionContext): Promise<string> {
  const server = await PeerProcess.start('dubbo-peer.cjs', 'dubbo-remoting', ['server']);
  t.teardown(() => server.stop());
  return `127.0.0.1:${server.started['port']}`;
}

async function client(
  t: ExecutionContext,
  library: string,
  address: string,
  group: string,
): Promise<PeerProcess> {
  const peer = await PeerProcess.start('dubbo-peer.cjs', library, [library, address, group]);
  t.teardown(() => peer.stop());
  return peer;
}

/** Routes by service, adds attachments to requests and looks at answers. */
async function proxyTo(t: ExecutionContext, address: string): Promise<string> {
  const mesh = await opened(t, {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'dubbo',
        filters: ['request-id'],
        requestHeaders: [{ name: 'x-through', value: 'proxy', action: 'overwrite' }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: { path: `/${service}/noSuchRoute` },
                directResponse: { status: 404, body: 'no route' },
              },
              { match: { prefix: '/', variables: [{ name: 'service', exact: service }] }, cluster: 'demo' },
            ],
          },
        ],
      },
    ],
    clusters: [{ name: 'demo', codec: 'dubbo', endpoints: [address] }],
  });
  return mesh.listeners.addresses['in'] as string;
}

async function opened(t: ExecutionContext, config: MeshConfig): Promise<Mesh> {
  const mesh = await createMesh(config);
  t.teardown(() => mesh.close());
  return mesh;
}
