import assert from 'node:assert/strict';
import { messageOf } from '../../../src/core/base/errors.ts';
import { createMesh, type Mesh, type MeshConfig } from '../../../src/index.ts';
import { proxyProcess } from '../../e2e/support.ts';
import { deadAddress, eventually } from '../../mesh/support.ts';
import type { Scope } from '../kit/check.ts';
import { type JavaProject, type Jvm, startJvm } from '../kit/java.ts';
import { callFromJava } from './java-calls.ts';
import { curlToJava, javaToHttp } from './json.ts';
import { callFromNode } from './node-calls.ts';
import { identityOf, servePeer } from './service.ts';

type Protocol = 'bolt' | 'dubbo';

/**
 *   Node in-process ──┬── Java server        Java client ──┬── Node service
 *                     └── proxy ── Java server              ├── proxy ── Node service
 *                                                           └── proxy ── Java server
 */
export async function runPeers(scope: Scope, protocol: Protocol, project: JavaProject): Promise<string> {
  const main = project === 'sofarpc' ? 'SofaMain' : 'DubboMain';
  const java = await deadAddress();
  const startServer = async (): Promise<Jvm> => {
    const jvm = await startJvm(scope, project, main);
    await jvm.ask('serve', java.split(':')[1] as string);
    return jvm;
  };
  let server = await startServer();
  const client = await startJvm(scope, project, main);
  const beforeJava = await proxyProcess(scope, gateway(protocol, java));
  let calls = 0;
  for (const address of [java, beforeJava.address]) {
    const mesh = await consumer(scope, protocol, address);
    const peer = mesh.rpc({ ...identityOf(protocol), cluster: 'peer' });
    calls += await stage(`Node to Java at ${address}`, () => callFromNode(peer));
  }
  const { address: proxied } = beforeJava;
  calls += await stage('Java to Java behind a proxy', () => callFromJava(client, proxied, 'java'));
  const provider = await createMesh();
  scope.teardown(() => provider.close());
  const node = (await servePeer(provider, protocol)).address;
  const beforeNode = await proxyProcess(scope, gateway(protocol, node));
  for (const address of [node, beforeNode.address])
    calls += await stage(`Java to Node at ${address}`, () => callFromJava(client, address, 'node'));
  calls += await stage('curl to Java', () => curlToJava(scope, protocol, java));
  calls += await stage('Java to HTTP', () => javaToHttp(scope, protocol, client));
  server = await stage('the Java server restarts', () =>
    serverRestarts(scope, protocol, server, startServer, [java, proxied]),
  );
  await stage('the Node service restarts', () => serviceRestarts(client, protocol, provider, node));
  await stage('the Java server dies', () => crash(scope, protocol, server, java));
  return `${calls} calls, a restart on each side, a crash`;
}

/** The Java server ends in order and a new one takes its address: calls find it, directly and through a proxy. */
async function serverRestarts(
  scope: Scope,
  protocol: Protocol,
  server: Jvm,
  start: () => Promise<Jvm>,
  addresses: readonly string[],
): Promise<Jvm> {
  const meshes = await Promise.all(addresses.map((address) => consumer(scope, protocol, address)));
  const peers = meshes.map((mesh) => mesh.rpc({ ...identityOf(protocol), cluster: 'peer' }));
  for (const peer of peers) assert.equal(await peer.invoke('echo', ['before']), 'before');
  await server.close();
  for (const peer of peers)
    await assert.rejects(peer.invoke('echo', ['while it is away'], { timeoutMs: 2000 }));
  const next = await start();
  for (const peer of peers) await eventually(() => answers(peer.invoke('echo', ['x'])), 'the server is back');
  return next;
}

/** The Node service goes, politely, and comes back at its address: the Java client finds it again. */
async function serviceRestarts(
  client: Jvm,
  protocol: Protocol,
  provider: Mesh,
  address: string,
): Promise<void> {
  await provider.drain(1000);
  const next = await createMesh();
  try {
    await servePeer(next, protocol, address);
    await eventually(() => answers(client.ask('call', address, 'echo')), 'the Java client comes back');
  } finally {
    await next.close();
  }
}

/** Calls in flight when the server dies fail at once and not by a timeout. */
async function crash(scope: Scope, protocol: Protocol, server: Jvm, java: string): Promise<void> {
  const mesh = await consumer(scope, protocol, java);
  const peer = mesh.rpc({ ...identityOf(protocol), cluster: 'peer' });
  await eventually(() => answers(peer.invoke('echo', ['x'])), 'the server answers');
  const start = performance.now();
  const pending = Array.from({ length: 20 }, () =>
    peer.invoke('slow', [20_000], { argTypes: ['long'], timeoutMs: 15_000 }),
  );
  const outcomes = Promise.allSettled(pending);
  await server.kill();
  for (const outcome of await outcomes) {
    assert.equal(outcome.status, 'rejected');
    assert.equal((outcome as PromiseRejectedResult).reason.code, 'ERR_UPSTREAM_RESET');
  }
  assert.ok(performance.now() - start < 10_000);
}

/** Says which part of the check failed: an error of the data path has no stack of its caller. */
async function stage<Result>(what: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (thrown) {
    throw new Error(`${what}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

const answers = (call: Promise<unknown>): Promise<boolean> =>
  call.then(
    () => true,
    () => false,
  );

async function consumer(scope: Scope, protocol: Protocol, address: string): Promise<Mesh> {
  const mesh = await createMesh({ clusters: [{ name: 'peer', codec: protocol, endpoints: [address] }] });
  scope.teardown(() => mesh.close());
  return mesh;
}

/** A standalone proxy with a working filter set between two of them. */
function gateway(protocol: Protocol, endpoint: string): MeshConfig {
  return {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: protocol,
        filters: ['request-id'],
        requestHeaders: [{ name: 'x-through', value: 'proxy' }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: '/heddle.interop.Peer' }, cluster: 'up' }],
          },
        ],
      },
    ],
    clusters: [{ name: 'up', codec: protocol, endpoints: [endpoint] }],
  };
}
