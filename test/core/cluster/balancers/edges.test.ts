import test from 'ava';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { type ClusterSettings, clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Endpoint } from '../../../../src/core/contract/cluster.ts';
import { endpoint, endpoints, full, stream, type TestDependencies, testDependencies } from '../support.ts';

const names = [...testDependencies().balancers.keys()];

function make(
  name: string,
  all: readonly Endpoint[],
  more: Partial<ClusterSettings> = {},
): { cluster: LiveCluster; dependencies: TestDependencies } {
  const dependencies = testDependencies(7);
  const settings = clusterSettings({ name: 'c', loadBalancer: { name }, ...more });
  const cluster = createCluster(settings, dependencies);
  cluster.applyDelta(full(...all));
  return { cluster, dependencies };
}

/** Who is chosen over so many streams; "none" where nobody is. */
function chosen(cluster: LiveCluster, times = 200): string[] {
  const seen = new Set<string>();
  for (let i = 0; i < times; i++) {
    const host = cluster.chooseHost(stream());
    if (typeof host === 'number') seen.add(host === 11 ? 'none' : `code ${host}`);
    else {
      seen.add(host.address);
      cluster.release(host);
    }
  }
  return [...seen].sort();
}

const ejecting = {
  outlierDetection: {
    consecutiveErrors: 1,
    baseEjectionMs: 60_000,
    maxEjectionMs: 60_000,
    maxEjectionPercent: 100,
  },
};
const strict = { panicThresholdPercent: 0 };
const a = endpoint('a:1');
const b = endpoint('b:1');

for (const name of names) {
  test(`${name}: weights of 0, some and all`, (t) => {
    const { cluster } = make(name, [a, endpoint('b:1', { weight: 0 })]);
    t.deepEqual(chosen(cluster), ['a:1']);
    cluster.applyDelta(full(endpoint('a:1', { weight: 0 }), endpoint('b:1', { weight: 0 })));
    t.deepEqual(chosen(cluster), ['none'], 'panic does not help against a weight of 0');
    cluster.applyDelta(full(a, b));
    t.deepEqual(chosen(cluster), ['a:1', 'b:1']);
  });

  test(`${name}: an address that stands twice is one host, as it was said last`, (t) => {
    const { cluster, dependencies } = make(name, [a, endpoint('a:1', { zone: 'z' }), b]);
    t.deepEqual(chosen(cluster), ['a:1', 'b:1']);
    t.is(cluster.hostSet.all.length, 2);
    t.is(cluster.hostSet.all[0]?.zone, 'z');
    t.is(dependencies.logger.lines.filter((line) => line.message.includes('twice')).length, 1);
  });

  test(`${name}: one host, none, one again`, (t) => {
    const { cluster } = make(name, [a]);
    t.deepEqual(chosen(cluster, 5), ['a:1']);
    cluster.applyDelta(full());
    t.deepEqual(chosen(cluster, 5), ['none']);
    cluster.applyDelta(full(b));
    t.deepEqual(chosen(cluster, 5), ['b:1']);
  });

  test(`${name}: all unhealthy means all in panic and nobody without it`, (t) => {
    for (const [more, expected] of [
      [{}, ['a:1', 'b:1']],
      [strict, ['none']],
    ] as const) {
      const { cluster } = make(name, [a, b], more);
      chosen(cluster, 5);
      for (const { address } of [a, b]) cluster.setHealthy(address, false);
      t.deepEqual(chosen(cluster), expected);
      for (const { address } of [a, b]) cluster.setHealthy(address, true);
      t.deepEqual(chosen(cluster), ['a:1', 'b:1']);
    }
  });

  test(`${name}: the last healthy host is not ejected; all return in time`, (t) => {
    const { cluster, dependencies } = make(name, endpoints(3), { ...strict, ...ejecting });
    for (const host of cluster.hostSet.all) cluster.report(host, 500, 0, 1);
    t.is(chosen(cluster).length, 1);
    dependencies.clock.advance(60_000);
    t.is(chosen(cluster).length, 3);
  });

  test(`${name}: all ejected, as a dump may say, is nobody or everybody`, (t) => {
    for (const [more, expected] of [
      [{}, ['a:1', 'b:1']],
      [strict, ['none']],
    ] as const) {
      const { cluster, dependencies } = make(name, [a, b], more);
      const ejections = [a, b].map(({ address }) => ({ address, ejections: 1, remainingMs: 5000 }));
      cluster.restoreState({ version: 1, name: 'c', endpoints: [a, b], ejections, unhealthy: [] });
      t.deepEqual(chosen(cluster), expected);
      dependencies.clock.advance(5000);
      t.deepEqual(chosen(cluster), ['a:1', 'b:1']);
    }
  });

  test(`${name}: priorities with holes are used in their order`, (t) => {
    const far = endpoint('far:1', { priority: 127 });
    const next = endpoint('next:1', { priority: 9 });
    const { cluster } = make(name, [far, endpoint('first:1', { priority: 3 }), next], strict);
    t.deepEqual(chosen(cluster), ['first:1']);
    cluster.setHealthy('first:1', false);
    t.deepEqual(chosen(cluster), ['next:1']);
    cluster.setHealthy('next:1', false);
    t.deepEqual(chosen(cluster), ['far:1']);
    cluster.setHealthy('far:1', false);
    t.deepEqual(chosen(cluster), ['none']);
    cluster.setHealthy('next:1', true);
    t.deepEqual(chosen(cluster), ['next:1']);
  });
}
