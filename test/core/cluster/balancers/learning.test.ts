import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { HostRecord } from '../../../../src/core/cluster/host-statistics.ts';
import { clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Host } from '../../../../src/core/contract/cluster.ts';
import {
  change,
  endpoint,
  endpoints,
  full,
  stream,
  type TestDependencies,
  testDependencies,
} from '../support.ts';

const make = (
  loadBalancer: { name: string; config?: unknown },
  count: number,
): { cluster: LiveCluster; dependencies: TestDependencies } => {
  const dependencies = testDependencies(13);
  const settings = clusterSettings({ name: 'c', loadBalancer, panicThresholdPercent: 0 });
  const cluster = createCluster(settings, dependencies);
  cluster.applyDelta(full(...endpoints(count)));
  return { cluster, dependencies };
};

const draw = (
  cluster: LiveCluster,
  times: number,
  then: (host: Host) => void = () => {},
): Map<Host, number> => {
  const seen = new Map<Host, number>();
  for (let i = 0; i < times; i++) {
    const host = cluster.chooseHost(stream()) as Host;
    seen.set(host, (seen.get(host) ?? 0) + 1);
    cluster.release(host);
    then(host);
  }
  return seen;
};

test('peak EWMA: a slow host gets little, and is tried again after a silence', (t) => {
  const { cluster, dependencies } = make({ name: 'peakEwma' }, 5);
  const slow = cluster.hostSet.all[2] as Host;
  const finish = (host: Host): void => {
    dependencies.clock.advance(1);
    cluster.report(host, 200, 0, host === slow ? 200 : 5);
  };
  draw(cluster, 50, finish);
  const seen = draw(cluster, 1000, finish);
  t.true((seen.get(slow) ?? 0) < 20, `${seen.get(slow)}`);
  dependencies.clock.advance(120_000);
  t.true((draw(cluster, 200).get(slow) ?? 0) > 10);
});

test('peak EWMA: errors count against a host that answers fast', (t) => {
  const { cluster, dependencies } = make({ name: 'peakEwma' }, 3);
  const broken = cluster.hostSet.all[0] as Host;
  cluster.update({
    ...cluster.settings,
    outlierDetection: { ...cluster.settings.outlierDetection, consecutiveErrors: 0 },
  });
  const finish = (host: Host): void => {
    dependencies.clock.advance(1);
    cluster.report(host, host === broken ? 500 : 200, 0, 5);
  };
  draw(cluster, 300, finish);
  const seen = draw(cluster, 600, finish);
  t.true((seen.get(broken) ?? 0) < 40, `${seen.get(broken)}`);
});

test('host records: peaks count at once and decay, what the client caused counts nothing', (t) => {
  const record = new HostRecord(0);
  record.add(200, 0, 10, 1000);
  record.add(200, 0, 100, 1001);
  t.is(record.durationMs, 100);
  record.add(200, 0, 10, 11_001);
  t.true(record.durationMs > 40 && record.durationMs < 45, `${record.durationMs}`);
  const before = { ...record };
  record.add(0, Code.aborted, 9999, 11_002);
  t.deepEqual({ ...record }, before);
  record.add(404, 0, 1, 11_003);
  t.is(record.clientErrorShare, 0.05);
  t.is(record.serverErrorShare, 0);
});

test('records are kept only where a balancer reads them', (t) => {
  const { cluster } = make({ name: 'roundRobin' }, 2);
  const host = cluster.hostSet.all[0] as Host;
  cluster.report(host, 200, 0, 5);
  t.is(host.statistics, null);
});

test('least connection: the host with the fewest connections for its weight', (t) => {
  const { cluster } = make({ name: 'leastConnection', config: { choiceCount: 16 } }, 4);
  const connections = [9, 4, 1, 7];
  cluster.hostSet.all.forEach((host, i) => {
    Object.assign(host.upstream, { connections: connections[i] });
  });
  t.deepEqual([...draw(cluster, 50).keys()], [cluster.hostSet.all[2]]);
  cluster.applyDelta(
    change({ changed: [endpoint(cluster.hostSet.all[0]?.address as string, { weight: 10 })] }),
  );
  t.deepEqual(
    [...draw(cluster, 50).keys()],
    [cluster.hostSet.all[0]],
    '10 for a weight of 10 is less than 2 for 1',
  );
});

for (const name of ['roundRobin', 'leastRequest']) {
  test(`${name}: a new host starts slowly and ends with its share`, (t) => {
    const { cluster, dependencies } = make({ name, config: { slowStart: { windowMs: 100_000 } } }, 3);
    dependencies.clock.advance(200_000);
    draw(cluster, 10);
    cluster.applyDelta(change({ added: [endpoint('new:1')] }));
    const fresh = cluster.hostSet.all.find((host) => host.address === 'new:1') as Host;
    const share = (): number => (draw(cluster, 4000).get(fresh) ?? 0) / 4000;
    const early = share();
    t.true(Math.abs(early - 0.1 / 3.1) < 0.005, `${early}`);
    dependencies.clock.advance(50_000);
    const half = share();
    t.true(Math.abs(half - 0.5 / 3.5) < 0.01, `${half}`);
    dependencies.clock.advance(50_000);
    const full = share();
    t.true(Math.abs(full - 0.25) < 0.03, `${full}`);
  });
}
