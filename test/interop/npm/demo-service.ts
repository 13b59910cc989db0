/** The service that peers of Bolt and of Dubbo call and provide, and what a client must see of it. */
import type { ExecutionContext } from 'ava';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { createMesh, type Mesh, type MeshConfig } from '../../../src/index.ts';
import type { PeerProcess } from './peer-process.ts';

export const service = 'com.acme.DemoService';
export const text = 'java.lang.String';

/** The methods as a mesh provides them. */
export const methods = {
  sayHello: (name: string) => `hello ${name}`,
  total: (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0),
  nothing: () => null,
  older: (user: { age: number }) => ({ $class: 'com.acme.User', $: { ...user, age: user.age + 1 } }),
  fail: (reason: string) => {
    throw new Error(`refused: ${reason}`);
  },
};

/** @param listClass how the peer calls a list */
export async function callAll(
  t: ExecutionContext,
  peer: PeerProcess,
  which: string,
  listClass: string,
): Promise<void> {
  t.is(await peer.call('sayHello', [text, 'world']), 'hello world', which);
  t.is(await peer.call('sayHello', [text, '世界 😀']), 'hello 世界 😀', which);
  t.is(await peer.call('sayHello', [text, 'x'.repeat(70_000)]), `hello ${'x'.repeat(70_000)}`, which);
  t.is(await peer.call('total', [listClass, [1, 2, 3]]), 6, which);
  const older = await peer.call('older', ['com.acme.User', { name: 'ann', age: 41 }]);
  t.deepEqual(older, { name: 'ann', age: 42 }, which);
  const error = (await t.throwsAsync(peer.call('fail', [text, 'y']))) as Error;
  t.regex(error.message, /refused: y/, which);
  t.is(await peer.call('sayHello', [text, 'still here']), 'hello still here', which);
}

export async function callHundred(t: ExecutionContext, peer: PeerProcess, which: string): Promise<void> {
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  t.deepEqual(
    await Promise.all(names.map((name) => peer.call('sayHello', [text, name]))),
    names.map((name) => `hello ${name}`),
    `${which}: a hundred at once on one connection`,
  );
}

/** A mesh calls a peer's server. */
export async function invokeAll(
  t: ExecutionContext,
  protocol: 'bolt' | 'dubbo',
  version: string,
  address: string,
): Promise<void> {
  const mesh = await opened(t, { clusters: [{ name: 'demo', codec: protocol, endpoints: [address] }] });
  const demo = mesh.rpc({ protocol, service, version, cluster: 'demo' });
  t.is(await demo.invoke('sayHello', ['世界 😀']), 'hello 世界 😀');
  t.is(await demo.invoke('total', [[1, 2, 3]]), 6);
  const error = (await t.throwsAsync(demo.invoke('fail', ['y']))) as Error;
  t.regex(error.message, /refused: y/);
  await t.throwsAsync(demo.invoke('slow', [5000], { argTypes: ['int'], timeoutMs: 300 }), {
    code: 'ERR_REQUEST_TIMEOUT',
  });
  t.is(await demo.invoke('sayHello', ['after']), 'hello after');
  if (protocol === 'bolt') {
    t.is(await demo.invoke('nothing'), null);
    t.deepEqual(await demo.invoke('older', [{ name: 'ann', age: 41 }]), { name: 'ann', age: 42 });
  }
}

/** Routes by service and adds to the headers or attachments of requests. @returns its address */
export async function proxyTo(
  t: ExecutionContext,
  codec: 'bolt' | 'dubbo',
  address: string,
  routes: readonly RouteInput[],
): Promise<string> {
  const mesh = await opened(t, {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec,
        filters: ['request-id'],
        requestHeaders: [{ name: 'x-through', value: 'proxy', action: 'overwrite' }],
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [...routes] }],
      },
    ],
    clusters: [{ name: 'demo', codec, endpoints: [address] }],
  });
  return mesh.listeners.addresses['in'] as string;
}

export async function opened(t: ExecutionContext, config: MeshConfig): Promise<Mesh> {
  const mesh = await createMesh(config);
  t.teardown(() => mesh.close());
  return mesh;
}
