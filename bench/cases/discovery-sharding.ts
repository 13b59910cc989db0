/**
 * What a list of 10,000 hosts costs with a connection to each, whole or sharded. Arguments: the share (1 or 0.5), seconds
 * of traffic (1,000 calls a second) and of rest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createMesh } from '../../src/mesh.ts';
import { endpointAt, scriptedRegistry, startAnyHost } from '../discovery/any-host.ts';
import { cpuMs, round3 } from '../harness/lists.ts';

const fraction = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? 5);
const hosts = 10_000;
const collect = globalThis.gc as () => void;

const backend = await startAnyHost();
const registry = scriptedRegistry(Array.from({ length: hosts }, (_, i) => endpointAt(i, backend.port)));
collect();
const rssBefore = process.memoryUsage.rss();
const cpuBefore = cpuMs();
const mesh = await createMesh(
  {
    clusters: [
      {
        name: 'users',
        discovery: { name: 'bench', service: 'users' },
        pool: { preconnect: 1, idleTimeoutMs: 600_000 },
        connectTimeoutMs: 30_000,
        circuitBreakers: { maxConnections: 20_000, maxPending: 0, maxRequests: 0 },
        ...(fraction < 1 && { sharding: { fraction, clientKey: 'bench' } }),
      },
    ],
  } as unknown as Parameters<typeof createMesh>[0],
  { use: [{ registries: [registry.definition] }] },
);

function connections(): number {
  let count = 0;
  for (const host of mesh.clusters.get('users')?.hostSet.all ?? []) count += host.connections ?? 0;
  return count;
}

const wanted = Math.ceil(hosts * fraction);
const deadline = performance.now() + 60_000;
while (connections() < wanted && performance.now() < deadline) await delay(50);
await delay(1000);
const openCpuMs = cpuMs() - cpuBefore;

let failures = 0;
async function call(): Promise<void> {
  const response = await mesh.request({ path: '/', authority: 'users' });
  await response.bytes();
  if (response.status !== 200) failures++;
}

const trafficCpu = cpuMs();
const start = performance.now();
for (let called = 0; performance.now() - start < seconds * 1000; ) {
  const due = performance.now() - start;
  for (; called < due; called++) call().catch(() => failures++);
  await delay(1);
}
await delay(200);
const trafficCpuMs = cpuMs() - trafficCpu;
const restCpu = cpuMs();
await delay(seconds * 1000);
const restCpuMs = cpuMs() - restCpu;
collect();
process.stdout.write(
  `${JSON.stringify({
    hosts: mesh.clusters.get('users')?.hostSet.all.length,
    connections: connections(),
    rssMiB: round3((process.memoryUsage.rss() - rssBefore) / 2 ** 20),
    openCpuMs: Math.round(openCpuMs),
    trafficCpuPercent: round3(trafficCpuMs / (seconds * 10)),
    restCpuPercent: round3(restCpuMs / (seconds * 10)),
    failures,
  })}\n`,
);
await mesh.close();
backend.stop();
process.exit(0);
