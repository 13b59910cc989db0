import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FakeClock } from '../../src/testing/index.ts';
import { MemoryLogger } from '../core/cluster/support.ts';
import { answers, meshOf, type Named, servers, who, yaml } from './cluster-support.ts';
import { eventually } from './support.ts';

const cluster = (all: readonly Named[], sharding: string, more = '', head = ''): string => `
${head}
clusters:
  - name: users
    endpoints:
${all.map(({ address }, i) => `      - { address: "${address}", zone: ${i % 2 === 0 ? 'x' : 'y'} }`).join('\n')}
    sharding: ${sharding}
    panicThresholdPercent: 0
    ${more}
`;

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'heddle-shard-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

for (const [title, sharding, size] of [
  ['a fraction', '{ fraction: 0.5 }', 3],
  ['a number', '{ size: 2 }', 2],
  ['connections a server', '{ connectionsPerServer: 4, clients: 6 }', 4],
  ['at least so many', '{ fraction: 0.1, minSize: 2 }', 2],
  ['MOSN’s ring', '{ scheme: ring, ringPoints: 160, size: 2 }', 2],
  ['maglev', '{ scheme: maglev, size: 2 }', 2],
  ['slots', '{ scheme: slots, clientIndex: 4, size: 2 }', 2],
] as const) {
  test(`a mesh uses its part of the list: ${title}`, async (t) => {
    const all = await servers(t, 6);
    const head = 'node: { id: pod-1 }';
    const mesh = await meshOf(t, cluster(all, sharding, '', head));
    const part = Object.keys(await answers(mesh, 24)).sort();
    t.is(part.length, size);
    const twin = await meshOf(t, cluster(all.toReversed(), sharding, '', head));
    t.deepEqual(Object.keys(await answers(twin, 24)).sort(), part, 'whatever the order of the list');
    t.is(mesh.clusters.get('users')?.hostSet.all.length, size, 'nothing of the rest is held');
  });
}

test('another mesh uses another part; the own zone comes first', async (t) => {
  const all = await servers(t, 12);
  const parts = new Set<string>();
  for (let i = 0; i < 6; i++) {
    const mesh = await meshOf(t, cluster(all, `{ size: 3, clientKey: pod-${i} }`));
    parts.add(
      Object.keys(await answers(mesh, 12))
        .sort()
        .join(),
    );
  }
  t.true(parts.size > 2, [...parts].join(' '));
  const near = await meshOf(t, cluster(all, '{ size: 4, clientKey: a }', '', 'node: { zone: y }'));
  const names = Object.keys(await answers(near, 16));
  t.true(
    names.every((name) => ['b', 'd', 'f', 'h', 'j', 'l'].includes(name)),
    names.join(),
  );
});

test('a spare stands in for a host that checks find ill, as long as it is', async (t) => {
  const all = await servers(t, 5);
  const check =
    'healthCheck: { name: http, config: { path: /health }, intervalMs: 20, noTrafficIntervalMs: 20, healthyThreshold: 1, unhealthyThreshold: 1 }';
  const mesh = await meshOf(t, cluster(all, '{ size: 2, clientKey: pod-1 }', check));
  const part = Object.keys(await answers(mesh, 8));
  t.is(part.length, 2);
  const ill = all.find((each) => each.name === part[0]) as Named;
  ill.health = 503;
  const available = () => mesh.clusters.get('users')?.stats().available;
  const hosts = () => mesh.clusters.get('users')?.stats().hosts;
  await eventually(() => hosts() === 3 && available() === 2, 'a spare joins');
  const now = Object.keys(await answers(mesh, 8));
  t.is(now.length, 2);
  t.false(now.includes(ill.name));
  ill.health = 200;
  await eventually(() => hosts() === 2 && available() === 2, 'the spare leaves');
  t.deepEqual(Object.keys(await answers(mesh, 8)).sort(), part.sort());
});

test('ejected hosts have spares too, and a reload of the list does not forget them', async (t) => {
  const all = await servers(t, 5);
  const outlier = 'outlierDetection: { consecutiveErrors: 2, maxEjectionPercent: 100 }';
  const text = cluster(all, '{ size: 2, clientKey: pod-1, spares: 1 }', outlier);
  const mesh = await meshOf(t, text);
  const [first] = Object.keys(await answers(mesh, 8));
  const ill = all.find((each) => each.name === first) as Named;
  ill.status = 500;
  await answers(mesh, 8);
  t.like(mesh.clusters.get('users')?.stats(), { hosts: 3, available: 2, ejected: 1 });
  const changed = text.replace('zone: x', 'zone: z');
  t.true((await mesh.reload(yaml(changed))).applied);
  t.like(mesh.clusters.get('users')?.stats(), { hosts: 3, available: 2, ejected: 1 });
});

test('last good lists: a start serves while the registry is down, and says so', async (t) => {
  const folder = directory(t);
  const [server] = (await servers(t, 1)) as [Named];
  const lists = join(folder, 'services.yaml');
  writeFileSync(lists, `services: { users: ["${server.address}"] }\n`);
  const text = `
lastGood: { directory: ${folder} }
clusters:
  - { name: users, discovery: { name: file, config: { path: ${lists} } } }
  - { name: fixed, discovery: { name: static, config: { endpoints: ["${server.address}"] } } }
`;
  const first = await meshOf(t, text);
  t.is(await who(first), 'a');
  await first.close();
  const [kept, ...more] = readdirSync(folder).filter((name) => name.endsWith('.json'));
  t.deepEqual(more, [], 'what stands in the configuration is not kept');
  t.regex(kept ?? '', /^file-[0-9a-f]{16}\.json$/);
  t.is(statSync(join(folder, kept as string)).mode & 0o777, 0o600);
  t.true(readFileSync(join(folder, kept as string), 'utf8').includes(server.address));
  rmSync(lists);
  const logger = new MemoryLogger();
  const second = await meshOf(t, text, { logger });
  t.is(await who(second), 'a');
  const registry = second.clusters.registries.health().find((each) => each.name === 'file');
  t.is(registry?.health.status, 'degraded');
  t.regex(registry?.health.reason ?? '', /users comes from/);
  const without = text.replace(/lastGood.*\n/, '');
  const clock = new FakeClock();
  const starting = meshOf(t, without, { logger, clock });
  await eventually(() => {
    clock.advance(500);
    return logger.lines.some((line) => line.message === 'no service list yet');
  }, 'the start gives up');
  const third = await starting;
  t.is(await who(third), 'no_host', 'without a directory nothing is remembered');
});
