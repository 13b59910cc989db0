import test from 'ava';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import {
  clusterSettings,
  defaultOutlierDetection,
  type OutlierSettings,
} from '../../../../src/core/cluster/settings.ts';
import { endpoints, full, type TestDependencies, testDependencies } from '../support.ts';

const make = (
  given: Partial<OutlierSettings>,
  count: number,
): { cluster: LiveCluster; dependencies: TestDependencies } => {
  const dependencies = testDependencies();
  const outlierDetection = {
    ...defaultOutlierDetection,
    consecutiveErrors: 0,
    maxEjectionPercent: 50,
    ...given,
  };
  const settings = clusterSettings({ name: 'c', outlierDetection, panicThresholdPercent: 0 });
  const cluster = createCluster(settings, dependencies);
  cluster.applyDelta(full(...endpoints(count)));
  return { cluster, dependencies };
};

/** Reports so many tries for each host, failed ones first. */
const report = (cluster: LiveCluster, tries: number, errors: readonly number[]): void => {
  cluster.hostSet.all.forEach((host, i) => {
    for (let n = 0; n < tries; n++) cluster.report(host, n < (errors[i] ?? 0) ? 500 : 200, 0, 1);
  });
};

const out = (cluster: LiveCluster): number[] =>
  cluster.hostSet.all.filter((host) => host.ejectedUntilMs > 0).map((host) => host.index);

const successRate = { minHosts: 5, requestVolume: 100, stdevFactor: 1.9 };

test('success rate: the host that stands out goes, and comes back', (t) => {
  const { cluster, dependencies } = make({ successRate }, 10);
  report(cluster, 200, [2, 2, 2, 90, 2, 2, 2, 2, 2, 2]);
  t.deepEqual(out(cluster), []);
  dependencies.clock.advance(10_000);
  t.deepEqual(out(cluster), [3]);
  t.is(dependencies.logger.lines.at(-1)?.fields['reason'], 'successRate');
  dependencies.clock.advance(30_000);
  t.deepEqual(out(cluster), []);
  t.is(dependencies.clock.pendingTimers, 0, 'no traffic, no timer');
});

test('success rate: nobody goes when all are alike, too few hosts or too few tries', (t) => {
  for (const [tries, errors, count] of [
    [200, 100, 10],
    [200, 0, 10],
    [99, 0, 10],
    [200, 0, 4],
  ] as const) {
    const { cluster, dependencies } = make({ successRate }, count);
    report(
      cluster,
      tries,
      new Array(count).fill(errors).fill(tries === 99 || count === 4 ? 90 : errors, 0, 1),
    );
    dependencies.clock.advance(10_000);
    t.deepEqual(out(cluster), [], `${tries} ${errors} ${count}`);
  }
});

test('relative error rate: hosts at several times the rate of the cluster go, the worst first', (t) => {
  const relativeErrorRate = { multiple: 5, requestVolume: 10 };
  const { cluster, dependencies } = make({ relativeErrorRate, maxEjectionPercent: 5 }, 30);
  report(cluster, 20, [5, 15, 6]);
  dependencies.clock.advance(10_000);
  t.deepEqual(out(cluster), [1], 'one of thirty may go');

  const mild = make({ relativeErrorRate }, 30);
  report(mild.cluster, 20, new Array(30).fill(4).fill(10, 0, 1));
  mild.dependencies.clock.advance(10_000);
  t.deepEqual(out(mild.cluster), [], 'twice the rate is not five times');

  const quiet = make({ relativeErrorRate }, 30);
  report(quiet.cluster, 9, [9]);
  quiet.dependencies.clock.advance(10_000);
  t.deepEqual(out(quiet.cluster), [], 'nine tries say nothing');
});

test('each interval counts for itself', (t) => {
  const { cluster, dependencies } = make(
    { relativeErrorRate: { multiple: 5, requestVolume: 10 }, intervalMs: 1000 },
    10,
  );
  report(cluster, 9, [9]);
  dependencies.clock.advance(1000);
  report(cluster, 9, [9]);
  dependencies.clock.advance(1000);
  t.deepEqual(out(cluster), []);
  report(cluster, 10, [9]);
  dependencies.clock.advance(1000);
  t.deepEqual(out(cluster), [0]);
});
