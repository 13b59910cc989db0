/** Service lists like those of a large company: 50,000 hosts, five metadata keys, 618 subsets. */
import { SeededRandom } from '../../src/core/base/random.ts';
import * as balancers from '../../src/core/cluster/balancers/index.ts';
import { createCluster, type LiveCluster } from '../../src/core/cluster/cluster.ts';
import { type ClusterSettings, clusterSettings } from '../../src/core/cluster/settings.ts';
import type { BalancerDefinition, Endpoint, Host, HostUpstream } from '../../src/core/contract/cluster.ts';
import type { SubsetsConfig } from '../../src/core/contract/cluster-config.ts';
import type { Stream } from '../../src/core/contract/stream.ts';
import { MetricsTable } from '../../src/core/observe/metrics.ts';

/** Metadata keys with so many values each; the selectors have 8 + 10 + 80 + 80 + 200 + 240 = 618 subsets. */
const values = { app: 8, version: 10, tier: 3, rack: 20, zone: 4 };
const selectors: readonly (readonly (keyof typeof values)[])[] = [
  ['app'],
  ['version'],
  ['app', 'version'],
  ['rack', 'zone'],
  ['version', 'rack'],
  ['app', 'version', 'tier'],
];
export const subsets: SubsetsConfig = {
  selectors: selectors.map((keys) => ({ keys })),
  fallback: 'noFallback',
};

export const silent = { level: 'off' as const, debug() {}, info() {}, warn() {}, error() {} };
const upstream: HostUpstream = { open: () => 0, cancelWait() {}, drain() {}, close() {} };
const definitions = Object.values(balancers) as BalancerDefinition[];

/** A cluster of hosts to which nothing is dialled. */
export function clusterOf(given: Partial<ClusterSettings>): LiveCluster {
  return createCluster(clusterSettings({ name: 'bench', ...given }), {
    createUpstream: () => upstream,
    balancers: new Map(definitions.map((each) => [each.name, each])),
    clock: { now: () => performance.now(), wallNow: () => 0, setTimer: () => ({ cancel() {} }) },
    random: new SeededRandom(1),
    metrics: new MetricsTable(),
    logger: silent,
  });
}

/** @param turn other values under the same keys */
export function endpointOf(i: number, turn = 0): Endpoint {
  const random = new SeededRandom(i * 8 + turn);
  const metadata: Record<string, string> = {};
  for (const [key, count] of Object.entries(values)) {
    metadata[key] = `${key}-${Math.floor(random.next() * count)}`;
  }
  return {
    address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`,
    weight: 1,
    metadata,
    zone: metadata['zone'] as string,
    priority: 0,
    hostname: '',
  };
}

/** Every combination of values that a selector allows. */
export function allSubsets(): Record<string, string>[] {
  return selectors.flatMap((selector) => {
    let all: Record<string, string>[] = [{}];
    for (const key of selector) {
      all = all.flatMap((each) =>
        Array.from({ length: values[key] }, (_, i) => ({ ...each, [key]: `${key}-${i}` })),
      );
    }
    return all;
  });
}

export function streamFor(metadata: Readonly<Record<string, string>>, source = '10.0.0.1'): Stream {
  return {
    triedHosts: null,
    route: { metadataMatch: metadata },
    metadata: null,
    peer: { address: source },
  } as unknown as Stream;
}

export function pick(cluster: LiveCluster, s: Stream): Host {
  const host = cluster.chooseHost(s);
  if (typeof host === 'number') throw new Error(`no host: code ${host}`);
  cluster.release(host);
  return host;
}

/** CPU milliseconds of this process so far: a busy machine does not count. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function heapBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const round3 = (value: number): number => Math.round(value * 1000) / 1000;
