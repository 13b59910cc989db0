import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { MeshApi, MeshConfig } from '../../../src/index.ts';
import { echo, eventually, type Teardown, upstream, within } from '../support.ts';
import { type Mode, modes, startMesh } from './modes.ts';

const listenTo = (cluster: string, address = '127.0.0.1:0'): MeshConfig['listeners'] => [
  {
    name: 'in',
    address,
    virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster }] }],
  },
];

const canConnect = async (address: string): Promise<boolean> => {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};

const closedAfter = (t: Teardown, mesh: MeshApi): MeshApi => {
  t.teardown(() => mesh.close());
  return mesh;
};

/** Starting a thread costs a second of CPU from sources: tests that need no mesh of their own share one a mode. */
const shared = new Map<Mode, MeshApi>();
const sharedOf = (mode: Mode): MeshApi => shared.get(mode) as MeshApi;

test.before(async () => {
  for (const mode of modes) {
    const ingress = { filters: ['request-id'] };
    const config = { listeners: listenTo('app'), clusters: [{ name: 'app' }], ingress };
    shared.set(mode, await startMesh(mode, config));
  }
});

test.after.always(async () => {
  for (const mesh of shared.values()) await mesh.close();
});

for (const mode of modes) {
  test(`${mode}: handlers of this thread serve calls and listeners, stream both ways and hear of aborts`, async (t) => {
    const mesh = sharedOf(mode);
    mesh.handle('app', async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const facts = { method: request.method, path: pathname + search, body, a: request.headers.get('x-a') };
      return Response.json(facts, { status: 201, headers: { 'x-b': 'c' } });
    });
    mesh.handle('echo', (request) => new Response(request.body));
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    mesh.handle('waits', (request) => {
      request.signal.addEventListener('abort', () => aborted.resolve());
      started.resolve();
      return new Promise(() => {});
    });
    mesh.handle('broken', () => {
      throw new Error('no');
    });
    const init = { method: 'POST', body: 'hello', headers: { 'x-a': '1' } };
    for (const call of [
      mesh.fetch('http://app/p?q', init),
      fetch(`http://${mesh.listeners.addresses['in']}/p?q`, init),
    ]) {
      const response = await call;
      t.is(response.status, 201);
      t.is(response.headers.get('x-b'), 'c');
      t.deepEqual(await response.json(), { method: 'POST', path: '/p?q', body: 'hello', a: '1' });
    }
    const steps: string[] = [];
    const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const [i, step] of next.entries()) {
        steps.push(`send ${i}`);
        yield Buffer.from(`part ${i}`);
        await step.promise;
      }
    }
    const response = await within(
      mesh.request({ authority: 'echo', method: 'POST', body: body() }),
      'the head before the body is complete',
    );
    let i = 0;
    for await (const chunk of response.body) {
      steps.push(`got ${chunk.toString()}`);
      next[i++]?.resolve();
    }
    t.deepEqual(steps, ['send 0', 'got part 0', 'send 1', 'got part 1']);
    const controller = new AbortController();
    const call = mesh.request({ authority: 'waits', signal: controller.signal });
    await within(started.promise, 'the handler starts');
    // Nobody but the mesh holds the request now, and Node forgets the signal of a request that is gone.
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await turn();
    }
    controller.abort();
    t.like(await t.throwsAsync(call), { code: 'ERR_REQUEST_ABORTED' });
    await within(aborted.promise, 'the signal of the handler');
    t.like(await t.throwsAsync(mesh.request({ authority: 'broken' })), { code: 'ERR_UPSTREAM_RESET' });
  });

  test(`${mode}: a handler writes no faster than its caller reads`, async (t) => {
    const mesh = sharedOf(mode);
    let made = 0;
    const total = 4096;
    mesh.handle('big', () => {
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (made++ === total) controller.close();
          else controller.enqueue(new Uint8Array(16_384));
        },
      });
      return new Response(stream);
    });
    const response = await mesh.request({ authority: 'big' });
    let before = -1;
    let quiet = 0;
    await eventually(() => {
      quiet = made === before ? quiet + 1 : 0;
      before = made;
      return quiet > 20;
    }, 'the handler stops writing');
    t.true(made < 300, `${made} chunks of 16 KiB were made for nobody`);
    let bytes = 0;
    for await (const chunk of response.body) bytes += chunk.length;
    t.is(bytes, total * 16_384);
  });

  test(`${mode}: methods are called and provided, by Bolt and by Dubbo, with errors as they were thrown`, async (t) => {
    const mesh = sharedOf(mode);
    for (const protocol of ['bolt', 'dubbo'] as const) {
      const service = `com.example.${protocol}.Greeter`;
      const provided = await mesh.serveRpc({
        protocol,
        service,
        address: '127.0.0.1:0',
        methods: {
          greet: (name: string, times: number) => `${'hello '.repeat(times)}${name}`,
          big: (text: string) => text.repeat(2),
          fails: () => {
            throw new Error('not today');
          },
        },
      });
      const greeter = mesh.rpc({ protocol, service });
      t.is(await greeter.invoke('greet', ['ann', 2]), 'hello hello ann');
      const long = 'x'.repeat(300_000);
      t.is(await greeter.invoke('big', [long]), long + long);
      t.like(await t.throwsAsync(greeter.invoke('fails')), { code: 'ERR_RPC_EXCEPTION' });
      t.like(await t.throwsAsync(greeter.invoke('nothing')), { code: 'ERR_RPC_REFUSED' });
      t.like(await t.throwsAsync(greeter.invoke('greet', [Symbol('no')])), { code: 'ERR_RPC_VALUE' });
      const outside = await startMesh('inProcess', {
        clusters: [{ name: service, endpoints: [provided.address], codec: protocol }],
      });
      t.is(await outside.rpc({ protocol, service }).invoke('greet', ['bob', 1]), 'hello bob');
      await outside.close();
      await provided.close();
      await eventually(async () => !(await canConnect(provided.address)), 'the address is free');
    }
  });

  test(`${mode}: a reload takes over or changes nothing, and says so`, async (t) => {
    const one = await upstream(t, (_request, response) => void response.end('one'));
    const two = await upstream(t, (_request, response) => void response.end('two'));
    const config = (address: string): MeshConfig => ({
      listeners: listenTo('users'),
      clusters: [{ name: 'users', endpoints: [address] }],
    });
    const mesh = closedAfter(t, await startMesh(mode, config(one.address)));
    const bound = mesh.listeners.addresses['in'] as string;
    t.is(await (await mesh.fetch('http://users/')).text(), 'one');
    t.deepEqual(await mesh.reload(config(two.address)), { applied: true, problems: [] });
    t.is(await (await mesh.fetch('http://users/')).text(), 'two');
    t.is(await (await fetch(`http://${bound}/`)).text(), 'two');
    t.is(mesh.listeners.addresses['in'], bound);
    t.is(mesh.config.clusters[0]?.endpoints[0]?.address, two.address);
    const refused = await mesh.reload({ clusters: [{ name: 'users', endpoints: ['nowhere'] }] });
    t.false(refused.applied);
    t.is(refused.problems[0]?.path, 'clusters[0].endpoints[0]');
    t.is(await (await mesh.fetch('http://users/')).text(), 'two');
    const taken = { ...config(two.address), listeners: listenTo('users', two.address) } as MeshConfig;
    t.like(await t.throwsAsync(mesh.reload(taken)), { code: 'ERR_LISTENER_ADDRESS' });
    t.true(JSON.stringify(mesh.dump()).includes(two.address));
  });

  test(`${mode}: a configuration with problems is refused with all of them, one that cannot listen with the address`, async (t) => {
    const bad = {
      clusters: [{ name: 'users', endpoints: ['nowhere'], loadBalancer: 'no such' }],
    } as MeshConfig;
    const error = await t.throwsAsync(startMesh(mode, bad));
    t.like(error, { code: 'ERR_CONFIG_INVALID', source: 'config' });
    t.true((error as { context?: { problems?: unknown[] } }).context?.problems?.length === 2);
    const { address } = await upstream(t, echo);
    const taken = { listeners: listenTo('users', address), clusters: [{ name: 'users' }] } as MeshConfig;
    t.like(await t.throwsAsync(startMesh(mode, taken)), { code: 'ERR_LISTENER_ADDRESS' });
  });

  test(`${mode}: drain lets calls and requests finish, close ends them, and both free the port`, async (t) => {
    const held: (() => void)[] = [];
    const { address, sockets } = await upstream(
      t,
      (_request, response) => void held.push(() => response.end('done')),
    );
    const config = { listeners: listenTo('users'), clusters: [{ name: 'users', endpoints: [address] }] };
    const mesh = await startMesh(mode, config);
    const bound = mesh.listeners.addresses['in'] as string;
    const outside = fetch(`http://${bound}/`);
    const inside = mesh.request({ authority: 'users' });
    await eventually(() => held.length === 2, 'both requests at the upstream');
    const drained = mesh.drain(30_000);
    t.true(mesh.isDraining);
    await eventually(async () => !(await canConnect(bound)), 'new connections are refused');
    for (const answer of held) answer();
    t.is(await (await within(outside, 'the answer through the listener')).text(), 'done');
    t.is(await (await within(inside, 'the answer of the call')).text(), 'done');
    await within(drained, 'the drain');
    t.true(mesh.isClosed);
    await within(mesh.closed, 'closed');
    t.like(await t.throwsAsync(mesh.request({ authority: 'users' })), { code: 'ERR_MESH_CLOSED' });

    const other = await startMesh(mode, config);
    const call = other.request({ authority: 'users' });
    await eventually(() => held.length === 3, 'the call at the upstream');
    const failed = t.throwsAsync(call);
    await Promise.all([other.close(), other.close()]);
    t.like(await failed, { code: 'ERR_MESH_CLOSED' });
    await eventually(() => sockets.size === 0, 'the upstream connections close');
  });

  test(`${mode}: a server of this thread is protected, and the calls of its handlers go on with the trace of the request`, async (t) => {
    const mesh = sharedOf(mode);
    mesh.handle('traced', (request) => new Response(request.headers.get('traceparent')));
    const server = createServer((request, response) => {
      void mesh.fetch('http://traced/').then(async (answer) => {
        response.end(JSON.stringify([request.headers['x-request-id'], await answer.text()]));
      });
    });
    const unprotect = mesh.protect(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, connection: 'close' };
    const { port } = server.address() as AddressInfo;
    const [id, position] = (await (await fetch(`http://127.0.0.1:${port}/`, { headers })).json()) as string[];
    t.regex(id ?? '', /^[0-9a-f-]{36}$/);
    t.is(position?.slice(3, 35), traceId);
    t.not(position?.slice(36, 52), 'b7ad6b7169203331');
    const { series } = await mesh.metrics();
    t.true(series.some(({ labels }) => labels['listener'] === 'ingress'));
    unprotect();
  });

  test(`${mode}: health and metrics tell of the parts and the counts`, async (t) => {
    const mesh = sharedOf(mode);
    mesh.handle('counted', () => new Response('fine'));
    await (await mesh.fetch('http://counted/')).text();
    const health = await mesh.health();
    t.true(health.parts.some(({ part, status }) => part === 'cluster counted' && status === 'ok'));
    const { series } = await mesh.metrics();
    const counted = series.find(
      ({ name, labels }) => name === 'heddle_cluster_requests_total' && labels['cluster'] === 'counted',
    );
    t.is(counted?.values[0], 1, JSON.stringify(series.map(({ name }) => name)));
  });
}
