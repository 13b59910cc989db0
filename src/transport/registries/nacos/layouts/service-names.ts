/** What of a service is in its name; "" = none. */
export interface NamedService {
  readonly interfaceName: string;
  readonly group: string;
  readonly version: string;
}

const wildcard = /[*,]/;
const category = 'providers';

/** `providers:<interface>:<version>:<group>`, empty parts kept (Dubbo's NacosServiceName). */
export function dubboServiceName({ interfaceName, version, group }: NamedService): string {
  return [category, interfaceName, version, group].join(':');
}

/** Empty parts left out, as Dubbo 2.7.3 and older register; null when it is the same. */
export function legacyDubboName(service: NamedService): string | null {
  const { interfaceName, version, group } = service;
  const name = [category, interfaceName, version, group].filter((part) => part !== '').join(':');
  return name === dubboServiceName(service) ? null : name;
}

/** Which version or group: several, or any. The names must be looked for then. */
export function isPattern({ version, group }: Pick<NamedService, 'version' | 'group'>): boolean {
  return wildcard.test(version) || wildcard.test(group);
}

/** Whether a service of the server may be one of those. */
export function isDubboNameOf(name: string, interfaceName: string): boolean {
  return name.startsWith(`${category}:${interfaceName}:`) && name.split(':').length === 4;
}

/** `<interface>[:<uniqueId>]:DEFAULT` for bolt and tr, else with the protocol at its end (SOFARPC's NacosRegistryHelper). */
export function sofaServiceName(interfaceName: string, uniqueId: string, protocol: string): string {
  const suffix = protocol === '' || protocol === 'bolt' || protocol === 'tr' ? 'DEFAULT' : protocol;
  return [interfaceName, ...(uniqueId === '' ? [] : [uniqueId]), suffix].join(':');
}
