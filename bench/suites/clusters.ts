/** Clusters of 50,000 hosts: subsets, deltas, and what a pick costs with each balancer. */
import { SeededRandom } from '../../src/core/base/random.ts';
import * as balancers from '../../src/core/cluster/balancers/index.ts';
import type { LiveCluster } from '../../src/core/cluster/cluster.ts';
import type { ClusterSettings } from '../../src/core/cluster/settings.ts';
import type { BalancerDefinition, Endpoint } from '../../src/core/contract/cluster.ts';
import type { Stream } from '../../src/core/contract/stream.ts';
import { tableRows } from '../cases/tables.ts';
import { allSubsets, clusterOf, cpuMs, endpointOf, pick, streamFor, subsets } from '../harness/lists.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { measure } from '../micro/measure.ts';

const manyHosts = 50_000;
const definitions = Object.values(balancers) as BalancerDefinition[];

export const suite: Suite = {
  about: 'clusters of 50,000 hosts: 618 subsets, deltas, tables, nanoseconds a pick with each balancer',
  goals: ['clusters.subsetBuildMs', 'clusters.deltaUs'],
  rounds: 7,
  seconds: 1,
  async run(bench) {
    const builds = subsetBuilds(bench);
    const subsetDeltas = deltas(bench, 'with 618 subsets in use', {
      subsets,
    });
    const locality = { mode: 'zoneAware', zone: 'zone-1' } as const;
    const zoneDeltas = deltas(bench, 'over four zones', { locality });
    const plainDeltas = deltas(bench, 'without subsets', {});
    return {
      rows: [
        ...builds.rows,
        ...subsetDeltas.rows,
        ...zoneDeltas.rows,
        ...plainDeltas.rows,
        ...tableRows(bench),
        ...picks(bench),
      ],
      measures: [
        { id: 'clusters.subsetBuildMs', value: builds.medianMs },
        { id: 'clusters.deltaUs', value: subsetDeltas.medianUs },
      ],
    };
  },
};

/** From the host list to a first host out of each subset. */
function subsetBuilds(bench: Bench): { rows: Row[]; medianMs: number } {
  const times: number[] = [];
  const all = allSubsets();
  const added = endpoints(manyHosts);
  for (let round = 0; round < bench.rounds + 2; round++) {
    bench.progress(`subset build ${round + 1}`);
    const cluster = clusterWith({}, added);
    void cluster.hostSet.version;
    const start = cpuMs();
    cluster.update({ ...cluster.settings, subsets });
    for (const metadata of all) pick(cluster, streamFor(metadata));
    times.push(cpuMs() - start);
  }
  // The first two rounds run code that is not compiled yet.
  const steady = times.slice(2);
  const row = { name: `index of ${manyHosts} hosts and a pick from each of ${all.length} subsets` };
  return {
    rows: [
      {
        ...row,
        medianMs: round2(median(steady)),
        minMs: round2(Math.min(...steady)),
        firstMs: round2(times[0] as number),
      },
    ],
    medianMs: median(steady),
  };
}

/** One host's metadata or presence changes; then a stream asks for a subset that it is or was in. */
function deltas(
  bench: Bench,
  name: string,
  given: Partial<ClusterSettings>,
): { rows: Row[]; medianUs: number } {
  bench.progress(`deltas ${name}`);
  const cluster = clusterWith(given, endpoints(manyHosts));
  const random = new SeededRandom(5);
  for (const metadata of allSubsets()) pick(cluster, streamFor(metadata));
  const rows: Row[] = [];
  const medians: number[] = [];
  for (const kind of ['metadata', 'weight', 'health', 'remove and add'] as const) {
    const times: number[] = [];
    for (let i = 0; i < 3000; i++) {
      const at = Math.floor(random.next() * manyHosts);
      const before = endpointOf(at, 0);
      const s = streamFor({
        app: before.metadata['app'] as string,
        version: before.metadata['version'] as string,
      });
      const start = performance.now();
      change(cluster, kind, at, i);
      pick(cluster, s);
      times.push((performance.now() - start) * 1000);
    }
    medians.push(median(times));
    const sorted = times.toSorted((a, b) => a - b);
    rows.push({
      name: `a delta of one host (${kind}) and a pick, ${name}`,
      medianUs: round2(median(times)),
      p99Us: round2(sorted[2970] as number),
    });
  }
  return { rows, medianUs: Math.max(...medians) };
}

function change(
  cluster: LiveCluster,
  kind: 'metadata' | 'weight' | 'health' | 'remove and add',
  at: number,
  i: number,
): void {
  const delta = { service: 'bench', version: i, full: false, added: [], removed: [], changed: [] };
  const endpoint = endpointOf(at, kind === 'metadata' ? 1 + (i % 7) : 0);
  if (kind === 'health') cluster.setHealthy(endpoint.address, i % 2 === 0);
  else if (kind === 'remove and add') {
    cluster.applyDelta({ ...delta, removed: [endpoint.address] });
    cluster.applyDelta({ ...delta, added: [endpoint] });
  } else if (kind === 'weight')
    cluster.applyDelta({ ...delta, changed: [{ ...endpoint, weight: 1 + (i % 2) }] });
  else cluster.applyDelta({ ...delta, changed: [endpoint] });
}

/** chooseHost and release together: permits, metrics and priorities included. */
function picks(bench: Bench): Row[] {
  return definitions.flatMap(({ name }) => {
    const row: Record<string, number> = {};
    for (const count of [10, manyHosts]) {
      for (const weights of ['equal', 'mixed']) {
        bench.progress(`${name}, ${count} hosts, ${weights} weights`);
        const all = endpoints(count).map((each, i) => ({
          ...each,
          weight: weights === 'equal' ? 1 : 1 + (i % 5),
        }));
        const cluster = clusterWith({ loadBalancer: { name } }, all);
        const streams = Array.from({ length: 512 }, (_, i) => streamFor({}, `10.1.${i >> 8}.${i & 255}`));
        let at = 0;
        for (const s of streams) pick(cluster, s);
        const { min } = measure(() => pick(cluster, streams[at++ & 511] as Stream), 7, 30);
        row[`${count} hosts, ${weights} weights, ns`] = Math.round(min);
      }
    }
    // A bucket of rendezvous that nobody asked for yet looks at every host: milliseconds among 50,000.
    return [{ name: `pick: ${name}${name === 'rendezvous' ? ', known keys' : ''}`, ...row }];
  });
}

function clusterWith(given: Partial<ClusterSettings>, added: readonly Endpoint[]): LiveCluster {
  const cluster = clusterOf(given);
  apply(cluster, added);
  return cluster;
}

function apply(cluster: LiveCluster, added: readonly Endpoint[]): void {
  cluster.applyDelta({ service: 'bench', version: 1, full: true, added, removed: [], changed: [] });
}

function endpoints(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, i) => endpointOf(i, 0));
}

const median = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[times.length >> 1] as number;
const round2 = (value: number): number => Math.round(value * 100) / 100;
