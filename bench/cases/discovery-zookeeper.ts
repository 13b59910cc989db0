/**
 * From a write to a real ZooKeeper to the first pick that may take the new host, at 100 changes a second in an application of
 * 1,000 instances: each second 100 come and 100 go. Argument: seconds. Prints a reason where there is no ZooKeeper.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import type { RegistryContext } from '../../src/core/contract/registry.ts';
import { formatCuratorInstance, instanceOf } from '../../src/core/discovery/dubbo/instance.ts';
import { createMesh } from '../../src/mesh.ts';
import { ZooKeeperConfig } from '../../src/transport/registries/zookeeper/config.ts';
import { connectZooKeeper } from '../../src/transport/registries/zookeeper/connect.ts';
import { aclOf } from '../../src/transport/registries/zookeeper/layouts/acl.ts';
import { startZooKeeper } from '../discovery/zookeeper.ts';
import { quantile, round3, silent } from '../harness/lists.ts';

const seconds = Number(process.argv[2] ?? 10);
const hosts = 1000;
const changesPerSecond = 100;
const persistent = 0;
const folder = '/services/shop';

const server = await startZooKeeper();
if (server === null) {
  process.stdout.write(
    `${JSON.stringify({ reason: 'no ZooKeeper here: apt-get install zookeeper, or npm run interop' })}\n`,
  );
  process.exit(0);
}
const config = { addresses: [server.address] };
const writerMesh = await createMesh({});
const writer = connectZooKeeper(v.parse(ZooKeeperConfig, config), {
  ...writerMesh.runtime,
  logger: silent,
} as RegistryContext);
const acl = aclOf('open');
await untilConnected();
await writer.client.createParents(`${folder}/x`, acl);
await Promise.all(Array.from({ length: hosts }, (_, i) => put(i)));

const mesh = await createMesh({
  clusters: [{ name: 'users', discovery: { name: 'zookeeper', service: 'application:shop', config } }],
});
const cluster = mesh.clusters.get('users');
while ((cluster?.hostSet.all.length ?? 0) < hosts) await delay(10);

async function untilConnected(): Promise<void> {
  while (writer.health().status !== 'ok' || writer.client.session.connection === null) await delay(20);
}

function addressOf(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:20880`;
}

async function put(i: number): Promise<void> {
  const [host = ''] = addressOf(i).split(':');
  const data = Buffer.from(formatCuratorInstance(instanceOf('shop', host, 20880, {}), 0));
  await writer.client.create(`${folder}/${addressOf(i)}`, data, persistent, acl);
}

/** By address: when its write began. */
const waiting = new Map<string, number>();
const latencies: number[] = [];
let version = -1;
let next = hosts;
let member = 0;
let failures = 0;

/** The set that the next pick takes from has the host. */
function look(): void {
  const set = cluster?.hostSet;
  if (set === undefined || set.changes === null || set.version === version) return;
  version = set.version;
  const now = performance.now();
  for (const { address } of set.changes.added) {
    const at = waiting.get(address);
    if (at === undefined) continue;
    waiting.delete(address);
    latencies.push(now - at);
  }
}

const start = performance.now();
let written = 0;
while (performance.now() - start < seconds * 1000) {
  const due = Math.floor(((performance.now() - start) / 1000) * changesPerSecond);
  for (; written < due; written++) {
    waiting.set(addressOf(next), performance.now());
    put(next++).catch(() => failures++);
    writer.client.delete(`${folder}/${addressOf(member++)}`).catch(() => failures++);
  }
  look();
  await delay(1);
}
for (const deadline = performance.now() + 5000; waiting.size > 0 && performance.now() < deadline; ) {
  look();
  await delay(1);
}
process.stdout.write(
  `${JSON.stringify({
    changes: written,
    seen: latencies.length,
    missing: waiting.size + failures,
    p50Ms: round3(quantile(latencies, 0.5)),
    p99Ms: round3(quantile(latencies, 0.99)),
  })}\n`,
);
await mesh.close();
await writer.close();
await writerMesh.close();
await server.stop();
process.exit(0);
