import type { RegistryContext } from '../../../core/contract/registry.ts';
import type { ServiceSources } from '../../../core/contract/service-source.ts';
import { MetadataServices } from '../metadata-service/index.ts';
import { under, type ZooKeeperConfig } from './config.ts';
import { connectZooKeeper, registryName } from './connect.ts';
import { CuratorInstances } from './layouts/curator-instances.ts';
import { DubboMetadata } from './layouts/dubbo-metadata.ts';
import { DubboPaths } from './layouts/dubbo-paths.ts';
import { DubboTarget } from './layouts/dubbo-target.ts';
import { ProviderUrls } from './layouts/provider-urls.ts';
import { SofaTarget, sofaProviders } from './layouts/sofa.ts';
import { MappingTexts, RuleTexts } from './layouts/texts.ts';

/** Both levels of Dubbo, its metadata and rules. */
export function dubboSources(config: ZooKeeperConfig, context: RegistryContext): ServiceSources {
  const { client, publisher, health, close } = connectZooKeeper(config, context);
  const paths = new DubboPaths({
    root: under(config.root ?? '/dubbo'),
    instances: under(config.instancesRoot),
    metadata: under(config.metadataRoot),
    config: under(config.configRoot),
  });
  const services = new MetadataServices(context, context.dialer(registryName, null, []));
  return {
    mapping: new MappingTexts(client, (interfaceName) => paths.mapping(interfaceName)),
    instances: new CuratorInstances(client, paths.instances, context.logger),
    metadata: new DubboMetadata(client, paths, services),
    interfaces: new ProviderUrls(client, (interfaceName) => paths.providers(interfaceName)),
    rules: new RuleTexts(client, (application) => paths.migrationRule(application)),
    target: new DubboTarget(publisher, paths, context.clock),
    health,
    close,
  };
}

/** SOFARPC has the interface level alone. */
export function sofaSources(config: ZooKeeperConfig, context: RegistryContext): ServiceSources {
  const { client, publisher, health, close } = connectZooKeeper(config, context);
  const root = under(config.root ?? '/');
  return {
    mapping: null,
    instances: null,
    metadata: null,
    interfaces: new ProviderUrls(client, (interfaceName) => sofaProviders(root, interfaceName)),
    rules: null,
    target: new SofaTarget(publisher, root),
    health,
    close,
  };
}
