import type { NetworkFilterDefinition } from '../../../core/contract/network-filter.ts';
import { clustersOf, type TcpProxyConfig, tcpProxyConfig } from './config.ts';
import { TcpProxyFilter } from './filter.ts';

/**
 * Passes the bytes of each connection on to a host of a cluster, whatever the protocol.
 *
 * @example
 * networkFilters: [{ name: tcp-proxy, config: { cluster: database, idleTimeoutMs: 600000 } }]
 */
export const tcpProxy: NetworkFilterDefinition<TcpProxyConfig> = {
  name: 'tcp-proxy',
  layer: 'network',
  config: tcpProxyConfig,
  isTerminal: true,
  clusters: clustersOf,
  create: (config, context) => new TcpProxyFilter(config, context),
};
