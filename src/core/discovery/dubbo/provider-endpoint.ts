import { parseAddress } from '../../base/address.ts';
import type { Endpoint } from '../../contract/cluster.ts';
import { plainEndpoint } from '../endpoint-schema.ts';
import { addressOf, type ProviderUrl } from './provider-url.ts';
import type { ServiceName } from './service-name.ts';
import { isAskedFor } from './service-name.ts';

/** A provider that says nothing weighs so much (Dubbo's and SOFARPC's own default). */
const usualWeight = 100;
const maxWeight = 1_000_000;
/** Facts of one start of one process: they would make every host's metadata its own. */
const ofOneProcess = new Set([
  'pid',
  'timestamp',
  'remote.timestamp',
  'startTime',
  'bind.ip',
  'bind.port',
  'monitor',
  'weight',
  'zone',
  'disabled',
]);

/** @returns null when the provider is not what was asked for, or cannot be dialled */
export function endpointOfUrl(url: ProviderUrl, asked: ServiceName): Endpoint | null {
  const { parameters, protocol } = url;
  const category = parameters.get('category') ?? 'providers';
  const interfaceName = parameters.get('interface') ?? url.path;
  if (category !== 'providers' || parameters.get('enabled') === 'false') return null;
  if (interfaceName !== asked.interfaceName) return null;
  const group = parameters.get('group') ?? '';
  const version = parameters.get('version') ?? '';
  if (!isAskedFor(asked, { group, version, protocol })) return null;
  return endpointOf(addressOf(url), protocol, Object.fromEntries(parameters));
}

/** @param facts of a provider, by Dubbo's parameter names. @returns null when `address` cannot be dialled */
export function endpointOf(
  address: string,
  protocol: string,
  facts: Readonly<Record<string, string>>,
): Endpoint | null {
  const parsed = parseAddress(address);
  if (parsed === null || (parsed.kind === 'tcp' && parsed.port === 0)) return null;
  const weight = facts['disabled'] === 'true' ? 0 : weightOf(facts['weight']);
  return plainEndpoint(address, {
    weight,
    zone: facts['zone'] ?? '',
    metadata: lastingFacts(facts, protocol),
  });
}

/** What is true of more than one process. */
function lastingFacts(
  facts: Readonly<Record<string, string>>,
  protocol: string,
): Readonly<Record<string, string>> {
  const lasting = Object.entries(facts).filter(([key]) => !ofOneProcess.has(key) && !key.startsWith('qos.'));
  if (protocol !== '') lasting.push(['protocol', protocol]);
  return Object.fromEntries(lasting);
}

function weightOf(text: string | undefined): number {
  const weight = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(weight)) return usualWeight;
  return Math.max(0, Math.min(maxWeight, Math.round(weight)));
}
