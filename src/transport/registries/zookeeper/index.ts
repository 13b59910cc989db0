import type { RegistryDefinition } from '../../../core/contract/registry.ts';
import { FrameworkRegistry } from '../../../core/discovery/framework/framework-registry.ts';
import { ZooKeeperConfig } from './config.ts';
import { registryName } from './connect.ts';
import { PlainZooKeeperRegistry } from './plain-registry.ts';
import { dubboSources, sofaSources } from './sources.ts';

/**
 * Services on Apache ZooKeeper, in the layout of Dubbo, SOFARPC or our own. See docs/discovery.md.
 *
 * @example
 * { name: 'users', discovery: { name: 'zookeeper', service: 'com.example.Users', config: { addresses: ['zk1', 'zk2', 'zk3'] } } }
 */
export const zookeeperRegistry: RegistryDefinition<ZooKeeperConfig> = {
  name: 'zookeeper',
  config: ZooKeeperConfig,
  create: (config, context) => {
    const { dialect } = config;
    if (dialect === 'plain') return new PlainZooKeeperRegistry(config, context);
    const sources = dialect === 'sofa' ? sofaSources(config, context) : dubboSources(config, context);
    return new FrameworkRegistry(registryName, sources, { ...config, dialect }, context);
  },
};
