import test, { type ExecutionContext } from 'ava';
import { callAll, callHundred, invokeAll, methods, opened, proxyTo, service, text } from './demo-service.ts';
import { PeerProcess } from './peer-process.ts';

/**
 *   sofa-rpc-node, sofa-bolt-node v1, v2, v2+CRC ──┬─▶ proxy ──▶ sofa-rpc-node server
 *                                                  └─▶ proxy ──▶ service of a mesh, and without the proxy
 *   mesh.rpc ───────────────────────────────────────▶ sofa-rpc-node server, and through the proxy
 */
const clients = ['sofa-rpc-node', 'bolt', 'bolt2', 'bolt2+crc'] as const;

test.serial('sofa-rpc-node and every version of sofa-bolt-node call a service of this process', async (t) => {
  const mesh = await opened(t, {});
  const served = await mesh.serveRpc({
    protocol: 'bolt',
    service,
    version: '1.0',
    address: '127.0.0.1:0',
    methods,
  });
  for (const address of [served.address, await proxy(t, served.address)]) {
    for (const each of clients) await call(t, await client(t, each, address), each);
  }
});

test.serial(
  'sofa-rpc-node and every version of sofa-bolt-node call a sofa-rpc-node server through a proxy',
  async (t) => {
    const address = await proxy(t, await startServer(t));
    for (const each of clients) {
      const peer = await client(t, each, address);
      await call(t, peer, each);
      await callHundred(t, peer, each);
    }
  },
);

test.serial('a mesh calls a sofa-rpc-node server, and does so through a proxy', async (t) => {
  const server = await startServer(t);
  for (const address of [server, await proxy(t, server)]) await invokeAll(t, 'bolt', '1.0', address);
});

async function call(t: ExecutionContext, peer: PeerProcess, which: string): Promise<void> {
  await callAll(t, peer, which, 'java.util.ArrayList');
  t.is((await peer.call('nothing')) ?? null, null, which);
  t.is(await peer.call('sayHello', [text, 'after null']), 'hello after null', which);
}

const proxy = (t: ExecutionContext, address: string): Promise<string> =>
  proxyTo(t, 'bolt', address, [{ match: { prefix: `/${service}` }, cluster: 'demo' }]);

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
