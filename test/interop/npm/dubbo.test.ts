import test, { type ExecutionContext } from 'ava';
import { callAll, callHundred, invokeAll, methods, opened, proxyTo, service, text } from './demo-service.ts';
import { PeerProcess } from './peer-process.ts';

/**
 *   dubbo-remoting, apache-dubbo-js, dubbo2.js ──┬─▶ proxy ──▶ dubbo-remoting server
 *                                                └─▶ proxy ──▶ service of a mesh
 *   mesh.rpc ─────────────────────────────────────▶ dubbo-remoting server, and through the proxy
 */
const clients = ['dubbo-remoting', 'apache-dubbo-js', 'dubbo2.js'] as const;
const list = 'java.util.List';

test.serial('clients of three libraries call a service of this process through a proxy', async (t) => {
  const mesh = await opened(t, {});
  const served = await mesh.serveRpc({
    protocol: 'dubbo',
    service,
    version: '1.0.0',
    group: 'g1',
    address: '127.0.0.1:0',
    methods,
  });
  const address = await proxy(t, served.address);
  for (const library of clients) await callAll(t, await client(t, library, address, 'g1'), library, list);
});

test.serial('clients of three libraries call a server of dubbo-remoting through a proxy', async (t) => {
  const address = await proxy(t, await startServer(t));
  for (const library of clients) {
    const peer = await client(t, library, address, '');
    await callAll(t, peer, library, list);
    await callHundred(t, peer, library);
    await t.throwsAsync(peer.call('noSuchRoute', [text, 'x']).then(String), undefined, library);
    t.is(await peer.call('sayHello', [text, 'after']), 'hello after');
  }
});

test.serial('a mesh calls a server of dubbo-remoting, and does so through a proxy', async (t) => {
  const server = await startServer(t);
  for (const address of [server, await proxy(t, server)]) await invokeAll(t, 'dubbo', '1.0.0', address);
});

/** Looks at the words of a request. */
const proxy = (t: ExecutionContext, address: string): Promise<string> =>
  proxyTo(t, 'dubbo', address, [
    { match: { path: `/${service}/noSuchRoute` }, directResponse: { status: 404, body: 'no route' } },
    { match: { prefix: '/', variables: [{ name: 'service', exact: service }] }, cluster: 'demo' },
  ]);

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
