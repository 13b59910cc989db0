import type { RegistryDefinition } from '../../../core/contract/registry.ts';
import { FrameworkRegistry } from '../../../core/discovery/framework/framework-registry.ts';
import { NacosConfig } from './config.ts';
import { registryName } from './connect.ts';
import { PlainNacosRegistry } from './plain-registry.ts';
import { dubboSources, sofaSources } from './sources.ts';

/**
 * Services on Nacos 2 and 3, one Nacos service each or in the layout of Dubbo or SOFARPC. See docs/discovery.md.
 *
 * @example
 * { name: 'users', discovery: { name: 'nacos', config: { addresses: ['10.0.0.5:8848'] } } }
 */
export const nacosRegistry: RegistryDefinition<NacosConfig> = {
  name: 'nacos',
  config: NacosConfig,
  create: (config, context) => {
    const { dialect } = config;
    if (dialect === 'plain') return new PlainNacosRegistry(config, context);
    const sources = dialect === 'sofa' ? sofaSources(config, context) : dubboSources(config, context);
    return new FrameworkRegistry(registryName, sources, { ...config, dialect }, context);
  },
};
