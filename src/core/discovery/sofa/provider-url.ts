import type { Endpoint } from '../../contract/cluster.ts';
import { endpointOf } from '../dubbo/provider-endpoint.ts';
import { addressOf, formatProviderUrl, type ProviderUrl } from '../dubbo/provider-url.ts';
import { isAskedFor, type ServiceName } from '../dubbo/service-name.ts';

/** SOFARPC's own when nothing is said. */
const usualVersion = '1.0';

/**
 * A provider as SOFARPC lists it (`bolt://10.0.0.1:12200?version=1.0&uniqueId=...&weight=100`). The path is not the
 * interface: that is the folder it lies in. Its unique id is our `group`; a subscriber without version means 1.0.
 * @returns null when it is not what was asked for, or cannot be dialled
 */
export function endpointOfSofaUrl(url: ProviderUrl, asked: ServiceName): Endpoint | null {
  const { parameters, protocol } = url;
  const group = parameters.get('uniqueId') ?? '';
  const version = parameters.get('version') ?? usualVersion;
  const wanted = asked.version === '' ? { ...asked, version: usualVersion } : asked;
  if (!isAskedFor(wanted, { group, version, protocol })) return null;
  return endpointOf(addressOf(url), protocol, Object.fromEntries(parameters));
}

export interface SofaProvider {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly service: ServiceName;
  readonly application: string;
  readonly weight: number;
  /** Further parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** What SOFARPC's consumers read of a provider. */
export function formatSofaUrl(provider: SofaProvider): string {
  const { protocol, host, port, service, application, weight, parameters } = provider;
  const all = new Map([
    ...Object.entries(parameters),
    ['version', service.version === '' ? usualVersion : service.version],
    ['protocol', protocol],
    ['uniqueId', service.group],
    ['appName', application],
    ['weight', String(weight)],
    ['interface', service.interfaceName],
    ['serialization', parameters['serialization'] ?? 'hessian2'],
    ['language', 'nodejs'],
  ]);
  const url = formatProviderUrl({
    protocol,
    username: '',
    password: '',
    host,
    port,
    path: '',
    parameters: all,
  });
  // Consumers compare it with their own, which is "": a provider that says none is not theirs.
  return service.group === '' ? `${url}&uniqueId=` : url;
}
