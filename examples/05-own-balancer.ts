/**
 * A load balancer of your own: `update` gets each new list of hosts, `pick` chooses one for a request.
 * This one keeps callers of one tenant on one host, and lets them move only when that host goes.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as v from 'valibot';
import { type BalancerDefinition, createMesh, type Host } from '../src/index.ts';

const config = v.strictObject({ header: v.optional(v.string(), 'x-tenant') });

const byTenant: BalancerDefinition<v.InferOutput<typeof config>> = {
  name: 'byTenant',
  config,
  create({ header }) {
    let hosts: readonly Host[] = [];
    return {
      // Off the hot path: prepare whatever makes `pick` cheap.
      update(set) {
        hosts = [...set.available].sort((a, b) => (a.address < b.address ? -1 : 1));
      },
      // Never throws; null means that there is no host. `s` is null for `mesh.connect`.
      pick(s) {
        let hash = 0;
        for (const char of s?.req.get(header) ?? '') hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
        return hosts[hash % hosts.length] ?? null;
      },
    };
  },
};

const servers = await Promise.all(
  ['a', 'b', 'c'].map(async (name) => {
    const server = createServer((_request, response) => response.end(name));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }),
);

const mesh = await createMesh(
  {
    clusters: [
      {
        name: 'files',
        endpoints: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
        loadBalancer: { name: 'byTenant', config: { header: 'x-tenant' } },
      },
    ],
  },
  { use: [{ balancers: [byTenant] }] },
);

for (const tenant of ['blue', 'green', 'red']) {
  const hosts = new Set<string>();
  for (let i = 0; i < 10; i++) {
    const response = await mesh.request({ authority: 'files', headers: { 'x-tenant': tenant } });
    hosts.add(await response.text());
  }
  console.log(tenant, 'was served by', [...hosts].join(', '));
}

await mesh.close();
for (const server of servers) server.close();
