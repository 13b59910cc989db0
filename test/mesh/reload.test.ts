import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createMesh, HeddleError, type Mesh, type MeshConfig } from '../../src/index.ts';
import { deadAddress, type Echoed, echo, eventually, tcpUpstream, upstream, within } from './support.ts';

const routesTo = (cluster: string, more: object = {}) => [
  { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster, ...more }] },
];

/** Where nobody listens and nobody else will: a port that was free may be another's a moment later. */
const freshSocketPath = (): string => join(tmpdir(), `heddle-reload-${randomUUID()}.sock`);

const ok = async (t: { true(value: boolean): void }, mesh: Mesh, config: MeshConfig): Promise<void> => {
  const { applied } = await mesh.reload(config);
  t.true(applied);
};

/** One GET on its own connection or on the agent's; status and body. */
async function get(address: string, agent?: Agent): Promise<{ status: number; text: string }> {
  const [host, port] = address.split(':');
  const request = httpRequest({ host, port, path: '/', ...(agent === undefined ? {} : { agent }) });
  request.end();
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

test('what a reload does not change keeps its object: sockets, connections, pools, counts, limiter windows', async (t) => {
  const { address, sockets } = await upstream(t, echo);
  const config = (serverHeader: string): MeshConfig => ({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        serverHeader,
        filters: [
          { name: 'local-rate-limit', config: { bucket: { maxTokens: 3, fillIntervalMs: 3_600_000 } } },
        ],
        virtualHosts: routesTo('users'),
      },
    ],
    clusters: [{ name: 'users', endpoints: [address] }],
  });
  await using mesh = await createMesh(config('one'));
  const bound = mesh.listeners.addresses['in'] as string;
  const cluster = mesh.clusters.get('users');
  const listener = mesh.listeners.all[0];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  t.is((await get(bound, agent)).status, 200);
  await ok(t, mesh, config('two'));
  t.is((await get(bound, agent)).status, 200);
  t.is(mesh.listeners.addresses['in'], bound);
  t.is(mesh.listeners.all[0], listener);
  t.is(mesh.clusters.get('users'), cluster);
  t.is(listener?.connectionCount, 1, 'the downstream connection lives on');
  t.is(sockets.size, 1, 'the upstream connection lives on');
  t.is((await get(bound, agent)).status, 200);
  t.is((await get(bound, agent)).status, 429, 'the fourth of one window, reload or not');
});

test('a change takes effect on the next request of a connection that was open before', async (t) => {
  const one = await upstream(t, (_request, response) => void response.end('one'));
  const two = await upstream(t, (_request, response) => void response.end('two'));
  const config = (cluster: string): MeshConfig => ({
    listeners: [{ name: 'in', address: '127.0.0.1:0', virtualHosts: routesTo(cluster) }],
    clusters: [
      { name: 'one', endpoints: [one.address] },
      { name: 'two', endpoints: [two.address] },
    ],
  });
  await using mesh = await createMesh(config('one'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const bound = mesh.listeners.addresses['in'] as string;
  t.is((await get(bound, agent)).text, 'one');
  await ok(t, mesh, config('two'));
  t.is((await get(bound, agent)).text, 'two');
  t.is(mesh.listeners.all[0]?.connectionCount, 1);
});

test('a request in flight ends on the configuration it began with, its cluster gone or not', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { address } = await upstream(t, (_request, response) => {
    arrived.resolve();
    void go.promise.then(() => response.end('late'));
  });
  const clusters = [{ name: 'users', endpoints: [address] }];
  const listener = { name: 'in', address: '127.0.0.1:0' };
  await using mesh = await createMesh({
    listeners: [
      {
        ...listener,
        virtualHosts: routesTo('users', { responseHeaders: [{ name: 'x-config', value: 'one' }] }),
      },
    ],
    clusters,
  });
  const bound = mesh.listeners.addresses['in'] as string;
  const answer = fetch(`http://${bound}/`);
  await within(arrived.promise, 'the request at the upstream');
  await ok(t, mesh, {
    listeners: [
      {
        ...listener,
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: {}, directResponse: { status: 200, body: 'new' } }],
          },
        ],
      },
    ],
  });
  t.is(await (await fetch(`http://${bound}/`)).text(), 'new');
  go.resolve();
  const response = await within(answer, 'the answer of before');
  t.is(response.headers.get('x-config'), 'one');
  t.is(await response.text(), 'late');
});

test('ejections, health and overflow counts of a cluster survive a reload', async (t) => {
  const dead = await deadAddress();
  const { address } = await upstream(t, echo);
  const config = (timeoutMs: number): MeshConfig => ({
    clusters: [
      {
        name: 'users',
        endpoints: [dead, address],
        outlierDetection: { consecutiveErrors: 1, baseEjectionMs: 300_000, maxEjectionPercent: 50 },
      },
    ],
    inProcess: { virtualHosts: routesTo('users', { timeoutMs }) },
  });
  await using mesh = await createMesh(config(1000));
  for (let i = 0; i < 2; i++) await mesh.request({ authority: 'users' }).catch(() => undefined);
  const ejected = (): number => mesh.clusters.get('users')?.stats().ejected ?? -1;
  t.is(ejected(), 1);
  await ok(t, mesh, config(2000));
  t.is(ejected(), 1);
  for (let i = 0; i < 4; i++) t.is((await mesh.request({ authority: 'users' })).status, 200);
});

test('hosts that stay keep their connections when others come and go', async (t) => {
  const stays = await upstream(t, (_request, response) => void response.end('stays'));
  const goes = await upstream(t, (_request, response) => void response.end('goes'));
  const config = (endpoints: string[]): MeshConfig => ({ clusters: [{ name: 'users', endpoints }] });
  await using mesh = await createMesh(config([stays.address, goes.address]));
  for (let i = 0; i < 4; i++) await (await mesh.request({ authority: 'users' })).text();
  const [socket] = [...stays.sockets];
  await ok(t, mesh, config([stays.address]));
  await eventually(() => goes.sockets.size === 0, 'the connection of the host that left is closed');
  for (let i = 0; i < 4; i++) t.is(await (await mesh.request({ authority: 'users' })).text(), 'stays');
  t.deepEqual([...stays.sockets], [socket]);
});

test('a bad reload lists its problems and changes nothing', async (t) => {
  const { address } = await upstream(t, echo);
  const config: MeshConfig = {
    listeners: [{ name: 'in', address: '127.0.0.1:0', virtualHosts: routesTo('users') }],
    clusters: [{ name: 'users', endpoints: [address] }],
  };
  await using mesh = await createMesh(config);
  const before = { dump: mesh.dump(), bound: mesh.listeners.addresses['in'] as string };
  const result = await mesh.reload({
    ...config,
    listeners: [{ name: 'in', address: 'nonsense', virtualHosts: routesTo('user') }],
  });
  t.false(result.applied);
  t.deepEqual(
    result.problems.map((each) => each.path),
    ['listeners[0].address', 'listeners[0].virtualHosts[0].routes[0].cluster'],
  );
  t.deepEqual(mesh.dump(), before.dump);
  t.is((await get(before.bound)).status, 200);
});

test('a reload whose port is taken is refused and leaves nothing behind', async (t) => {
  const { address } = await upstream(t, echo);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const path = freshSocketPath();
  const config: MeshConfig = {
    listeners: [{ name: 'in', address: '127.0.0.1:0', virtualHosts: routesTo('users') }],
    clusters: [{ name: 'users', endpoints: [address] }],
  };
  await using mesh = await createMesh(config);
  const dump = mesh.dump();
  const reload = mesh.reload({
    listeners: [
      { name: 'in', address: '127.0.0.1:0', virtualHosts: routesTo('other') },
      { name: 'first', address: `unix:${path}`, virtualHosts: routesTo('other') },
      { name: 'second', address: `127.0.0.1:${port}`, virtualHosts: routesTo('other') },
    ],
    clusters: [{ name: 'other' }],
  });
  t.like(await t.throwsAsync(reload, { instanceOf: HeddleError }), { code: 'ERR_LISTENER_ADDRESS' });
  t.deepEqual(mesh.dump(), dump);
  t.deepEqual(Object.keys(mesh.listeners.addresses), ['in']);
  t.is(mesh.clusters.get('other'), null);
  t.is((await get(mesh.listeners.addresses['in'] as string)).status, 200);
  t.false(existsSync(path));
});

test('a removed listener closes its port and finishes what it carries; an added one opens', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { address } = await upstream(t, (request, response) => {
    if (request.url !== '/slow') return void response.end('fast');
    arrived.resolve();
    void go.promise.then(() => response.end('slow'));
  });
  const listener = (name: string) => ({ name, address: '127.0.0.1:0', virtualHosts: routesTo('users') });
  const clusters = [{ name: 'users', endpoints: [address] }];
  await using mesh = await createMesh({ listeners: [listener('one')], clusters });
  const one = mesh.listeners.addresses['one'] as string;
  const slow = fetch(`http://${one}/slow`);
  await within(arrived.promise, 'the slow request');
  await ok(t, mesh, { listeners: [listener('two')], clusters });
  t.deepEqual(Object.keys(mesh.listeners.addresses), ['two']);
  t.is((await get(mesh.listeners.addresses['two'] as string)).text, 'fast');
  await t.throwsAsync(get(one), { code: 'ECONNREFUSED' });
  go.resolve();
  t.is(await (await within(slow, 'the slow answer')).text(), 'slow');
});

test('a listener whose codec settings change keeps its port: nobody is refused and requests in flight end', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { address } = await upstream(t, (request, response) => {
    if (request.url !== '/slow') return void response.end('fast');
    arrived.resolve();
    void go.promise.then(() => response.end('slow'));
  });
  const clusters = [{ name: 'users', endpoints: [address] }];
  const config = (listener: object): MeshConfig => ({
    listeners: [{ name: 'in', address: '127.0.0.1:0', virtualHosts: routesTo('users'), ...listener }],
    clusters,
  });
  await using mesh = await createMesh(config({}));
  const bound = mesh.listeners.addresses['in'] as string;
  const fixed = { address: bound };
  await ok(t, mesh, config(fixed));
  const slow = fetch(`http://${bound}/slow`);
  await within(arrived.promise, 'the slow request');
  const codec = { codec: { name: 'http1', config: { maxDrainBytes: 1 } } };
  await ok(t, mesh, config({ ...fixed, ...codec }));
  t.is(mesh.listeners.addresses['in'], bound);
  t.is((await get(bound)).text, 'fast');
  await ok(t, mesh, config({ ...fixed, ...codec, limits: { backlog: 7 } }));
  t.is((await get(bound)).text, 'fast');
  const renamed = await mesh.reload({
    listeners: [{ name: 'renamed', ...fixed, virtualHosts: routesTo('users') }],
    clusters,
  });
  t.true(renamed.applied);
  t.deepEqual(mesh.listeners.addresses, { renamed: bound });
  t.is((await get(bound)).text, 'fast');
  go.resolve();
  t.is(await (await within(slow, 'the slow answer')).text(), 'slow');
});

test('reloads run one after the other, the last one wins, and none binds a port twice', async (t) => {
  const free = await deadAddress();
  await using mesh = await createMesh();
  const reload = (body: string) =>
    mesh.reload({
      listeners: [
        {
          name: 'in',
          address: free,
          virtualHosts: [
            { name: 'all', domains: ['*'], routes: [{ match: {}, directResponse: { status: 200, body } }] },
          ],
        },
      ],
    });
  const results = await Promise.all(['one', 'two', 'three'].map(reload));
  t.deepEqual(
    results.map((each) => each.applied),
    [true, true, true],
  );
  t.is((await get(free)).text, 'three');
});

test('a closed mesh and one that drains refuse a reload, and a close in the middle leaves nothing open', async (t) => {
  const path = freshSocketPath();
  const mesh = await createMesh();
  const config: MeshConfig = {
    listeners: [{ name: 'in', address: `unix:${path}`, virtualHosts: routesTo('users') }],
    clusters: [{ name: 'users' }],
  };
  const reloading = mesh.reload(config);
  await mesh.close();
  const outcome = await reloading.then(
    () => 'applied',
    (error: HeddleError) => error.code,
  );
  t.is(outcome, 'ERR_MESH_CLOSED');
  t.like(await t.throwsAsync(mesh.reload(config)), { code: 'ERR_MESH_CLOSED' });
  t.false(existsSync(path));
});

test('a handler and its cluster survive reloads that do not name them', async (t) => {
  await using mesh = await createMesh({ clusters: [{ name: 'app' }] });
  mesh.handle('app', () => new Response('here'));
  await ok(t, mesh, {});
  t.is(await (await mesh.fetch('http://app/')).text(), 'here');
  await ok(t, mesh, { clusters: [{ name: 'app', connectTimeoutMs: 100 }] });
  t.is(await (await mesh.fetch('http://app/')).text(), 'here');
});

test('a cluster that is dialled anew drains its old connections and loses no request', async (t) => {
  const held: (() => void)[] = [];
  const { address, sockets } = await upstream(t, (request, response) => {
    if (request.url === '/held') held.push(() => response.end('held'));
    else echo(request, response);
  });
  const config = (connectTimeoutMs: number): MeshConfig => ({
    clusters: [{ name: 'users', endpoints: [address], connectTimeoutMs }],
  });
  await using mesh = await createMesh(config(1000));
  const slow = mesh.request({ authority: 'users', path: '/held' });
  await eventually(() => held.length === 1, 'the held request');
  await ok(t, mesh, config(2000));
  const quick = (await (await mesh.request({ authority: 'users', path: '/quick' })).json()) as Echoed;
  t.is(quick.url, '/quick');
  held[0]?.();
  t.is(await (await within(slow, 'the held answer')).text(), 'held');
  await eventually(() => sockets.size === 1, 'the old connection closes');
});

test('a listener on an address that another of its own listeners had before takes the socket over', async (t) => {
  const { address } = await tcpUpstream(t, (socket) => void socket.resume());
  const [a, b] = [await deadAddress(), await deadAddress()];
  const answer = (name: string, at: string) => ({
    name,
    address: at,
    virtualHosts: [
      { name: 'all', domains: ['*'], routes: [{ match: {}, directResponse: { status: 200, body: name } }] },
    ],
  });
  await using mesh = await createMesh({
    listeners: [answer('one', a), answer('two', b)],
    clusters: [{ name: 'x', endpoints: [address] }],
  });
  await ok(t, mesh, { listeners: [answer('one', b), answer('two', a)] });
  t.is((await get(a)).text, 'two');
  t.is((await get(b)).text, 'one');
});
