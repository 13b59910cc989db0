import test from 'ava';
import { createMesh, type Mesh, type MeshConfig } from '../../src/index.ts';
import { BoltPeer, boltServer } from './bolt-peer.ts';
import { eventually, type Teardown } from './support.ts';

const hello = { headers: { service: 'demo.Hello:1.0', sofa_head_method_name: 'say' } };

type Filters = NonNullable<NonNullable<MeshConfig['listeners']>[number]['filters']>;

/** A listener whose calls may be repeated: no log, no trace. */
function configOf(clusters: Readonly<Record<string, string>>, cluster: string, filters: Filters): MeshConfig {
  return {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'bolt',
        tracing: { enabled: false },
        filters,
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster }] }],
      },
    ],
    clusters: Object.entries(clusters).map(([name, address]) => ({
      name,
      codec: 'bolt',
      endpoints: [address],
    })),
    log: { level: 'off' },
  };
}

async function meshOf(t: Teardown, config: MeshConfig): Promise<{ mesh: Mesh; address: string }> {
  const mesh = await createMesh(config);
  t.teardown(() => mesh.close());
  return { mesh, address: mesh.listeners.addresses['in'] as string };
}

/** How many calls took the short way. */
function repeatedIn(mesh: Mesh): () => number {
  const { repeater } = mesh.runtime.proxy;
  const repeat = repeater.repeat.bind(repeater);
  let count = 0;
  repeater.repeat = (...call) => {
    const isRepeated = repeat(...call);
    if (isRepeated) count++;
    return isRepeated;
  };
  return () => count;
}

const counter = (mesh: Mesh, name: string): number =>
  mesh.runtime.metrics
    .totals()
    .series.filter((each) => each.name === name)
    .reduce((sum, each) => sum + (each.values[0] ?? 0), 0);

test('filters count and limit every call of a head that comes again and again', async (t) => {
  const server = await boltServer(t, (request) => ({ content: request.text.slice(-3) }));
  const { mesh, address } = await meshOf(
    t,
    configOf({ one: server.address }, 'one', [
      { name: 'ip-access', config: { allow: ['127.0.0.1'] } },
      { name: 'payload-limit', config: { maxBytes: 100 } },
      { name: 'local-rate-limit', config: { bucket: { maxTokens: 20, fillIntervalMs: 3_600_000 } } },
      { name: 'header-mutation', config: { removeRequestHeaders: ['internal'] } },
      { name: 'fault', config: { abort: { status: 503, percent: 0 } } },
    ]),
  );
  const repeated = repeatedIn(mesh);
  const peer = new BoltPeer(t, address);
  const statuses: number[] = [];
  for (let i = 0; i < 25; i++) {
    const answer = await peer.call({ ...hello, content: `call ${String(i).padStart(3, '0')}` });
    statuses.push(answer.status);
    if (answer.status === 0) t.is(answer.text.slice(-3), String(i).padStart(3, '0'));
  }
  t.deepEqual(statuses, [...new Array<number>(20).fill(0), ...new Array<number>(5).fill(4)]);
  t.is(server.requests.length, 20);
  t.is(repeated(), 19, 'the third to the twentieth, and the first that was refused');
  t.is(new Set(server.requests.map(({ id }) => id)).size, 20, 'ids of our own');
  t.is(counter(mesh, 'heddle_filter_ip_access_allowed_total'), 25);
  t.is(counter(mesh, 'heddle_filter_payload_limit_checked_total'), 25);
  t.is(counter(mesh, 'heddle_filter_local_rate_limit_passed_total'), 20);
  t.is(counter(mesh, 'heddle_filter_local_rate_limit_limited_total'), 5);
  t.is(counter(mesh, 'heddle_filter_header_mutation_applied_total'), 20);
  t.is(counter(mesh, 'heddle_filter_fault_checked_total'), 20);
  t.is(counter(mesh, 'heddle_downstream_requests_total'), 25);
  t.is(counter(mesh, 'heddle_cluster_requests_total'), 20);
  t.is(counter(mesh, 'heddle_cluster_active'), 0);
});

test('a call of a known head is refused for its own size and its own sender', async (t) => {
  const server = await boltServer(t);
  const { mesh, address } = await meshOf(
    t,
    configOf({ one: server.address }, 'one', [
      { name: 'ip-access', config: { deny: ['127.0.0.2'] } },
      { name: 'payload-limit', config: { maxBytes: 100 } },
    ]),
  );
  const [friend, foe] = [new BoltPeer(t, address), new BoltPeer(t, address, '127.0.0.2')];
  for (let i = 0; i < 4; i++) {
    t.is((await friend.call({ ...hello, content: 'x'.repeat(i * 30) })).status, 0);
    t.is((await foe.call(hello)).status, 2, 'as status 403');
    t.is((await friend.call({ ...hello, content: 'x'.repeat(101) })).status, 9, 'as status 413');
  }
  t.is(server.requests.length, 4);
  t.deepEqual(
    server.requests.map(({ text }) => /x*$/.exec(text)?.[0].length),
    [0, 30, 60, 90],
  );
  t.is(counter(mesh, 'heddle_filter_ip_access_denied_total'), 4);
});

test('a head that was known goes where a reload says, and nowhere without its cluster', async (t) => {
  const [a, b] = await Promise.all([
    boltServer(t, () => ({ content: 'from a' })),
    boltServer(t, () => ({ content: 'from b' })),
  ]);
  const clusters = { a: a.address, b: b.address };
  const { mesh, address } = await meshOf(t, configOf(clusters, 'a', []));
  const peer = new BoltPeer(t, address);
  const ask = async (): Promise<string[]> => {
    const texts: string[] = [];
    for (let i = 0; i < 4; i++) texts.push((await peer.call(hello)).text.slice(-6));
    return texts;
  };
  const four = (text: string): string[] => new Array<string>(4).fill(text);
  t.deepEqual(await ask(), four('from a'));
  await mesh.reload(configOf(clusters, 'b', []));
  t.deepEqual(await ask(), four('from b'));
  await mesh.reload(configOf(clusters, 'b', [{ name: 'fault', config: { abort: { status: 404 } } }]));
  t.is((await peer.call(hello)).status, 6);
  t.is(b.requests.length, 4);
});

test('calls of a known head whose upstream is gone, silent or full get the same answers as any', async (t) => {
  let isSilent = false;
  const server = await boltServer(t, () => (isSilent ? null : {}));
  const config = configOf({ one: server.address }, 'one', []);
  const { mesh, address } = await meshOf(t, {
    ...config,
    clusters: (config.clusters ?? []).map((each) => ({ ...each, circuitBreakers: { maxRequests: 3 } })),
  });
  const peer = new BoltPeer(t, address);
  const timed = { ...hello, word: 150 };
  for (let i = 0; i < 4; i++) t.is((await peer.call(timed)).status, 0);
  isSilent = true;
  const statuses = (await Promise.all([1, 2, 3, 4, 5].map(() => peer.call(timed)))).map(
    ({ status }) => status,
  );
  t.deepEqual(statuses.toSorted(), [4, 4, 7, 7, 7], 'two beyond the breaker at once, three timed out');
  const sent = server.requests.length;
  const lost = [peer.call(hello), peer.call(hello)];
  await eventually(() => server.requests.length === sent + 2, 'both requests');
  isSilent = false;
  for (const socket of server.sockets) socket.destroy();
  t.deepEqual(
    (await Promise.all(lost)).map(({ status }) => status),
    [16, 16],
    'CONNECTION_CLOSED',
  );
  for (let i = 0; i < 3; i++) t.is((await peer.call(timed)).status, 0, 'and another connection serves');
  t.is(counter(mesh, 'heddle_cluster_active'), 0);
  t.is(mesh.runtime.proxy.active, 0);
});
