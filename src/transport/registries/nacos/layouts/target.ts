import { parseAddress } from '../../../../core/base/address.ts';
import type {
  ApplicationMetadata,
  PublishTarget,
  ServiceInstance,
} from '../../../../core/contract/service-source.ts';
import { formatMetadataInfo } from '../../../../core/discovery/dubbo/metadata-info.ts';
import { type ProviderUrl, parseProviderUrl } from '../../../../core/discovery/dubbo/provider-url.ts';
import type { NacosConnected } from '../connect.ts';
import type { NacosInstance } from '../wire/messages.ts';
import { nacosInstance } from './instances.ts';
import { dubboServiceName, sofaServiceName } from './service-names.ts';
import { mappingGroup, namesOf } from './texts.ts';

export interface TargetOptions {
  readonly dialect: 'dubbo' | 'sofa';
  readonly group: string;
  readonly cluster: string;
}

/** Where Dubbo 2 and 3, or SOFARPC, look for providers, instances, metadata and the mapping. */
export class NacosTarget implements PublishTarget {
  readonly #connected: NacosConnected;
  readonly #options: TargetOptions;

  constructor(connected: NacosConnected, options: TargetOptions) {
    this.#connected = connected;
    this.#options = options;
  }

  putInstance(instance: ServiceInstance): Promise<void> {
    const { group } = this.#options;
    return this.#connected.registrations.put(group, instance.application, this.#instanceOf(instance));
  }

  removeInstance(instance: ServiceInstance): Promise<void> {
    const { group } = this.#options;
    return this.#connected.registrations.remove(group, instance.application, this.#instanceOf(instance));
  }

  putMetadata(metadata: ApplicationMetadata): Promise<void> {
    const { application, revision } = metadata;
    return this.#connected.configs.write(application, revision, formatMetadataInfo(metadata));
  }

  putMapping(interfaceName: string, application: string): Promise<void> {
    return this.#connected.configs.edit(interfaceName, mappingGroup, (text) => {
      const names = namesOf(text);
      return names.includes(application) ? null : [...names, application].join(',');
    });
  }

  putProvider(interfaceName: string, url: string): Promise<void> {
    const { name, instance } = this.#providerOf(interfaceName, url);
    return this.#connected.registrations.put(this.#options.group, name, instance);
  }

  removeProvider(interfaceName: string, url: string): Promise<void> {
    const { name, instance } = this.#providerOf(interfaceName, url);
    return this.#connected.registrations.remove(this.#options.group, name, instance);
  }

  onLost(listener: () => void): () => void {
    return this.#connected.registrations.onLost(listener);
  }

  #instanceOf({ address, metadata, isEnabled }: ServiceInstance): NacosInstance {
    const parsed = parseAddress(address);
    if (parsed?.kind !== 'tcp') throw new Error(`${address} has no place in Nacos`);
    const instance = nacosInstance(parsed.host, parsed.port, 1, metadata, this.#options.cluster);
    return { ...instance, enabled: isEnabled !== false };
  }

  #providerOf(interfaceName: string, text: string): { name: string; instance: NacosInstance } {
    const url = parseProviderUrl(text);
    if (url === null) throw new Error(`${text} is no provider URL`);
    const { host, port, protocol, path } = url;
    const metadata = { ...Object.fromEntries(url.parameters), protocol, ...(path !== '' && { path }) };
    // Frameworks read the weight of the metadata.
    const instance = nacosInstance(host, port, 1, metadata, this.#options.cluster);
    return { name: this.#nameOf(interfaceName, url), instance };
  }

  #nameOf(interfaceName: string, { parameters, protocol }: ProviderUrl): string {
    const textOf = (key: string): string => parameters.get(key) ?? '';
    if (this.#options.dialect === 'sofa') return sofaServiceName(interfaceName, textOf('uniqueId'), protocol);
    return dubboServiceName({ interfaceName, version: textOf('version'), group: textOf('group') });
  }
}
