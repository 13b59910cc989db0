import { messageOf } from '../../../core/base/errors.ts';
import type { RegistryContext } from '../../../core/contract/registry.ts';
import type {
  InstanceSource,
  MetadataSource,
  ServiceInstance,
  ServiceSources,
} from '../../../core/contract/service-source.ts';
import { instanceKeys, instanceOf } from '../../../core/discovery/dubbo/instance.ts';
import { parseMetadataInfo } from '../../../core/discovery/dubbo/metadata-info.ts';
import { MetadataServices } from '../metadata-service/index.ts';
import type { Configs } from './client/configs.ts';
import type { Naming } from './client/naming.ts';
import { type NacosConfig, usualPlace } from './config.ts';
import { connectNacos, registryName } from './connect.ts';
import { isServing, textsOf } from './layouts/instances.ts';
import { dubboLayout, ProviderServices, sofaLayout } from './layouts/provider-services.ts';
import { NacosTarget } from './layouts/target.ts';
import { mappingTexts, ruleTexts } from './layouts/texts.ts';

/** Instances that are asked before it is put off. */
const maxAsked = 3;

/** @throws HeddleError ERR_TLS_CONFIG, ERR_OPTION_INVALID */
export function dubboSources(config: NacosConfig, context: RegistryContext): ServiceSources {
  const connected = connectNacos(config, context);
  const { naming, configs, health, close } = connected;
  const { group, clusters } = config;
  const { cluster } = usualPlace(config);
  const services = new MetadataServices(context, context.dialer(registryName, null, []));
  return {
    mapping: mappingTexts(configs),
    instances: instancesOf(naming, config),
    metadata: metadataOf(configs, services),
    interfaces: new ProviderServices(naming, dubboLayout(group, clusters), context),
    rules: ruleTexts(configs),
    target: new NacosTarget(connected, { dialect: 'dubbo', group, cluster }),
    health,
    close,
  };
}

/** SOFARPC has the interface level alone. @throws HeddleError ERR_TLS_CONFIG, ERR_OPTION_INVALID */
export function sofaSources(config: NacosConfig, context: RegistryContext): ServiceSources {
  const connected = connectNacos(config, context);
  const { naming, health, close } = connected;
  const { group, clusters } = config;
  const { cluster } = usualPlace(config);
  return {
    mapping: null,
    instances: null,
    metadata: null,
    interfaces: new ProviderServices(naming, sofaLayout(group, clusters), context),
    rules: null,
    target: new NacosTarget(connected, { dialect: 'sofa', group, cluster }),
    health,
    close,
  };
}

/** The instances of the service that has the application's name. */
function instancesOf(naming: Naming, { group, clusters }: NacosConfig): InstanceSource {
  return {
    watch: (application, watcher) =>
      naming.watch(group, application, {
        onList: (hosts) => {
          const wanted = hosts.filter(
            (host) =>
              host.healthy !== false &&
              (clusters.length === 0 || clusters.includes(host.clusterName ?? 'DEFAULT')),
          );
          const put = wanted.map((host) =>
            instanceOf(application, host.ip, host.port, textsOf(host.metadata), isServing(host)),
          );
          watcher.change({ full: true, put, removed: [] });
        },
        onTrouble: (reason) => watcher.trouble(reason),
      }),
  };
}

/**
 * Metadata by revision: from the configuration centre where instances say `remote`, else from the instances themselves.
 * Where one way has nothing the other is tried.
 */
function metadataOf(configs: Configs, services: MetadataServices): MetadataSource {
  const fromCentre = async (application: string, revision: string) => {
    const text = await configs.read(application, revision);
    if (text === null) return null;
    const parsed = parseMetadataInfo(text);
    if (typeof parsed === 'string') throw new Error(`${application} of ${revision}: ${parsed}`);
    return parsed;
  };
  const fromInstances = async (
    revision: string,
    instances: readonly ServiceInstance[],
    problems: string[],
  ) => {
    const asked = instances.filter((each) => each.metadata[instanceKeys.metadataService] !== undefined);
    for (const instance of asked.slice(0, maxAsked)) {
      try {
        return await services.fetch(instance, revision);
      } catch (thrown) {
        problems.push(messageOf(thrown));
      }
    }
    return null;
  };
  return {
    async fetch(application, revision, instances) {
      const problems: string[] = [];
      const isRemote = instances.some((each) => each.metadata[instanceKeys.storageType] === 'remote');
      const ways = [
        () => fromCentre(application, revision),
        () => fromInstances(revision, instances, problems),
      ];
      for (const way of isRemote ? ways : ways.reverse()) {
        const found = await way().catch((thrown: unknown) => void problems.push(messageOf(thrown)));
        if (found) return found;
      }
      if (problems.length > 0) throw new Error(problems.join('; '));
      return null;
    },
  };
}
