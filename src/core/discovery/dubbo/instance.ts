import type { ServiceInstance } from '../../contract/service-source.ts';
import { isRecord, textsOf } from './metadata-info.ts';
import { addressOf } from './provider-url.ts';

/** Keys of an instance's metadata (Dubbo's ServiceInstanceMetadataUtils). */
export const instanceKeys = {
  revision: 'dubbo.metadata.revision',
  /** "local": one of the instances is asked; "remote": it lies in the metadata centre. */
  storageType: 'dubbo.metadata.storage-type',
  /** JSON of the parameters of its metadata service, with `port` and `protocol`. */
  metadataService: 'dubbo.metadata-service.url-params',
  /** "1.0.0" or "2.0.0". */
  metadataVersion: 'meta-v',
  /** JSON: `[{"port":20880,"protocol":"dubbo"}]`. */
  endpoints: 'dubbo.endpoints',
} as const;

const maxLength = 1024 * 1024;
const payloadClass = 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance';

/** @param metadata as the registry has it; the revision is taken from it */
export function instanceOf(
  application: string,
  host: string,
  port: number,
  metadata: Readonly<Record<string, string>>,
  isEnabled = true,
): ServiceInstance {
  const revision = metadata[instanceKeys.revision] ?? '';
  return { application, address: addressOf({ host, port }), revision, isEnabled, metadata };
}

/**
 * Reads an instance as Apache Curator's X-Discovery writes it to ZooKeeper, for Dubbo (Java and Go) and Spring Cloud.
 * @returns a text that says what is wrong with it
 */
export function parseCuratorInstance(text: string): ServiceInstance | string {
  if (text.length > maxLength) return `an instance of ${text.length} characters`;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return 'an instance is not JSON';
  }
  if (!isRecord(document)) return 'an instance is not an object';
  const { name, address, port, payload } = document;
  if (typeof name !== 'string' || name === '') return 'an instance has no name';
  if (typeof address !== 'string' || address === '') return `an instance of ${name} has no address`;
  if (typeof port !== 'number' || !Number.isInteger(port) || port <= 0 || port > 65535) {
    return `an instance of ${name} at ${address} has no port`;
  }
  const given = isRecord(payload) && isRecord(payload['metadata']) ? payload['metadata'] : {};
  return instanceOf(name, address, port, textsOf(given), document['enabled'] !== false);
}

/** @param wallMs of the registration */
export function formatCuratorInstance(instance: ServiceInstance, wallMs: number): string {
  const { application, address, metadata } = instance;
  const colon = address.lastIndexOf(':');
  return JSON.stringify({
    name: application,
    id: address,
    address: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
    sslPort: null,
    payload: { '@class': payloadClass, id: address, name: application, metadata },
    registrationTimeUTC: wallMs,
    serviceType: 'DYNAMIC',
    uriSpec: null,
  });
}

/** The port at which an instance speaks a protocol; 0 = not said. */
export function portFor(instance: ServiceInstance, protocol: string): number {
  const text = instance.metadata[instanceKeys.endpoints];
  if (text === undefined || text.length > maxLength) return 0;
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) return 0;
    const found = list.find((each) => isRecord(each) && each['protocol'] === protocol);
    const port = Number(found?.['port'] ?? 0);
    return Number.isInteger(port) && port > 0 && port <= 65535 ? port : 0;
  } catch {
    return 0;
  }
}
