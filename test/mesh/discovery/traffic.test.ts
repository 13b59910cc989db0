import test from 'ava';
import { MemorySources } from '../../../src/testing/memory-sources.ts';
import { eventually } from '../support.ts';
import { addressesOf, counted, keepCalling, meshOn, putInstance, putUrl, removeUrl } from './support.ts';

test('a service moves between the levels and back while calls go on, and none of them is lost', async (t) => {
  const servers = await counted(t, 4);
  const [a, b, c, d] = servers.map(({ address }) => address) as [string, string, string, string];
  const sources = new MemorySources();
  for (const address of [a, b]) putUrl(sources, address);
  for (const address of [b, c]) putInstance(sources, address);
  const mesh = await meshOn(t, sources, { application: 'me', migration: { step: 'FORCE_INTERFACE' } });
  const traffic = keepCalling(mesh);
  for (const [text, expected] of [
    ['step: APPLICATION_FIRST', [b, c]],
    ['step: FORCE_APPLICATION', [b, c]],
    ['step: FORCE_INTERFACE', [a, b]],
    ['step: APPLICATION_FIRST\nproportion: 50', [a, b, c]],
    ['step: FORCE_INTERFACE\nforce: true', [a, b]],
    ['step: FORCE_APPLICATION', [b, c]],
  ] as const) {
    sources.put('rules', 'me', 'rule', text);
    await eventually(() => String(addressesOf(mesh)) === String(expected.toSorted()), text);
  }
  putInstance(sources, d);
  await eventually(() => (servers[3]?.calls ?? 0) > 0, 'calls to the new host');
  const { calls, failures } = await traffic.stop();
  t.deepEqual(failures, []);
  t.true(calls > 100, `${calls} calls`);
  t.true(servers.every((server) => server.calls > 0));
});

test('a registry that dies and comes back under traffic costs no call', async (t) => {
  const servers = await counted(t, 3);
  const [a, b, c] = servers.map(({ address }) => address) as [string, string, string];
  const sources = new MemorySources();
  for (const address of [a, b]) putInstance(sources, address);
  const mesh = await meshOn(t, sources, {});
  const traffic = keepCalling(mesh);
  for (let i = 0; i < 3; i++) {
    sources.cutOff('connection lost');
    await eventually(() => mesh.clusters.registries.health()[0]?.health.status === 'degraded', 'trouble');
    t.deepEqual(addressesOf(mesh), [a, b].toSorted());
    sources.reconnect();
    await eventually(() => mesh.clusters.registries.health()[0]?.health.status === 'ok', 'recovery');
  }
  sources.cutOff('connection lost');
  putInstance(sources, c);
  sources.reconnect();
  await eventually(() => addressesOf(mesh).length === 3, 'the new host');
  const { failures } = await traffic.stop();
  t.deepEqual(failures, []);
});

test('with a sharded list connections open and close only for what changed in the part', async (t) => {
  const servers = await counted(t, 24);
  const byAddress = new Map(servers.map((server) => [server.address, server]));
  const sources = new MemorySources();
  for (const { address } of servers.slice(0, 20)) putUrl(sources, address);
  const mesh = await meshOn(
    t,
    sources,
    { migration: { step: 'FORCE_INTERFACE' } },
    { sharding: { fraction: 0.5, clientKey: 'me' }, pool: { preconnect: 1 } },
  );
  const open = (): string[] =>
    servers
      .filter(({ sockets }) => sockets.size > 0)
      .map(({ address }) => address)
      .toSorted();
  await eventually(() => open().length === 10, 'ten connections');
  let before = addressesOf(mesh);
  t.deepEqual(open(), before, 'a connection to each of the part, none to the rest');

  for (const change of [
    () => putUrl(sources, servers[20]?.address ?? ''),
    () => removeUrl(sources, before[0] ?? ''),
    () => {
      for (const { address } of servers.slice(21)) putUrl(sources, address);
    },
    () => removeUrl(sources, servers.find(({ address }) => !before.includes(address))?.address ?? ''),
  ]) {
    const opened = new Map(servers.map((server) => [server.address, server.opened]));
    const version = mesh.clusters.get('users')?.hostSet.version;
    change();
    const size = Math.ceil(sources.list('interfaces', 'a.B').length / 2);
    await eventually(() => addressesOf(mesh).length === size, `${size} hosts`);
    await eventually(() => String(open()) === String(addressesOf(mesh)), 'connections as hosts');
    const after = addressesOf(mesh);
    const added = after.filter((address) => !before.includes(address));
    const kept = after.filter((address) => before.includes(address));
    t.true(added.length + before.length - kept.length <= 4, `${version}: ${added.length} came`);
    for (const address of kept) {
      t.is(byAddress.get(address)?.opened, opened.get(address), 'a connection that was there stays');
    }
    for (const address of added) t.is(byAddress.get(address)?.opened, (opened.get(address) ?? 0) + 1);
    before = after;
  }
});

test('health flaps open no connection and make no balancer anew', async (t) => {
  const servers = await counted(t, 6);
  const sources = new MemorySources();
  for (const { address } of servers) putUrl(sources, address);
  const mesh = await meshOn(
    t,
    sources,
    { migration: { step: 'FORCE_INTERFACE' } },
    { pool: { preconnect: 1 }, panicThresholdPercent: 0 },
  );
  await eventually(() => servers.every(({ sockets }) => sockets.size === 1), 'a connection each');
  const cluster = mesh.clusters.get('users');
  const traffic = keepCalling(mesh, 1);
  for (let i = 0; i < 200; i++) {
    cluster?.setHealthy(servers[i % 6]?.address ?? '', i % 2 === 0);
    t.not(cluster?.hostSet.changes, null, 'a picker is told what changed, it looks at nothing else');
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { failures } = await traffic.stop();
  t.deepEqual(failures, []);
  t.deepEqual(
    servers.map(({ opened }) => opened),
    [1, 1, 1, 1, 1, 1],
  );
});

test('what a mesh published is taken back when it drains, before it stops to answer', async (t) => {
  const sources = new MemorySources();
  const [server] = await counted(t, 1);
  putUrl(sources, server?.address ?? '');
  const mesh = await meshOn(t, sources, { application: 'shop' });
  const at = { name: 'test', config: mesh.config.clusters[0]?.discovery?.config };
  const endpoint = { address: '127.0.0.1:9', weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' };
  const published = mesh.clusters.registries.publish(at, { service: 'a.C', endpoint });
  await published.ready;
  t.is(sources.list('instances', 'shop').length, 1);
  await mesh.drain(1000);
  t.is(sources.list('instances', 'shop').length, 0);
  t.is(sources.listeners, 0);
});

test('/clusters says where hosts come from and why they may not be the newest', async (t) => {
  const sources = new MemorySources();
  const [server] = await counted(t, 1);
  putUrl(sources, server?.address ?? '');
  const mesh = await meshOn(t, sources, {});
  const discovery = mesh.config.clusters[0]?.discovery;
  if (discovery === undefined) return t.fail();
  t.is(mesh.clusters.registries.troubleOf(discovery), '');
  sources.cutOff('session expired');
  t.is(mesh.clusters.registries.troubleOf(discovery), 'session expired');
  t.deepEqual(addressesOf(mesh), [server?.address]);
});
