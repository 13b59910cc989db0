import * as v from 'valibot';
import type { Registry, RegistryContext } from '../../../../src/core/contract/registry.ts';
import { ZooKeeperConfig } from '../../../../src/transport/registries/zookeeper/config.ts';
import { zookeeperRegistry } from '../../../../src/transport/registries/zookeeper/index.ts';
import { type TestContext, testContext } from '../../../core/discovery/support.ts';
import { FakeZooKeeper } from './fake-server.ts';
import { FakeNet } from './support.ts';

export interface Place {
  readonly net: FakeNet;
  readonly server: FakeZooKeeper;
  readonly context: RegistryContext & Pick<TestContext, 'logger' | 'files'>;
  /** A registry as a configuration makes it; its `close` moves the bytes that it takes. */
  open(config: Record<string, unknown>): Registry;
}

export function place(options: ConstructorParameters<typeof FakeZooKeeper>[1] = {}): Place {
  const net = new FakeNet();
  const server = new FakeZooKeeper(net.clock, options);
  net.servers.set('zk1:2181', server);
  const context = { ...testContext(), clock: net.clock, dialer: () => net.dial };
  return {
    net,
    server,
    context,
    open: (config) => {
      const checked = v.parse(ZooKeeperConfig, { addresses: ['zk1'], ...config });
      const registry = zookeeperRegistry.create(checked, context);
      const close = async (): Promise<void> => {
        const closing = registry.close();
        for (let i = 0; i < 50; i++) await net.pass(100);
        await closing;
      };
      const { publish } = registry;
      return {
        subscribe: (service, onDelta) => registry.subscribe(service, onDelta),
        health: () => registry.health(),
        ...(publish !== undefined && { publish: (publication) => publish.call(registry, publication) }),
        close,
      };
    },
  };
}
