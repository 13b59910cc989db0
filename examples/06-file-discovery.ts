/**
 * Hosts from a file that is watched: one instance leaves the list, another joins, and calls go on.
 * A file that is broken or empty keeps the last good list and shows in the cluster's health.
 */
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMesh } from '../src/index.ts';

async function startService(name: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(name));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

const folder = await mkdtemp(join(tmpdir(), 'heddle-example-'));
const path = join(folder, 'services.yaml');

/** By rename, as deployment tools do: a reader sees the old list or the new one. */
async function list(servers: readonly Server[]): Promise<void> {
  const addresses = servers.map((server) => `  - 127.0.0.1:${(server.address() as AddressInfo).port}`);
  await writeFile(`${path}.new`, ['users:', ...addresses, ''].join('\n'));
  await rename(`${path}.new`, path);
}

const [one, two, three] = await Promise.all([
  startService('one'),
  startService('two'),
  startService('three'),
]);
await list([one, two]);

const mesh = await createMesh({
  clusters: [{ name: 'users', discovery: { name: 'file', config: { path } } }],
});

/** Calls until the answers come from exactly `names`. */
async function untilServedBy(...names: string[]): Promise<void> {
  const wanted = names.toSorted().join(' ');
  for (;;) {
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) seen.add(await (await mesh.request({ authority: 'users' })).text());
    if ([...seen].toSorted().join(' ') === wanted) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log('served by', wanted);
}

await untilServedBy('one', 'two');
await list([two, three]);
await untilServedBy('two', 'three');

await mesh.close();
for (const server of [one, two, three]) server.close();
await rm(folder, { recursive: true });
