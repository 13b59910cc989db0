import * as v from 'valibot';
import type { Registry, RegistryContext } from '../../../../src/core/contract/registry.ts';
import { createDialer, createFileAccess, DrivenWheel, SystemClock } from '../../../../src/transport/index.ts';
import { NacosConfig } from '../../../../src/transport/registries/nacos/config.ts';
import { nacosRegistry } from '../../../../src/transport/registries/nacos/index.ts';
import { MemoryLogger } from '../../../core/cluster/support.ts';
import { testContext } from '../../../core/discovery/support.ts';
import type { Teardown } from '../../../mesh/support.ts';
import { FakeNacos } from './fake-nacos.ts';

export interface Place {
  readonly server: FakeNacos;
  readonly logger: MemoryLogger;
  readonly context: RegistryContext;
  /** A registry as a configuration makes it, with short waits. */
  open(config?: Record<string, unknown>): Registry;
}

/** Time runs here: the client stands on real sockets. */
export async function place(t: Teardown): Promise<Place> {
  const server = await new FakeNacos().start();
  const clock = new SystemClock();
  const wheel = new DrivenWheel(clock);
  const logger = new MemoryLogger();
  const dial = createDialer(clock, wheel);
  const context = { ...testContext(), clock, logger, files: createFileAccess(clock), dialer: () => dial };
  const opened: Registry[] = [];
  t.teardown(async () => {
    for (const each of opened) await each.close();
    await server.close();
    wheel.close();
  });
  return {
    server,
    logger,
    context,
    open: (config = {}) => {
      const checked = v.parse(NacosConfig, {
        addresses: [server.address],
        grpcPortOffset: server.offset,
        backoffBaseMs: 20,
        backoffMaxMs: 50,
        connectTimeoutMs: 1000,
        requestTimeoutMs: 1000,
        ...config,
      });
      const registry = nacosRegistry.create(checked, context as RegistryContext);
      opened.push(registry);
      return registry;
    },
  };
}

/** Longer than the debounce and than every rest between two attempts. */
const quietMs = 250;

/**
 * Returns when nothing has moved for a while; client and server share this loop, so what is under way moves it.
 * @param isOpen the client should have a connection where there is a server
 */
export async function quiet(server: FakeNacos, isOpen: () => boolean): Promise<void> {
  for (
    let seen = -1;
    seen !== server.activity || (isOpen() && server.isUp && server.connections.size === 0);
  ) {
    seen = server.activity;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
}
