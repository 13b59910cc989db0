/** Tables of hash balancers in large clusters: what a build costs, how long it holds the loop up, what a flap costs. */
import { SeededRandom } from '../../src/core/base/random.ts';
import * as balancers from '../../src/core/cluster/balancers/index.ts';
import { createCluster, type LiveCluster } from '../../src/core/cluster/cluster.ts';
import { clusterSettings } from '../../src/core/cluster/settings.ts';
import type { BalancerDefinition, Endpoint, HostUpstream } from '../../src/core/contract/cluster.ts';
import type { Stream } from '../../src/core/contract/stream.ts';
import { MetricsTable } from '../../src/core/observe/metrics.ts';
import type { Bench, Row } from '../harness/suite.ts';

const silent = { level: 'off' as const, debug() {}, info() {}, warn() {}, error() {} };
const upstream: HostUpstream = { open: () => 0, cancelWait() {}, drain() {}, close() {} };
const definitions = Object.values(balancers) as BalancerDefinition[];

/** A clock whose timers run by hand, each call's CPU time noted: one is one slice of a build. */
class SliceClock {
  readonly sliceMs: number[] = [];
  #due: (() => void)[] = [];

  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return 0;
  }

  setTimer(_delayMs: number, run: () => void): { cancel(): void } {
    this.#due.push(run);
    const cancel = (): void => {
      this.#due = this.#due.filter((each) => each !== run);
    };
    return { cancel };
  }

  runAll(): void {
    while (this.#due.length > 0) {
      const run = this.#due.shift() as () => void;
      const start = cpuMs();
      run();
      this.sliceMs.push(cpuMs() - start);
    }
  }
}

export function tableRows(bench: Bench): Row[] {
  return ['maglev', 'ringHash'].flatMap((name) =>
    [10, 1000, 10_000, 50_000].map((count) => {
      bench.progress(`${name}, table of ${count} hosts`);
      return rowOf(name, count);
    }),
  );
}

function rowOf(name: string, count: number): Row {
  const builds: number[] = [];
  const longest: number[] = [];
  const slices: number[] = [];
  let flapUs = 0;
  for (let round = 0; round < 5; round++) {
    const clock = new SliceClock();
    const cluster = clusterOf(name, count, clock);
    const start = cpuMs();
    if (cluster.preparing === null) pick(cluster);
    clock.runAll();
    builds.push(cpuMs() - start);
    longest.push(Math.max(0, ...clock.sliceMs));
    slices.push(clock.sliceMs.length);
    flapUs = flapOf(cluster, count);
  }
  const isSliced = (slices[0] as number) > 0;
  return {
    name: `table of ${count} hosts: ${name}`,
    buildMs: round2(median(builds)),
    ...(isSliced ? { slices: median(slices), longestSliceMs: round2(median(longest)) } : {}),
    flapUs: round2(flapUs),
  };
}

/** CPU of this process: a busy machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A host becomes unhealthy, or well again, and the next pick. */
function flapOf(cluster: LiveCluster, count: number): number {
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const start = performance.now();
    cluster.setHealthy(addressOf((i >> 1) % count), i % 2 === 1);
    pick(cluster);
    times.push((performance.now() - start) * 1000);
  }
  return median(times);
}

function pick(cluster: LiveCluster): void {
  const s = { triedHosts: null, route: null, metadata: null, peer: { address: '10.0.0.1' } };
  const host = cluster.chooseHost(s as unknown as Stream);
  if (typeof host === 'number') throw new Error(`no host: code ${host}`);
  cluster.release(host);
}

const addressOf = (i: number): string => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`;

function clusterOf(name: string, count: number, clock: SliceClock): LiveCluster {
  const settings = clusterSettings({ name: 'bench', loadBalancer: { name }, panicThresholdPercent: 0 });
  const cluster = createCluster(settings, {
    createUpstream: () => upstream,
    balancers: new Map(definitions.map((each) => [each.name, each])),
    clock,
    random: new SeededRandom(1),
    metrics: new MetricsTable(),
    logger: silent,
  });
  const added = Array.from(
    { length: count },
    (_, i): Endpoint => ({
      address: addressOf(i),
      weight: 1,
      metadata: {},
      zone: '',
      priority: 0,
      hostname: '',
    }),
  );
  cluster.applyDelta({ service: 'bench', version: 1, full: true, added, removed: [], changed: [] });
  return cluster;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;
const round2 = (value: number): number => Math.round(value * 100) / 100;
