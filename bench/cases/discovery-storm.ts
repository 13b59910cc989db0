/**
 * Traffic while the list changes: 500 calls a second over real connections to 50 hosts of a cluster of 50,000 with
 * subsets, in turn for some seconds of calm and some of 100 changes a second. Arguments: turns of each, seconds of one.
 * A call's time counts from when it was due: what holds the loop up counts for every call that waits for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createMesh } from '../../src/mesh.ts';
import { endpointAt, scriptedRegistry, startAnyHost } from '../discovery/any-host.ts';
import { endpointOf, quantile, round3, subsets } from '../harness/lists.ts';

const turns = Number(process.argv[2] ?? 4);
const seconds = Number(process.argv[3] ?? 4);
const hosts = 50_000;
const live = 50;
const callsPerSecond = 500;
const changesPerSecond = 100;

const backend = await startAnyHost();
const liveHosts = Array.from({ length: live }, (_, i) => endpointAt(i, backend.port, { stage: 'live' }));
const others = Array.from({ length: hosts - live }, (_, i) => endpointOf(i));
const registry = scriptedRegistry([...liveHosts, ...others]);
const mesh = await createMesh(
  {
    clusters: [
      {
        name: 'users',
        discovery: { name: 'bench', service: 'users' },
        subsets: { ...subsets, selectors: [...subsets.selectors, { keys: ['stage'] }] },
      },
    ],
    inProcess: {
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, cluster: 'users', metadataMatch: { stage: 'live' } }],
        },
      ],
    },
  } as unknown as Parameters<typeof createMesh>[0],
  { use: [{ registries: [registry.definition] }] },
);

let failures = 0;
async function call(dueMs: number, times: number[]): Promise<void> {
  try {
    const response = await mesh.request({ path: '/', authority: 'users' });
    await response.bytes();
    if (response.status !== 200) failures++;
  } catch {
    failures++;
  }
  times.push(performance.now() - dueMs);
}

let turn = 0;
function change(): void {
  const at = turn++ % others.length;
  const endpoint = endpointOf(at, 1 + (turn % 7));
  if (turn % 2 === 0) registry.feed?.apply({ put: [endpoint], removed: [] });
  else registry.feed?.apply({ put: [], removed: [endpoint.address] });
}

async function run(isStorm: boolean): Promise<number> {
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const start = performance.now();
  let called = 0;
  let changed = 0;
  while (performance.now() - start < seconds * 1000) {
    const passed = (performance.now() - start) / 1000;
    for (; called < passed * callsPerSecond; called++) {
      pending.push(call(start + (called * 1000) / callsPerSecond, times));
    }
    if (isStorm) for (; changed < passed * changesPerSecond; changed++) change();
    await delay(1);
  }
  await Promise.all(pending);
  return quantile(times, 0.99);
}

await run(false);
await run(true);
const calm: number[] = [];
const storm: number[] = [];
for (let i = 0; i < turns; i++) {
  calm.push(await run(false));
  storm.push(await run(true));
}
process.stdout.write(
  `${JSON.stringify({
    calmP99Ms: round3(quantile(calm, 0.5)),
    stormP99Ms: round3(quantile(storm, 0.5)),
    ratio: round3(quantile(storm, 0.5) / quantile(calm, 0.5)),
    changes: turn,
    failures,
  })}\n`,
);
await mesh.close();
backend.stop();
process.exit(0);
