import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { createCluster, type LiveCluster } from '../../../src/core/cluster/cluster.ts';
import { type ClusterSettings, clusterSettings } from '../../../src/core/cluster/settings.ts';
import type { Host } from '../../../src/core/contract/cluster.ts';
import {
  change,
  endpoint,
  endpoints,
  full,
  stream,
  type TestDependencies,
  testDependencies,
} from './support.ts';

const make = (
  given: Partial<ClusterSettings> = {},
  dependencies: TestDependencies = testDependencies(),
): { cluster: LiveCluster; dependencies: TestDependencies } => ({
  cluster: createCluster(clusterSettings({ name: 'users', ...given }), dependencies),
  dependencies,
});

const choose = (cluster: LiveCluster, tried: Host[] | null = null): Host => {
  const host = cluster.chooseHost(stream(tried));
  if (typeof host === 'number') throw new Error(`code ${host}`);
  return host;
};

const addresses = (cluster: LiveCluster): string[] => cluster.hostSet.all.map((host) => host.address).sort();

test('a cluster without hosts answers noHost and keeps no permit', (t) => {
  const { cluster, dependencies } = make();
  t.is(cluster.chooseHost(stream()), Code.noHost);
  t.is(cluster.breakers.requests, 0);
  t.is(dependencies.metrics.values[cluster.slots.noHost], 1);
  t.is(cluster.health().status, 'failed');
});

test('round robin gives every host its turn', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(3)));
  const seen = Array.from({ length: 6 }, () => choose(cluster).address);
  t.deepEqual(seen.slice(0, 3).sort(), addresses(cluster));
  t.deepEqual(seen.slice(3), seen.slice(0, 3));
});

test('a host keeps its object, counts and upstream while its address stays', (t) => {
  const { cluster, dependencies } = make();
  cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  const before = new Map(cluster.hostSet.all.map((host) => [host.address, host]));
  const upstream = before.get('a:1')?.upstream;
  choose(cluster);
  choose(cluster);
  cluster.applyDelta(full(endpoint('a:1', { weight: 7, zone: 'z' }), endpoint('c:1')));
  const a = cluster.hostSet.all.find((host) => host.address === 'a:1') as Host;
  t.is(a, before.get('a:1') as Host);
  t.true(a.upstream === upstream);
  t.is(a.active, 1);
  t.is(a.weight, 7);
  t.is(a.zone, 'z');
  t.deepEqual(addresses(cluster), ['a:1', 'c:1']);
  t.is(dependencies.upstreams.length, 1, 'upstreams are made on first use');
});

test('a removed host drains, is marked and gets nothing; the release of its stream still counts', (t) => {
  const { cluster, dependencies } = make();
  cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  for (const host of cluster.hostSet.all) void host.upstream;
  const first = choose(cluster);
  const second = choose(cluster);
  cluster.applyDelta(change({ removed: ['a:1'] }));
  const [a] = [first, second].filter((host) => host.address === 'a:1') as [Host];
  t.true(a.isRemoved);
  const drained = (): [string, number][] =>
    dependencies.upstreams.map((each) => [each.address, each.drained]);
  t.deepEqual(drained(), [
    ['a:1', 0],
    ['b:1', 0],
  ]);
  for (let i = 0; i < 10; i++) t.is(choose(cluster).address, 'b:1');
  cluster.release(a);
  t.is(cluster.breakers.requests, 11);
  t.deepEqual(drained(), [
    ['a:1', 1],
    ['b:1', 0],
  ]);
  cluster.applyDelta(change({ removed: ['b:1'] }));
  t.is(cluster.chooseHost(stream()), Code.noHost);
});

test('a host removed while idle drains at once', (t) => {
  const { cluster, dependencies } = make();
  cluster.applyDelta(full(endpoint('a:1'), endpoint('b:1')));
  for (const host of cluster.hostSet.all) void host.upstream;
  cluster.applyDelta(change({ removed: ['a:1'] }));
  t.deepEqual(
    dependencies.upstreams.map((each) => each.drained),
    [1, 0],
  );
});

test('weight 0 gets nothing, also when nothing else is left', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(endpoint('a:1', { weight: 0 }), endpoint('b:1')));
  for (let i = 0; i < 20; i++) t.is(choose(cluster).address, 'b:1');
  cluster.applyDelta(change({ removed: ['b:1'] }));
  t.is(cluster.chooseHost(stream()), Code.noHost);
  cluster.applyDelta(change({ changed: [endpoint('a:1', { weight: 1 })] }));
  t.is(choose(cluster).address, 'a:1');
});

test('an address listed twice is one host, with a warning', (t) => {
  const { cluster, dependencies } = make();
  cluster.applyDelta(full(endpoint('a:1', { weight: 1 }), endpoint('a:1', { weight: 3 })));
  t.is(cluster.hostSet.all.length, 1);
  t.is(cluster.hostSet.all[0]?.weight, 3);
  t.deepEqual(
    dependencies.logger.lines.map(({ level, fields: { address } }) => [level, address]),
    [['warn', 'a:1']],
  );
});

test('a host set never changes after it was read', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(3)));
  const before = cluster.hostSet;
  const copy = [...before.all];
  cluster.applyDelta(change({ added: [endpoint('new:1')], removed: [copy[0]?.address as string] }));
  t.deepEqual(before.all, copy);
  t.is(cluster.hostSet.version, before.version + 1);
  t.is(cluster.hostSet, cluster.hostSet);
});

test('many deltas of one turn make one host set that says what changed', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(10)));
  const before = cluster.hostSet;
  for (let i = 0; i < 5; i++) cluster.applyDelta(change({ added: [endpoint(`n${i}:1`)] }));
  cluster.applyDelta(change({ removed: ['n0:1', before.all[3]?.address as string] }));
  const after = cluster.hostSet;
  t.is(after.version, before.version + 1);
  t.is(after.changes?.from, before.version);
  t.deepEqual(after.changes?.added.map((host) => host.address).sort(), ['n1:1', 'n2:1', 'n3:1', 'n4:1']);
  t.deepEqual(after.changes?.removed, [before.all[3]]);
  after.all.forEach((host, index) => {
    t.is(host.index, index);
  });
});

test('a tried host is avoided as long as another one is there', (t) => {
  for (const name of ['roundRobin', 'random', 'leastRequest']) {
    for (const weights of [
      [1, 1, 1],
      [128, 1, 1],
    ]) {
      const { cluster } = make({ loadBalancer: { name } });
      cluster.applyDelta(full(...endpoints(3, (i) => ({ weight: weights[i] as number }))));
      const [a, b] = cluster.hostSet.all as [Host, Host];
      for (let i = 0; i < 50; i++) {
        t.not(choose(cluster, [a]), a);
        const third = choose(cluster, [a, b]);
        t.false(third === a || third === b, `${name} ${weights}`);
      }
      t.truthy(choose(cluster, [...cluster.hostSet.all]));
    }
  }
});

test('five 5xx in a row eject a host for the base time, the second ejection lasts twice as long', (t) => {
  const { cluster, dependencies } = make({ panicThresholdPercent: 0 });
  cluster.applyDelta(full(...endpoints(3)));
  const bad = cluster.hostSet.all[0] as Host;
  for (let i = 0; i < 4; i++) cluster.report(bad, 503, 0, 1);
  cluster.report(bad, 200, 0, 1);
  for (let i = 0; i < 4; i++) cluster.report(bad, 0, Code.connectFailure, 1);
  t.true(cluster.hostSet.available.includes(bad));
  cluster.report(bad, 0, Code.upstreamReset, 1);
  t.false(cluster.hostSet.available.includes(bad));
  for (let i = 0; i < 30; i++) t.not(choose(cluster), bad);
  t.is(cluster.health().status, 'degraded');
  dependencies.clock.advance(29_999);
  t.false(cluster.hostSet.available.includes(bad));
  dependencies.clock.advance(1);
  t.true(cluster.hostSet.available.includes(bad));
  t.is(cluster.health().status, 'ok');
  for (let i = 0; i < 5; i++) cluster.report(bad, 500, 0, 1);
  dependencies.clock.advance(59_999);
  t.false(cluster.hostSet.available.includes(bad));
  dependencies.clock.advance(1);
  t.true(cluster.hostSet.available.includes(bad));
  t.is(dependencies.clock.pendingTimers, 0);
});

test('what the client or we caused ejects nobody', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(3)));
  const host = cluster.hostSet.all[0] as Host;
  for (const code of [Code.aborted, Code.downstreamClosed, Code.pendingOverflow, Code.draining]) {
    for (let i = 0; i < 20; i++) cluster.report(host, 0, code, 1);
  }
  for (let i = 0; i < 20; i++) cluster.report(host, 404, 0, 1);
  t.is(cluster.hostSet.available.length, 3);
});

test('no more than maxEjectionPercent are out, never the last one', (t) => {
  const { cluster } = make({ panicThresholdPercent: 0 });
  cluster.applyDelta(full(...endpoints(40)));
  for (const host of cluster.hostSet.all) for (let i = 0; i < 5; i++) cluster.report(host, 500, 0, 1);
  t.is(cluster.hostSet.available.length, 36);

  const single = make({ panicThresholdPercent: 0 }).cluster;
  single.applyDelta(full(endpoint('a:1')));
  for (let i = 0; i < 50; i++) single.report(single.hostSet.all[0] as Host, 500, 0, 1);
  t.is(single.hostSet.available.length, 1);
});

test('below the panic threshold all hosts get traffic, above it only healthy ones', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(4)));
  const [a, b, c] = cluster.hostSet.all as [Host, Host, Host];
  cluster.setHealthy(a.address, false);
  cluster.setHealthy(b.address, false);
  t.is(cluster.hostSet.available.length, 2);
  t.false(cluster.hostSet.isPanic);
  cluster.setHealthy(c.address, false);
  t.true(cluster.hostSet.isPanic);
  t.is(cluster.hostSet.available.length, 4);
  t.regex(cluster.health().reason, /1 of 4/);
  cluster.setHealthy(c.address, true);
  t.is(cluster.hostSet.available.length, 2);
});

test('permits are exact over a reload, and new thresholds hold at once', (t) => {
  const { cluster, dependencies } = make();
  cluster.applyDelta(full(...endpoints(2)));
  const hosts = [choose(cluster), choose(cluster), choose(cluster)];
  const breakers = { ...cluster.settings.circuitBreakers, maxRequests: 3 };
  cluster.update(clusterSettings({ name: 'users', circuitBreakers: breakers }));
  t.is(cluster.chooseHost(stream()), Code.requestOverflow);
  t.is(dependencies.metrics.values[cluster.slots.overflow], 1);
  cluster.release(hosts[0] as Host);
  t.is(dependencies.metrics.values[cluster.slots.active], 2);
  choose(cluster);
  t.is(cluster.chooseHost(stream()), Code.requestOverflow);
});

test('a reload keeps ejections and changes the balancer', (t) => {
  const { cluster } = make({ panicThresholdPercent: 0 });
  cluster.applyDelta(full(...endpoints(5)));
  const bad = cluster.hostSet.all[2] as Host;
  for (let i = 0; i < 5; i++) cluster.report(bad, 500, 0, 1);
  cluster.update(clusterSettings({ name: 'users', loadBalancer: { name: 'leastRequest' } }));
  t.false(cluster.hostSet.available.includes(bad));
  for (let i = 0; i < 50; i++) t.not(choose(cluster), bad);
});

test('a refused reload changes nothing', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(2)));
  const settings = cluster.settings;
  const refused = (name: string, config: unknown): void => {
    const error = t.throws(() =>
      cluster.update(clusterSettings({ name: 'users', loadBalancer: { name, config } })),
    );
    t.regex(error?.message ?? '', /^\[ERR_CONFIG_INVALID\].*clusters\.users\.loadBalancer/);
  };
  refused('bestHost', {});
  refused('leastRequest', { choiceCount: 1 });
  t.is(cluster.settings, settings);
  choose(cluster);
});

test('new pools replace the old ones, which drain', (t) => {
  const { cluster, dependencies } = make({ pool: { preconnect: 1 } });
  cluster.applyDelta(full(...endpoints(2)));
  t.is(dependencies.upstreams.length, 2, 'preconnect makes them at once');
  cluster.update(cluster.settings, dependencies.createUpstream);
  t.deepEqual(
    dependencies.upstreams.map((each) => each.drained),
    [1, 1, 0, 0],
  );
});

test('dumpState and restoreState carry hosts, health and what is left of an ejection', (t) => {
  const one = make({ panicThresholdPercent: 0 });
  one.cluster.applyDelta(full(...endpoints(10, (i) => ({ weight: i + 1, zone: `z${i}` }))));
  const [bad, ill] = one.cluster.hostSet.all as [Host, Host];
  for (let i = 0; i < 5; i++) one.cluster.report(bad, 500, 0, 1);
  one.cluster.setHealthy(ill.address, false);
  one.dependencies.clock.advance(10_000);
  const state = JSON.parse(JSON.stringify(one.cluster.dumpState()));

  const two = make({ panicThresholdPercent: 0 });
  two.dependencies.clock.nowMs = 5;
  two.cluster.restoreState(state);
  t.deepEqual(two.cluster.dumpState(), state);
  t.is(two.cluster.hostSet.available.length, 8);
  two.dependencies.clock.advance(20_000);
  t.is(two.cluster.hostSet.available.length, 9);
  t.throws(() => two.cluster.restoreState({ ...state, version: 2 }), { code: 'ERR_OPTION_INVALID' });
  t.throws(() => two.cluster.restoreState({ ...state, name: 'other' }), { code: 'ERR_OPTION_INVALID' });
});

test('stats show hosts and permits', (t) => {
  const { cluster } = make();
  cluster.applyDelta(full(...endpoints(3)));
  choose(cluster);
  const stats = cluster.stats(2);
  t.like(stats, { name: 'users', hosts: 3, available: 3, requests: 1, isPanic: false });
  t.is(stats.hostStats.length, 2);
});

test('a draining cluster refuses streams, a closed one drops its upstreams, timers and series', (t) => {
  const { cluster, dependencies } = make({ panicThresholdPercent: 0 });
  cluster.applyDelta(full(...endpoints(3)));
  for (const host of cluster.hostSet.all) void host.upstream;
  for (let i = 0; i < 5; i++) cluster.report(cluster.hostSet.all[0] as Host, 500, 0, 1);
  cluster.drain();
  t.is(cluster.chooseHost(stream()), Code.draining);
  t.true(dependencies.upstreams.every((each) => each.drained === 1));
  cluster.close();
  cluster.close();
  t.true(dependencies.upstreams.every((each) => each.closed === 1));
  t.is(dependencies.clock.pendingTimers, 0);
  t.deepEqual(
    dependencies.metrics.snapshot().series.filter(({ labels: { cluster } }) => cluster === 'users'),
    [],
  );
});
