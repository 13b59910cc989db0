/**
 * From the registry's write to the first pick that may take the new host, at 100 changes a second in an application of
 * 50,000 instances: each second 100 come and 100 go. Argument: seconds. Traffic picks about a thousand times a second.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom } from '../../src/core/base/random.ts';
import type { RegistryContext } from '../../src/core/contract/registry.ts';
import { FrameworkRegistry } from '../../src/core/discovery/framework/framework-registry.ts';
import { MetricsTable } from '../../src/core/observe/metrics.ts';
import { MemorySources } from '../../src/testing/memory-sources.ts';
import { SystemClock } from '../../src/transport/index.ts';
import { clusterOf, cpuMs, pick, quantile, round3, silent, streamFor } from '../harness/lists.ts';

const seconds = Number(process.argv[2] ?? 10);
const hosts = 50_000;
const changesPerSecond = 100;

const sources = new MemorySources();
const context = {
  clock: new SystemClock(),
  random: new SeededRandom(1),
  logger: silent,
  metrics: new MetricsTable(),
} as unknown as RegistryContext;
const registry = new FrameworkRegistry(
  'bench',
  sources,
  {
    dialect: 'dubbo',
    application: '',
    providedBy: { '*': ['shop'] },
    migration: {
      step: 'FORCE_APPLICATION',
      threshold: 0,
      proportion: 100,
      delayMs: 0,
      force: false,
      services: {},
    },
    publishAs: 'both',
    allowEmpty: false,
  },
  context,
);
const plain = { name: 'a.B', group: '', version: '', protocol: 'dubbo', port: 0, path: '', parameters: {} };
sources.putMetadata({ application: 'shop', revision: 'r1', services: new Map([['a.B:dubbo', plain]]) });
for (let i = 0; i < hosts; i++) put(i);

const cluster = clusterOf({ loadBalancer: { name: 'roundRobin' } });
registry.subscribe('a.B', (delta) => cluster.applyDelta(delta));
await delay(2500);
const s = streamFor({});
pick(cluster, s);

function addressOf(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`;
}

function put(i: number): void {
  sources.putInstance({ application: 'shop', address: addressOf(i), revision: 'r1', metadata: {} });
}

/** By address: when it was written. */
const waiting = new Map<string, number>();
const latencies: number[] = [];
let next = hosts;
let member = 0;
let version = -1;
const startCpu = cpuMs();
const start = performance.now();
let written = 0;
while (performance.now() - start < seconds * 1000) {
  const due = Math.floor(((performance.now() - start) / 1000) * changesPerSecond);
  for (; written < due; written++) {
    waiting.set(addressOf(next), performance.now());
    put(next++);
    sources.remove('instances', 'shop', addressOf(member++));
  }
  look();
  await delay(1);
}
const cpu = cpuMs() - startCpu;
const deadline = performance.now() + 5000;
while (waiting.size > 0 && performance.now() < deadline) {
  look();
  await delay(1);
}

/** Traffic: the set that the next pick takes from has the host, so that it may be picked first. */
function look(): void {
  pick(cluster, s);
  const now = performance.now();
  const { changes, version: current } = cluster.hostSet;
  if (changes === null || current === version) return;
  version = current;
  for (const { address } of changes.added) {
    const at = waiting.get(address);
    if (at === undefined) continue;
    waiting.delete(address);
    latencies.push(now - at);
  }
}

process.stdout.write(
  `${JSON.stringify({
    changes: written,
    seen: latencies.length,
    missing: waiting.size,
    p50Ms: round3(quantile(latencies, 0.5)),
    p99Ms: round3(quantile(latencies, 0.99)),
    cpuPercent: round3((cpu / (seconds * 1000)) * 100),
  })}\n`,
);
await registry.close();
process.exit(0);
