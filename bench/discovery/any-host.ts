/** A process that answers at every loopback address, and a mesh with a list that the bench writes. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Endpoint } from '../../src/core/contract/cluster.ts';
import type { RegistryDefinition } from '../../src/core/contract/registry.ts';
import { ServiceFeed } from '../../src/core/discovery/service-feed.ts';

const script = fileURLToPath(new URL('../cases/any-host.mjs', import.meta.url));

export interface AnyHost {
  readonly port: number;
  stop(): void;
}

/** Ends with this process. */
export async function startAnyHost(): Promise<AnyHost> {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const { port } = JSON.parse(line) as { port: number };
    return { port, stop: () => child.stdin.end() };
  }
  throw new Error('the hosts did not start');
}

/** The address of the i-th host. */
function hostAt(i: number, port: number): string {
  return `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}:${port}`;
}

export function endpointAt(
  i: number,
  port: number,
  metadata: Readonly<Record<string, string>> = {},
): Endpoint {
  return { address: hostAt(i, port), weight: 1, metadata, zone: '', priority: 0, hostname: '' };
}

/** A registry named "bench" of one list; `feed` is there once a mesh subscribed. */
export function scriptedRegistry(first: readonly Endpoint[]): {
  readonly definition: RegistryDefinition<object>;
  feed: ServiceFeed | null;
} {
  const scripted = {
    feed: null as ServiceFeed | null,
    definition: {
      name: 'bench',
      config: v.strictObject({}),
      isFixed: true,
      create: (_config: object, { clock, logger }: { clock: never; logger: never }) => ({
        subscribe: (service: string, onDelta: Parameters<ServiceFeed['subscribe']>[0]) => {
          const feed = new ServiceFeed(service, clock, logger);
          feed.publish(first);
          scripted.feed = feed;
          const stop = feed.subscribe(onDelta);
          return () => {
            stop();
            feed.close();
          };
        },
        health: () => ({ status: 'ok' as const, reason: '', sinceMs: 0 }),
        close: async () => {},
      }),
    } as unknown as RegistryDefinition<object>,
  };
  return scripted;
}
