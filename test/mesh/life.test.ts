import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { createMesh, HeddleError, type MeshConfig } from '../../src/index.ts';
import { deadAddress, echo, eventually, upstream, within } from './support.ts';

const listenTo = (cluster: string, address = '127.0.0.1:0'): NonNullable<MeshConfig['listeners']> => [
  {
    name: 'in',
    address,
    virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster }] }],
  },
];

async function canConnect(address: string): Promise<boolean> {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('a bad configuration is refused with every problem in one list', async (t) => {
  const error = (await t.throwsAsync(
    createMesh({
      listeners: [
        { name: 'a', address: '127.0.0.1:99999', filters: ['requestid'] },
        { name: 'a', address: '127.0.0.1:0' },
      ],
      clusters: [{ name: 'users', endpoints: ['nowhere'], loadBalancer: 'roundrobin' }],
      inProcess: {
        virtualHosts: [{ name: 'v', domains: ['*'], routes: [{ match: {}, cluster: 'user' }] }],
      },
      // @ts-expect-error a key that does not exist
      clutsers: [],
    }),
    { instanceOf: HeddleError },
  )) as HeddleError;
  t.is(error.code, 'ERR_CONFIG_INVALID');
  t.is(error.source, 'config');
  for (const part of [
    'listeners[0].address',
    'listeners[0].filters[0]',
    'listeners[1].name',
    'clusters[0].endpoints[0]',
    'roundRobin',
    'request-id',
    '"users"',
    'clusters',
  ]) {
    t.true(error.message.includes(part), `${part} in ${error.message}`);
  }
  t.true(((error.context['problems'] as unknown[]) ?? []).length >= 6);
});

test('a mesh that cannot bind leaves nothing open', async (t) => {
  const clusters = [{ name: 'users' }];
  const first = await createMesh({ listeners: listenTo('users'), clusters });
  const bound = first.listeners.addresses['in'] as string;
  const [free] = listenTo('users', await deadAddress());
  const [taken] = listenTo('users', bound);
  const listeners = [free, { ...taken, name: 'taken' }] as NonNullable<MeshConfig['listeners']>;
  const failed = createMesh({ listeners, clusters });
  t.like(await t.throwsAsync(failed), { code: 'ERR_LISTENER_ADDRESS', source: 'config' });
  const port = Number(free?.address.split(':')[1]);
  await t.throwsAsync(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  await first.close();
});

test('drain refuses new connections and lets requests finish, its own calls included', async (t) => {
  const held: (() => void)[] = [];
  const { address } = await upstream(t, (_request, response) => {
    held.push(() => response.end('done'));
  });
  const mesh = await createMesh({
    listeners: listenTo('users'),
    clusters: [{ name: 'users', endpoints: [address] }],
  });
  const bound = mesh.listeners.addresses['in'] as string;
  const outside = fetch(`http://${bound}/`);
  const inside = mesh.request({ authority: 'users' });
  await eventually(() => held.length === 2, 'both requests at the upstream');
  const drained = mesh.drain(30_000);
  t.true(mesh.isDraining);
  await eventually(async () => !(await canConnect(bound)), 'new connections are refused');
  let isDrained = false;
  void drained.then(() => {
    isDrained = true;
  });
  await turn();
  t.false(isDrained);
  for (const answer of held) answer();
  const response = await within(outside, 'the answer through the listener');
  t.is(await response.text(), 'done');
  t.is(response.headers.get('connection'), 'close');
  t.is(await (await within(inside, 'the answer of the call')).text(), 'done');
  await within(drained, 'the drain');
  t.true(mesh.isClosed);
  await within(mesh.closed, 'closed');
  t.like(await t.throwsAsync(mesh.request({ authority: 'users' })), { code: 'ERR_MESH_CLOSED' });
});

test('a drain ends at its deadline with whatever is left, and a close in its middle ends it at once', async (t) => {
  const { address } = await upstream(t, () => {});
  for (const end of ['deadline', 'close'] as const) {
    const mesh = await createMesh({
      listeners: listenTo('users'),
      clusters: [{ name: 'users', endpoints: [address] }],
    });
    const outside = fetch(`http://${mesh.listeners.addresses['in']}/`);
    const inside = mesh.request({ authority: 'users' });
    await eventually(() => mesh.runtime.proxy.active === 2, 'both requests');
    const drained = mesh.drain(end === 'deadline' ? 50 : 600_000);
    if (end === 'close') await within(mesh.close(), 'the close');
    await within(drained, `the drain until the ${end}`);
    await t.throwsAsync(within(outside, 'the request from outside'));
    await t.throwsAsync(within(inside, 'the call'));
  }
});

test('close resets what runs with ERR_MESH_CLOSED, may be called again and again, and frees the port', async (t) => {
  const { address, sockets } = await upstream(t, () => {});
  const mesh = await createMesh({
    listeners: listenTo('users'),
    clusters: [{ name: 'users', endpoints: [address] }],
  });
  const bound = mesh.listeners.addresses['in'] as string;
  const call = mesh.request({ authority: 'users' });
  await eventually(() => sockets.size === 1, 'the connection');
  const failed = t.throwsAsync(call);
  await Promise.all([mesh.close(), mesh.close()]);
  t.like(await failed, { code: 'ERR_MESH_CLOSED' });
  await mesh.close();
  await eventually(() => sockets.size === 0, 'the upstream connection closes');
  await using again = await createMesh({
    listeners: listenTo('users', bound),
    clusters: [{ name: 'users' }],
  });
  t.is(again.listeners.addresses['in'], bound);
});

test('await using closes the mesh where its block ends', async (t) => {
  const { address } = await upstream(t, echo);
  let bound = '';
  {
    await using mesh = await createMesh({
      listeners: listenTo('users'),
      clusters: [{ name: 'users', endpoints: [address] }],
    });
    bound = mesh.listeners.addresses['in'] as string;
    t.is((await fetch(`http://${bound}/`)).status, 200);
  }
  await t.throwsAsync(once(connect(Number(bound.split(':')[1]), '127.0.0.1'), 'connect'), {
    code: 'ECONNREFUSED',
  });
});
