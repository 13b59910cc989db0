import { SeededRandom } from '../../src/core/base/random.ts';
import * as balancers from '../../src/core/cluster/balancers/index.ts';
import { createCluster, type LiveCluster } from '../../src/core/cluster/cluster.ts';
import { clusterSettings, defaultCircuitBreakers } from '../../src/core/cluster/settings.ts';
import type { BalancerDefinition, Endpoint, Host, HostUpstream } from '../../src/core/contract/cluster.ts';
import type { Stream } from '../../src/core/contract/stream.ts';
import { MetricsTable } from '../../src/core/observe/metrics.ts';
import { report } from './measure.ts';

/** Nanoseconds of chooseHost + release, permits and metrics included: `npx node bench/micro/balancer.bench.ts`. */
const silent = { level: 'off' as const, debug() {}, info() {}, warn() {}, error() {} };
const upstream: HostUpstream = { open: () => 0, cancelWait() {}, drain() {}, close() {} };
const known = new Map((Object.values(balancers) as BalancerDefinition[]).map((each) => [each.name, each]));

function clusterOf(name: string, count: number, weightOf: (i: number) => number): LiveCluster {
  const cluster = createCluster(
    clusterSettings({ name: 'bench', loadBalancer: { name }, circuitBreakers: defaultCircuitBreakers }),
    {
      createUpstream: () => upstream,
      balancers: known,
      clock: { now: () => performance.now(), wallNow: () => 0, setTimer: () => ({ cancel() {} }) },
      random: new SeededRandom(1),
      metrics: new MetricsTable(),
      logger: silent,
    },
  );
  const added = Array.from({ length: count }, (_, i): Endpoint => {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`;
    return { address, weight: weightOf(i), metadata: {}, zone: '', priority: 0, hostname: '' };
  });
  cluster.applyDelta({ service: 'bench', version: 1, full: true, added, removed: [], changed: [] });
  return cluster;
}

const s = { triedHosts: null, route: null, metadata: null } as unknown as Stream;
for (const count of [10, 50_000]) {
  for (const name of known.keys()) {
    for (const weights of ['equal', 'mixed']) {
      const cluster = clusterOf(name, count, weights === 'equal' ? () => 1 : (i) => 1 + (i % 5));
      report(`${name}, ${count} hosts, ${weights} weights`, () => {
        cluster.release(cluster.chooseHost(s) as Host);
      });
    }
  }
  const cluster = clusterOf('roundRobin', count, () => 1);
  let at = 0;
  report(`a delta of one host and the next pick, ${count} hosts`, () => {
    const removed = [`10.0.0.${at % 10}:80`];
    const [address] = removed as [string];
    const again: Endpoint = { address, weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' };
    cluster.applyDelta({ service: 'bench', version: at++, full: false, added: [], removed, changed: [] });
    cluster.applyDelta({
      service: 'bench',
      version: at,
      full: false,
      added: [again],
      removed: [],
      changed: [],
    });
    cluster.release(cluster.chooseHost(s) as Host);
  });
}
