/**
 * One change among 50,000 hosts with 618 subsets in use, from the registry's edge to the next pick, against building
 * everything anew from the whole list (what a mesh without deltas does). Argument: number of changes.
 */

import type { LiveCluster } from '../../src/core/cluster/cluster.ts';
import { ShardedRegistry } from '../../src/core/discovery/index.ts';
import { ServiceFeed } from '../../src/core/discovery/service-feed.ts';
import { SystemClock } from '../../src/transport/index.ts';
import {
  allSubsets,
  clusterOf,
  cpuMs,
  endpointOf,
  heapBytes,
  pick,
  quantile,
  round3,
  silent,
  streamFor,
  subsets,
} from '../harness/lists.ts';

const hosts = 50_000;
const rounds = Number(process.argv[2] ?? 2000);
const collect = globalThis.gc as () => void;
const all = allSubsets().map((each) => streamFor(each));
const list = Array.from({ length: hosts }, (_, i) => endpointOf(i));

const feed = new ServiceFeed('bench', new SystemClock(), silent);
const cluster = clusterOf({ subsets });
feed.subscribe((delta) => cluster.applyDelta(delta));
feed.publish(list);
use(cluster);

/** A pick out of every subset. */
function use(target: LiveCluster): void {
  for (const s of all) pick(target, s);
}

/** A host gets other metadata, leaves, or comes back. */
function changeOne(i: number): void {
  const at = (i * 7919) % hosts;
  const before = endpointOf(at);
  const kind = i % 3;
  if (kind === 0) feed.apply({ put: [endpointOf(at, 1 + (i % 7))], removed: [] });
  else feed.apply({ put: [], removed: [before.address] });
  feed.flush();
  pick(cluster, streamFor({ app: before.metadata['app'] as string }));
  if (kind === 0) return;
  feed.apply({ put: [before], removed: [] });
  feed.flush();
  pick(cluster, streamFor({ app: before.metadata['app'] as string }));
}

function changes(): { times: number[]; cpuUs: number } {
  const times: number[] = [];
  const start = cpuMs();
  for (let i = 0; i < rounds; i++) {
    const from = performance.now();
    changeOne(i);
    times.push(performance.now() - from);
  }
  return { times, cpuUs: ((cpuMs() - start) * 1000) / rounds };
}

/** As a mesh does that gets whole lists: a cluster from nothing, its subsets picked from. */
function rebuild(): { ms: number; bytes: number } {
  collect();
  const before = heapBytes();
  const start = cpuMs();
  const other = clusterOf({ subsets });
  other.applyDelta({ service: 'bench', version: 1, full: true, added: list, removed: [], changed: [] });
  use(other);
  const ms = cpuMs() - start;
  collect();
  const bytes = heapBytes() - before;
  other.close();
  return { ms, bytes };
}

/** Heap that some changes take before it is collected: none is while they run, they are too few. */
function bytesOfChange(): number {
  const batch = 100;
  collect();
  const before = heapBytes();
  for (let i = 0; i < batch; i++) changeOne(i * 3);
  return (heapBytes() - before) / batch;
}

/** The same with half of the list: the part, its cluster, and a pick. */
function shardedChanges(): number[] {
  const half = new ServiceFeed('bench', new SystemClock(), silent);
  const part = clusterOf({ subsets });
  const inner = {
    subscribe: (_service: string, onDelta: Parameters<ServiceFeed['subscribe']>[0]) =>
      half.subscribe(onDelta),
    health: () => ({ status: 'ok' as const, reason: '', sinceMs: 0 }),
    close: async () => {},
  };
  const sharded = new ShardedRegistry(
    inner,
    { size: { fraction: 0.5 }, clientKey: 'bench' },
    new SystemClock(),
  );
  sharded.subscribe('bench', (delta) => part.applyDelta(delta));
  half.publish(list);
  use(part);
  const taken: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const gone = endpointOf((i * 7919) % hosts);
    const from = performance.now();
    half.apply({ put: i % 2 === 0 ? [] : [gone], removed: i % 2 === 0 ? [gone.address] : [] });
    half.flush();
    pick(part, streamFor({ app: gone.metadata['app'] as string }));
    taken.push(performance.now() - from);
  }
  return taken;
}

changes();
const { times, cpuUs } = changes();
const rebuilds = Array.from({ length: 7 }, rebuild).slice(2);
const rebuildMs = quantile(
  rebuilds.map(({ ms }) => ms),
  0.5,
);
const rebuildBytes = quantile(
  rebuilds.map(({ bytes }) => bytes),
  0.5,
);
const changeBytes = bytesOfChange();
const sharded = shardedChanges();
process.stdout.write(
  `${JSON.stringify({
    medianMs: round3(quantile(times, 0.5)),
    p99Ms: round3(quantile(times, 0.99)),
    shardedMedianMs: round3(quantile(sharded, 0.5)),
    changeCpuUs: round3(cpuUs),
    rebuildCpuMs: round3(rebuildMs),
    changeBytes: Math.round(changeBytes),
    rebuildBytes: Math.round(rebuildBytes),
  })}\n`,
);
process.exit(0);
