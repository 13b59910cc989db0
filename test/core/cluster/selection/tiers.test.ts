import test from 'ava';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { zoneLoads } from '../../../../src/core/cluster/selection/locality-load.ts';
import { priorityLoads } from '../../../../src/core/cluster/selection/priority-load.ts';
import { type ClusterSettings, clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Endpoint, Host } from '../../../../src/core/contract/cluster.ts';
import { change, endpoint, full, stream, testDependencies } from '../support.ts';

const loads = (tiers: [total: number, healthy: number][], panicThreshold = 0.5): (number | string)[] =>
  priorityLoads(
    tiers.map(([total, healthy]) => ({ total, healthy })),
    1.4,
    panicThreshold,
  ).map(({ load, isPanic }) => (isPanic ? `panic ${Math.round(load)}` : Math.round(load)));

test("priority loads are those of the table in Envoy's documentation", (t) => {
  for (const [healthy, p0, p1] of [
    [100, 100, 0],
    [72, 100, 0],
    [71, 99, 1],
    [50, 70, 30],
    [25, 35, 65],
    [0, 0, 100],
  ] as const) {
    t.deepEqual(
      loads(
        [
          [100, healthy],
          [100, 100],
        ],
        0,
      ),
      [p0, p1],
      `${healthy} %`,
    );
  }
  t.deepEqual(
    loads(
      [
        [100, 20],
        [100, 20],
      ],
      0,
    ),
    [50, 50],
  );
  t.deepEqual(
    loads(
      [
        [100, 70],
        [100, 5],
        [100, 30],
      ],
      0,
    ),
    [98, 2, 0].map((each, i) => (i === 1 ? 2 : each)),
  );
});

test('panic begins only when all levels together cannot carry the load', (t) => {
  t.deepEqual(
    loads([
      [100, 20],
      [100, 80],
    ]),
    [28, 72],
  );
  t.deepEqual(
    loads([
      [100, 20],
      [100, 20],
    ]),
    ['panic 50', 'panic 50'],
  );
  t.deepEqual(
    loads([
      [30, 0],
      [10, 0],
    ]),
    ['panic 75', 'panic 25'],
  );
  t.deepEqual(
    loads(
      [
        [30, 0],
        [10, 0],
      ],
      0,
    ),
    [0, 0],
  );
  t.deepEqual(
    loads([
      [0, 0],
      [10, 10],
    ]),
    [0, 100],
  );
});

const make = (given: Partial<ClusterSettings>, ...all: Endpoint[]): LiveCluster => {
  const cluster = createCluster(clusterSettings({ name: 'c', ...given }), testDependencies(3));
  cluster.applyDelta(full(...all));
  return cluster;
};

const group = (name: string, count: number, facts: Partial<Endpoint>): Endpoint[] =>
  Array.from({ length: count }, (_, i) => endpoint(`${name}-${i}:1`, facts));

/** Shares in per cent by the part of the address before the dash. */
const shares = (cluster: LiveCluster, draws = 20_000): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (let i = 0; i < draws; i++) {
    const host = cluster.chooseHost(stream());
    const name = typeof host === 'number' ? 'none' : (host.address.split('-')[0] as string);
    if (typeof host !== 'number') cluster.release(host);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name, Math.round((count * 100) / draws)]),
  );
};

const fail = (cluster: LiveCluster, name: string, count: number): void => {
  for (let i = 0; i < count; i++) cluster.setHealthy(`${name}-${i}:1`, false);
};

test('the next priority takes what the first cannot carry', (t) => {
  const cluster = make({}, ...group('main', 10, { priority: 0 }), ...group('spare', 10, { priority: 1 }));
  t.deepEqual(shares(cluster), { main: 100 });
  fail(cluster, 'main', 5);
  const half = shares(cluster);
  t.true(Math.abs((half['main'] as number) - 70) <= 1, JSON.stringify(half));
  fail(cluster, 'main', 10);
  t.deepEqual(shares(cluster), { spare: 100 });
  for (let i = 0; i < 10; i++) cluster.setHealthy(`main-${i}:1`, true);
  t.deepEqual(shares(cluster), { main: 100 });
});

test('priorities may come and go, and unhealthy hosts are never chosen outside panic', (t) => {
  const cluster = make({}, ...group('main', 4, {}));
  t.deepEqual(shares(cluster, 100), { main: 100 });
  cluster.applyDelta(change({ added: group('spare', 4, { priority: 3 }) }));
  fail(cluster, 'main', 3);
  for (let i = 0; i < 500; i++) {
    const host = cluster.chooseHost(stream()) as Host;
    t.false(host.isUnhealthy || t.passed === false);
    cluster.release(host);
  }
  cluster.applyDelta(change({ removed: group('main', 4, {}).map((each) => each.address) }));
  t.deepEqual(shares(cluster, 100), { spare: 100 });
});

test('a level in panic uses all its hosts', (t) => {
  const cluster = make({}, ...group('main', 4, {}), ...group('spare', 4, { priority: 1 }));
  fail(cluster, 'main', 3);
  fail(cluster, 'spare', 3);
  const seen = new Set<string>();
  for (let i = 0; i < 500; i++) seen.add((cluster.chooseHost(stream()) as Host).address);
  t.is(seen.size, 8);
});

test('locality weights: shares by weight, less for a zone that lost hosts', (t) => {
  const locality = { zone: 'a', mode: 'weighted', weights: { a: 1, b: 2, c: 0 } } as const;
  const cluster = make(
    { locality },
    ...group('a', 10, { zone: 'a' }),
    ...group('b', 2, { zone: 'b' }),
    ...group('c', 5, { zone: 'c' }),
  );
  const all = shares(cluster);
  t.is(all['c'], undefined);
  t.true(Math.abs((all['b'] as number) - 67) <= 1, JSON.stringify(all));
  fail(cluster, 'b', 1);
  // b has half of its hosts: 2 * 1.4 * 0.5 = 1.4 against 1.
  const less = shares(cluster);
  t.true(Math.abs((less['b'] as number) - 58) <= 1, JSON.stringify(less));
});

test('zone-aware: all stays where the own zone has its share of hosts', (t) => {
  const locality = { zone: 'a', mode: 'zoneAware' } as const;
  const cluster = make({ locality }, ...group('a', 5, { zone: 'a' }), ...group('b', 5, { zone: 'b' }));
  t.deepEqual(shares(cluster, 1000), { a: 100 });
  const few = make({ locality }, ...group('a', 2, { zone: 'a' }), ...group('b', 3, { zone: 'b' }));
  t.true((shares(few)['b'] as number) > 50, 'too few hosts to be choosy');
  const unknown = make(
    { locality: { zone: '', mode: 'zoneAware' } },
    ...group('a', 5, { zone: 'a' }),
    ...group('b', 5, { zone: 'b' }),
  );
  t.true((shares(unknown)['b'] as number) > 40);
});

test('zone-aware: what the own zone cannot carry goes to zones with room, and all zones end up even', (t) => {
  const zones = [
    { zone: 'a', total: 2, healthy: 2 },
    { zone: 'b', total: 5, healthy: 5 },
    { zone: 'c', total: 3, healthy: 3 },
  ];
  const callers = { a: 5, b: 2, c: 3 };
  const arriving = [0, 0, 0];
  for (const [i, { zone }] of zones.entries()) {
    const loads = zoneLoads(zones, { zone, mode: 'zoneAware', callers }, 1.4) as number[];
    t.true(Math.abs(loads.reduce((sum, each) => sum + each, 0) - 1) < 1e-9);
    loads.forEach((load, to) => {
      arriving[to] = (arriving[to] as number) + load * ([5, 2, 3][i] as number);
    });
    if (zone === 'a') t.true(Math.abs((loads[0] as number) - 0.4) < 1e-9);
  }
  for (const [i, { healthy }] of zones.entries())
    t.true(Math.abs((arriving[i] as number) - healthy) < 1e-9, `${arriving}`);
});

test('subsets within priorities: the next level serves a subset that the first does not have', (t) => {
  const cluster = make(
    { subsets: { selectors: [{ keys: ['v'] }], fallback: 'noFallback' } },
    ...group('main', 3, { metadata: { v: '1' } }),
    ...group('spare', 3, { priority: 1, metadata: { v: '2' } }),
  );
  fail(cluster, 'main', 2);
  const ask = (v: string): string => {
    const host = cluster.chooseHost({ ...stream(), route: { metadataMatch: { v } } } as never);
    return typeof host === 'number' ? 'none' : host.address;
  };
  for (let i = 0; i < 50; i++) {
    t.is(ask('1'), 'main-2:1');
    t.regex(ask('2'), /^spare/);
    t.is(ask('3'), 'none');
  }
});

test('subsets within priorities: what stands in for a subset comes after every level that has it', (t) => {
  const cluster = make(
    { subsets: { selectors: [{ keys: ['v'] }], fallback: 'anyEndpoint' } },
    ...group('main', 3, { metadata: { v: '1' } }),
    ...group('spare', 3, { priority: 1, metadata: { v: '2' } }),
  );
  const ask = (v: string): string => {
    const host = cluster.chooseHost({ ...stream(), route: { metadataMatch: { v } } } as never);
    return typeof host === 'number' ? 'none' : host.address;
  };
  for (let i = 0; i < 50; i++) {
    t.regex(ask('2'), /^spare/, 'all of the first level are well, but none is of version 2');
    t.regex(ask('3'), /^main/, 'any host means any of the level that serves');
  }
  fail(cluster, 'spare', 3);
  t.regex(ask('2'), /^main/);
});

test('a reload with other subsets or zones makes a new selection, the same settings keep it', (t) => {
  const cluster = make({}, ...group('a', 5, { zone: 'a' }), ...group('b', 5, { zone: 'b' }));
  t.true((shares(cluster)['b'] as number) > 40);
  cluster.update({ ...cluster.settings, locality: { zone: 'a', mode: 'zoneAware' } });
  t.deepEqual(shares(cluster, 1000), { a: 100 });
});
