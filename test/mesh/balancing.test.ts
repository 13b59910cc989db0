import test from 'ava';
import { FakeClock } from '../../src/testing/index.ts';
import { answers, meshOf, type Named, servers, who, yaml } from './cluster-support.ts';
import { deadAddress, eventually } from './support.ts';

/** One cluster called users. @param hosts facts of each server @param more further lines of the cluster */
const cluster = (all: readonly Named[], hosts: readonly string[], more: string, head = ''): string => `
${head}
clusters:
  - name: users
    endpoints:
${all.map(({ address }, i) => `      - { address: "${address}", ${hosts[i] ?? ''} }`).join('\n')}
${more
  .trim()
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
`;

const between = (value: number | undefined, low: number, high: number): boolean =>
  value !== undefined && value >= low && value <= high;

test('weights share traffic out; a weight of 0 gets none', async (t) => {
  const all = await servers(t, 3);
  const mesh = await meshOf(t, cluster(all, ['weight: 1', 'weight: 3', 'weight: 0'], ''));
  t.deepEqual(await answers(mesh, 40), { a: 10, b: 30 });
});

test('hosts whose weights are all 0 answer nothing', async (t) => {
  const all = await servers(t, 2);
  const mesh = await meshOf(t, cluster(all, ['weight: 0', 'weight: 0'], 'loadBalancer: leastRequest'));
  t.is(await who(mesh), 'no_host');
});

test('priorities: the next one serves what the first has too few hosts for', async (t) => {
  const all = await servers(t, 3);
  const dead = { ...(all[0] as Named), address: await deadAddress() };
  const outlier = 'outlierDetection: { consecutiveErrors: 1, maxEjectionPercent: 100 }';
  const mesh = await meshOf(
    t,
    cluster([dead, ...all.slice(1)], ['', '', 'priority: 5'], `${outlier}\noverprovisioningPercent: 100`),
  );
  await eventually(async () => (await who(mesh)) === 'connect_failure', 'the dead one is found out');
  const counts = await answers(mesh, 200);
  t.true(between(counts['b'], 60, 140) && between(counts['c'], 60, 140), JSON.stringify(counts));
  t.true(
    (
      await mesh.reload(
        yaml(
          cluster(
            [dead, ...all.slice(1)],
            ['', '', 'priority: 5'],
            `${outlier}\noverprovisioningPercent: 200`,
          ),
        ),
      )
    ).applied,
  );
  t.deepEqual(await answers(mesh, 20), { b: 20 }, 'half of them are enough');
});

test('panic: with too few healthy hosts all get traffic, unless the threshold is 0', async (t) => {
  const all = await servers(t, 4);
  for (const each of all.slice(0, 3)) each.health = 503;
  const check = 'healthCheck: { name: http, config: { path: /health } }';
  const mesh = await meshOf(t, cluster(all, [], check));
  t.deepEqual(await answers(mesh, 8), { a: 2, b: 2, c: 2, d: 2 });
  t.like(mesh.clusters.get('users')?.stats(), { isPanic: true, unhealthy: 3 });
  t.true((await mesh.reload(yaml(cluster(all, [], `${check}\npanicThresholdPercent: 20`)))).applied);
  t.deepEqual(await answers(mesh, 8), { d: 8 });
});

test('locality: shares by weight of the zone', async (t) => {
  const all = await servers(t, 3);
  const zones = ['zone: x', 'zone: y', 'zone: z'];
  const mesh = await meshOf(t, cluster(all, zones, 'locality: { mode: weighted, weights: { x: 3, z: 0 } }'));
  const counts = await answers(mesh, 200);
  t.is(counts['c'], undefined);
  t.true(between(counts['a'], 120, 180), JSON.stringify(counts));
});

test('locality: the own zone first, others for what it cannot bear', async (t) => {
  const all = await servers(t, 4);
  const zones = ['zone: x', 'zone: x', 'zone: y', 'zone: y'];
  const head = 'node: { zone: y }';
  const mesh = await meshOf(t, cluster(all, zones, 'locality: { mode: zoneAware, minHosts: 2 }', head));
  t.deepEqual(await answers(mesh, 20), { c: 10, d: 10 });
  const more = 'locality: { mode: zoneAware, minHosts: 2, callers: { y: 3, x: 1 } }';
  t.true((await mesh.reload(yaml(cluster(all, zones, more, head)))).applied);
  const counts = await answers(mesh, 300);
  const stays = (counts['c'] ?? 0) + (counts['d'] ?? 0);
  t.true(between(stays, 165, 235), `2 of 3 calls stay: ${stays}`);
  t.true((await mesh.reload(yaml(cluster(all, zones, 'locality: { mode: zoneAware }', head)))).applied);
  t.is(Object.keys(await answers(mesh, 20)).length, 4, 'too few hosts to be choosy');
});

test('slow start: a host that joins gets its share step by step', async (t) => {
  const clock = new FakeClock();
  const all = await servers(t, 2);
  const more = 'loadBalancer: { name: roundRobin, config: { slowStart: { windowMs: 60000 } } }';
  const mesh = await meshOf(t, cluster(all.slice(0, 1), [], more), { clock });
  clock.advance(120_000);
  t.deepEqual(await answers(mesh, 4), { a: 4 });
  t.true((await mesh.reload(yaml(cluster(all, [], more)))).applied);
  const early = await answers(mesh, 110);
  t.true(between(early['b'], 8, 12), `a tenth at first: ${JSON.stringify(early)}`);
  clock.advance(30_000);
  const half = await answers(mesh, 90);
  t.true(between(half['b'], 27, 33), JSON.stringify(half));
  clock.advance(30_000);
  t.deepEqual(await answers(mesh, 20), { a: 10, b: 10 });
});

for (const balancer of [
  '{ name: ringHash, config: { key: [{ header: x-user }], minRingSize: 2048, maxRingSize: 4096 } }',
  '{ name: maglev, config: { key: [{ header: x-user }] } }',
  '{ name: rendezvous, config: { key: [{ header: x-user }] } }',
]) {
  test(`a key keeps its host: ${balancer}`, async (t) => {
    const all = await servers(t, 4);
    const mesh = await meshOf(t, cluster(all, [], `loadBalancer: ${balancer}`));
    const homes = new Map<string, string>();
    for (let user = 0; user < 30; user++) homes.set(`u${user}`, await who(mesh, { 'x-user': `u${user}` }));
    for (const [user, home] of homes) t.is(await who(mesh, { 'x-user': user }), home);
    t.is(new Set(homes.values()).size, 4);
    t.true(Object.keys(await answers(mesh, 40, { 'x-user': '' })).length > 1, 'an empty key is no key');
    t.true((await mesh.reload(yaml(cluster(all.slice(0, 3), [], `loadBalancer: ${balancer}`)))).applied);
    let moved = 0;
    for (const [user, home] of homes) {
      const now = await who(mesh, { 'x-user': user });
      t.not(now, 'd');
      if (home !== 'd' && now !== home) moved++;
    }
    t.true(moved <= 13, `${moved} of 30 keys moved that no change concerns`);
  });
}

test('a hash policy of the route goes before the keys of the balancer', async (t) => {
  const all = await servers(t, 4);
  const mesh = await meshOf(
    t,
    `${cluster(all, [], 'loadBalancer: { name: maglev, config: { key: [{ header: x-user }] } }')}
inProcess:
  virtualHosts:
    - { name: all, domains: ["*"], routes: [{ cluster: users, hashPolicies: [{ header: x-team }] }] }
`,
  );
  const home = await who(mesh, { 'x-team': 'red' });
  for (let user = 0; user < 10; user++)
    t.is(await who(mesh, { 'x-team': 'red', 'x-user': `u${user}` }), home);
});

for (const balancer of ['leastRequest', 'leastConnection', 'peakEwma', 'random', 'weighted']) {
  test(`options reach ${balancer}, and wrong ones are told with their place`, async (t) => {
    const all = await servers(t, 3);
    const hasChoices = !['random', 'weighted'].includes(balancer);
    const options = hasChoices ? '{ choiceCount: 3 }' : '{}';
    const mesh = await meshOf(t, cluster(all, [], `loadBalancer: { name: ${balancer}, config: ${options} }`));
    t.is(Object.keys(await answers(mesh, 60)).length, 3);
    const wrong = yamlProblem(
      cluster(all, [], `loadBalancer: { name: ${balancer}, config: { choices: 3 } }`),
    );
    t.regex(wrong, /clusters\[0\]\.loadBalancer\.config\.choices/);
  });
}

test('leastConnection counts connections, not streams: idle ones weigh too', async (t) => {
  const all = await servers(t, 2);
  const balancer = 'loadBalancer: { name: leastConnection, config: { choiceCount: 2 } }';
  const mesh = await meshOf(t, cluster(all.slice(0, 1), [], balancer));
  await Promise.all(Array.from({ length: 4 }, () => who(mesh)));
  t.is(mesh.clusters.get('users')?.hostSet.all[0]?.connections, 4);
  t.true((await mesh.reload(yaml(cluster(all, [], balancer)))).applied);
  t.deepEqual(await answers(mesh, 20), { b: 20 }, 'one connection to b serves all, four to a stay idle');
});

function yamlProblem(text: string): string {
  try {
    yaml(text);
  } catch (thrown) {
    return (thrown as Error).message;
  }
  return 'no problem';
}
