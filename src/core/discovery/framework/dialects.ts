import { endpointOfUrl } from '../dubbo/provider-endpoint.ts';
import { formatProviderUrl } from '../dubbo/provider-url.ts';
import type { ServiceName } from '../dubbo/service-name.ts';
import { endpointOfSofaUrl, formatSofaUrl } from '../sofa/provider-url.ts';
import type { UrlDialect } from './provider-list.ts';

/** What a provider says of itself at the interface level. */
interface ProviderFacts {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly service: ServiceName;
  readonly application: string;
  readonly weight: number;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Dialect {
  readonly usualProtocol: string;
  readonly endpointOf: UrlDialect;
  format(provider: ProviderFacts): string;
}

export const dialects: Readonly<Record<'dubbo' | 'sofa', Dialect>> = {
  dubbo: {
    usualProtocol: 'dubbo',
    endpointOf: endpointOfUrl,
    format: ({ protocol, host, port, service, application, weight, parameters }) =>
      formatProviderUrl({
        protocol,
        username: '',
        password: '',
        host,
        port,
        path: service.interfaceName,
        parameters: new Map([
          ['dubbo', '2.0.2'],
          ['side', 'provider'],
          ['anyhost', 'true'],
          ['dynamic', 'true'],
          ['category', 'providers'],
          ...Object.entries(parameters),
          ['application', application],
          ['interface', service.interfaceName],
          ['group', service.group],
          ['version', service.version],
          ['weight', weight === 100 ? '' : String(weight)],
        ]),
      }),
  },
  sofa: { usualProtocol: 'bolt', endpointOf: endpointOfSofaUrl, format: formatSofaUrl },
};
