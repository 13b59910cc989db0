import { parseAddress } from '../../../../core/base/address.ts';
import type { Endpoint } from '../../../../core/contract/cluster.ts';
import { formatAddress } from '../../../wire/address.ts';
import type { NacosInstance } from '../wire/messages.ts';

/** Facts of ours that Nacos has no field for; "zone" is what others write, too. */
const keys = { zone: 'zone', priority: 'heddle.priority', hostname: 'heddle.hostname', protocol: 'protocol' };
/** Nacos' weights are fractions, ours whole numbers: where a list has one below 1 or between two, all are multiplied. */
const scale = 100;
const maxWeight = 1_000_000;

/** Takes calls: the server counts its heartbeats, an operator may have switched it off. */
export function isServing({ healthy, enabled }: NacosInstance): boolean {
  return healthy !== false && enabled !== false;
}

function addressOf({ ip, port }: NacosInstance): string {
  return formatAddress(ip, port);
}

/** @param clusters only these; empty = all. @returns hosts, and how many of the list are none */
export function endpointsOf(
  hosts: readonly NacosInstance[],
  clusters: readonly string[],
): { readonly endpoints: Endpoint[]; readonly unreadable: number } {
  const wanted = hosts.filter(
    (host) => isServing(host) && (clusters.length === 0 || clusters.includes(host.clusterName ?? 'DEFAULT')),
  );
  const factor = wanted.some(({ weight = 1 }) => !Number.isInteger(weight)) ? scale : 1;
  const endpoints = wanted.map((host) => endpointOf(host, factor)).filter((each) => each !== null);
  return { endpoints, unreadable: wanted.length - endpoints.length };
}

function endpointOf(host: NacosInstance, factor: number): Endpoint | null {
  const address = addressOf(host);
  if (parseAddress(address) === null) return null;
  const {
    [keys.zone]: zone = '',
    [keys.priority]: priority,
    [keys.hostname]: hostname = '',
    ...metadata
  } = textsOf(host.metadata);
  const rank = Number(priority ?? 0);
  return {
    address,
    weight: weightOf(host.weight, factor),
    zone,
    priority: Number.isInteger(rank) && rank >= 0 && rank <= 127 ? rank : 0,
    hostname,
    metadata,
  };
}

function weightOf(weight: unknown, factor: number): number {
  if (typeof weight !== 'number' || !Number.isFinite(weight)) return factor;
  return Math.max(0, Math.min(maxWeight, Math.round(weight * factor)));
}

/** What a stranger put there is only taken where it is a text. */
export function textsOf(given: unknown): Record<string, string> {
  if (typeof given !== 'object' || given === null) return {};
  const texts = Object.entries(given).filter((each): each is [string, string] => typeof each[1] === 'string');
  return Object.fromEntries(texts);
}

/** @returns null when Nacos has no place for such an address */
export function instanceOfEndpoint(
  { address, weight, metadata, zone, priority, hostname }: Endpoint,
  protocol: string,
  clusterName: string,
): NacosInstance | null {
  const parsed = parseAddress(address);
  if (parsed === null || parsed.kind !== 'tcp' || parsed.port === 0) return null;
  const facts: Record<string, string> = { ...metadata };
  if (zone !== '') facts[keys.zone] = zone;
  if (priority !== 0) facts[keys.priority] = String(priority);
  if (hostname !== '') facts[keys.hostname] = hostname;
  if (protocol !== '') facts[keys.protocol] = protocol;
  return nacosInstance(parsed.host, parsed.port, weight, facts, clusterName);
}

export function nacosInstance(
  ip: string,
  port: number,
  weight: number,
  metadata: Readonly<Record<string, string>>,
  clusterName: string,
): NacosInstance {
  return { ip, port, weight, healthy: true, enabled: true, ephemeral: true, clusterName, metadata };
}
