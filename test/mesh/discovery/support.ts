import type { ExecutionContext } from 'ava';
import * as v from 'valibot';
import type { RegistryDefinition } from '../../../src/core/contract/registry.ts';
import {
  type FrameworkConfig,
  frameworkEntries,
} from '../../../src/core/discovery/framework/framework-config.ts';
import { FrameworkRegistry } from '../../../src/core/discovery/framework/framework-registry.ts';
import { createMesh, type Mesh } from '../../../src/mesh.ts';
import type { MemorySources } from '../../../src/testing/memory-sources.ts';
import { type Upstream, upstream } from '../support.ts';

/** A server at which connections and calls are counted. */
export interface Counted extends Upstream {
  calls: number;
  /** Connections that were ever opened. */
  opened: number;
}

export async function counted(t: ExecutionContext, count: number): Promise<Counted[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const state = { calls: 0, opened: 0 };
      const server = await upstream(t, (request, response) => {
        request.resume();
        state.calls++;
        response.end('ok');
      });
      server.server.on('connection', () => state.opened++);
      return Object.assign(state, server);
    }),
  );
}

/** A mesh whose registry "test" has its services in memory. */
export async function meshOn(
  t: ExecutionContext,
  sources: MemorySources,
  registry: Partial<v.InferInput<typeof schema>>,
  cluster: Record<string, unknown> = {},
): Promise<Mesh> {
  const definition: RegistryDefinition<FrameworkConfig> = {
    name: 'test',
    config: schema,
    create: (config, context) => new FrameworkRegistry('test', sources, config, context),
  };
  const mesh = await createMesh(
    {
      clusters: [
        {
          name: 'users',
          discovery: { name: 'test', service: 'a.B', config: registry },
          circuitBreakers: { maxPending: 0, maxRequests: 0 },
          ...cluster,
        },
      ],
    } as Parameters<typeof createMesh>[0],
    { use: [{ registries: [definition as RegistryDefinition] }] },
  );
  t.teardown(() => mesh.close());
  return mesh;
}
const schema = v.strictObject(frameworkEntries);

/** At the interface level. */
export function putUrl(sources: MemorySources, address: string): void {
  const url = `http://${address}/a.B?interface=a.B`;
  sources.put('interfaces', 'a.B', url, url);
}

export function removeUrl(sources: MemorySources, address: string): void {
  sources.remove('interfaces', 'a.B', `http://${address}/a.B?interface=a.B`);
}

/** At the application level, in one revision. */
export function putInstance(sources: MemorySources, address: string): void {
  const service = {
    name: 'a.B',
    group: '',
    version: '',
    protocol: 'http',
    port: 0,
    path: '',
    parameters: {},
  };
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata({ application: 'shop', revision: 'r1', services: new Map([['a.B:http', service]]) });
  sources.putInstance({ application: 'shop', address, revision: 'r1', metadata: {} });
}

/** Calls on and on, some at once, until `stop`; every failure is noted. */
export function keepCalling(
  mesh: Mesh,
  atOnce = 8,
): { stop(): Promise<{ calls: number; failures: string[] }> } {
  const failures: string[] = [];
  let calls = 0;
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      calls++;
      try {
        const response = await mesh.request({ path: '/', authority: 'users' });
        if ((await response.text()) !== 'ok') failures.push(`status ${response.status}`);
      } catch (thrown) {
        failures.push(String(thrown));
      }
    }
  };
  const callers = Array.from({ length: atOnce }, caller);
  return {
    async stop() {
      isOver = true;
      await Promise.all(callers);
      return { calls, failures };
    },
  };
}

export function addressesOf(mesh: Mesh): string[] {
  const hosts = mesh.clusters.get('users')?.hostSet.all ?? [];
  return hosts.map(({ address }) => address).toSorted();
}
