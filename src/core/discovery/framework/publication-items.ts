import { parseAddress } from '../../base/address.ts';
import { HeddleError, messageOf } from '../../base/errors.ts';
import type { Publication } from '../../contract/registry.ts';
import type { PublishTarget, ServiceInstance, ServiceMetadata } from '../../contract/service-source.ts';
import { instanceKeys, instanceOf } from '../dubbo/instance.ts';
import { matchKeyOf, revisionOf } from '../dubbo/metadata-info.ts';
import { parseServiceName, type ServiceName } from '../dubbo/service-name.ts';
import type { Dialect } from './dialects.ts';

/** A publication, read. */
export interface Offer {
  readonly service: ServiceName;
  readonly host: string;
  readonly port: number;
  readonly protocol: string;
  readonly weight: number;
  readonly zone: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Wall-clock ms of the first time it was said. */
  readonly sinceMs: number;
}

/** One thing that is to be at the target. */
export interface Item {
  readonly key: string;
  /** The same text: nothing to do. */
  readonly text: string;
  put(target: PublishTarget): Promise<void>;
  /** Absent: it stays. */
  remove?(target: PublishTarget): Promise<void>;
}

/** What a framework takes for "nothing said". */
const usualWeight = 100;

/** @throws HeddleError ERR_REGISTRY_PUBLISH */
export function readOffer(
  { service, endpoint, protocol }: Publication,
  dialect: Dialect,
  sinceMs: number,
): Offer {
  const name = parseName(service);
  const address = parseAddress(endpoint.address);
  if (address === null || address.kind !== 'tcp' || address.port === 0) {
    throw refused(service, `address ${JSON.stringify(endpoint.address)} is not "host:port"`);
  }
  const given = protocol ?? '';
  return {
    service: name,
    host: address.host,
    port: address.port,
    protocol: given !== '' ? given : name.protocol !== '' ? name.protocol : dialect.usualProtocol,
    weight: endpoint.weight === 1 ? usualWeight : endpoint.weight,
    zone: endpoint.zone,
    parameters: endpoint.metadata,
    sinceMs,
  };
}

export interface ItemOptions {
  readonly application: string;
  readonly dialect: Dialect;
  readonly asInterface: boolean;
  readonly asApplication: boolean;
}

/** Everything that these offers take, in the order in which others should learn it. */
export function itemsOf(offers: readonly Offer[], options: ItemOptions): Item[] {
  const services = offers.filter(({ service }) => !service.isApplication);
  const items: Item[] = [];
  if (options.asApplication && services.length > 0) items.push(...applicationItems(services, options));
  for (const offer of offers) {
    if (offer.service.isApplication) items.push(plainInstance(offer));
    else if (options.asInterface) items.push(provider(offer, options));
  }
  return items;
}

/** Metadata before the instances that name it, the mapping before both: who follows it finds them. */
function applicationItems(offers: readonly Offer[], { application }: ItemOptions): Item[] {
  const byHost = Map.groupBy(offers, ({ host }) => host);
  const items: Item[] = [...new Set(offers.map(({ service }) => service.interfaceName))].map((name) => ({
    key: `mapping ${name}`,
    text: application,
    put: (target) => target.putMapping(name, application),
  }));
  for (const [host, own] of byHost) {
    const services = new Map(own.map(serviceOf).map((service) => [matchKeyOf(service), service]));
    const revision = revisionOf(application, services);
    const metadata = { application, revision, services };
    items.push({
      key: `metadata ${revision}`,
      text: revision,
      put: (target) => target.putMetadata(metadata),
    });
    items.push(instanceItem(host, instanceAt(application, host, own, revision)));
  }
  return items;
}

function instanceAt(
  application: string,
  host: string,
  offers: readonly Offer[],
  revision: string,
): ServiceInstance {
  const ports = new Map(offers.map(({ protocol, port }) => [protocol, port]));
  const [first] = offers;
  const metadata: Record<string, string> = {
    [instanceKeys.endpoints]: JSON.stringify([...ports].map(([protocol, port]) => ({ port, protocol }))),
    [instanceKeys.revision]: revision,
    [instanceKeys.storageType]: 'remote',
    timestamp: String(first?.sinceMs ?? 0),
  };
  const zone = offers.find((offer) => offer.zone !== '')?.zone;
  if (zone !== undefined) metadata['zone'] = zone;
  return instanceOf(application, host, first?.port ?? 0, metadata);
}

function plainInstance({ service, host, port, parameters, weight, zone }: Offer): Item {
  const metadata: Record<string, string> = { ...parameters };
  if (weight !== usualWeight) metadata['weight'] = String(weight);
  if (zone !== '') metadata['zone'] = zone;
  return instanceItem(`${host}:${port}`, instanceOf(service.interfaceName, host, port, metadata));
}

function instanceItem(place: string, instance: ServiceInstance): Item {
  return {
    key: `instance ${instance.application} ${place} ${instance.address}`,
    text: JSON.stringify([instance.revision, instance.metadata]),
    put: (target) => target.putInstance(instance),
    remove: (target) => target.removeInstance(instance),
  };
}

function provider(offer: Offer, { dialect, application }: ItemOptions): Item {
  const { interfaceName } = offer.service;
  const zone: Record<string, string> = offer.zone === '' ? {} : { zone: offer.zone };
  const parameters = { ...offer.parameters, ...zone, timestamp: String(offer.sinceMs) };
  const url = dialect.format({ ...offer, application, parameters });
  return {
    key: `provider ${interfaceName} ${url}`,
    text: url,
    put: (target) => target.putProvider(interfaceName, url),
    remove: (target) => target.removeProvider(interfaceName, url),
  };
}

function serviceOf({ service, protocol, port, parameters, weight }: Offer): ServiceMetadata {
  const { group, interfaceName: name, version } = service;
  const own: Record<string, string> = { ...parameters, interface: name };
  if (weight !== usualWeight) own['weight'] = String(weight);
  if (group !== '') own['group'] = group;
  if (version !== '') own['version'] = version;
  return { name, group, version, protocol, port, path: name, parameters: own };
}

function parseName(service: string): ServiceName {
  let name: ServiceName;
  try {
    name = parseServiceName(service);
  } catch (thrown) {
    throw new HeddleError('ERR_REGISTRY_PUBLISH', messageOf(thrown), { cause: thrown });
  }
  if (name.group.includes('*') || name.group.includes(',') || name.version === '*') {
    throw refused(service, 'a provider has one group and one version');
  }
  return name;
}

export function refused(service: string, why: string): HeddleError {
  return new HeddleError('ERR_REGISTRY_PUBLISH', `${JSON.stringify(service)}: ${why}`);
}
