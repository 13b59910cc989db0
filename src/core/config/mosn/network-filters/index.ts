import type { MosnContext } from '../context.ts';
import type { RouterSection } from '../routers.ts';
import { routerKeys } from '../routers.ts';
import { Section } from '../section.ts';
import { faultInjectOf } from './fault-inject.ts';
import { type ProxyParts, proxyKeys, proxyParts } from './proxy.ts';
import { streamProxyKeys, tcpProxyOf, udpProxyOf } from './stream-proxy.ts';

/** Filters that cannot be left out: connections would go wrong without them. */
const needed: Readonly<Record<string, string>> = {
  grpc: 'it serves a gRPC server that is compiled into MOSN; mesh.handle serves code of this process',
  tunnel: 'there are no reverse tunnels',
  rpc_proxy: 'MOSN itself has none any more',
  x_proxy: 'MOSN itself has none any more',
};
const known = [
  'proxy',
  'tcp_proxy',
  'udp_proxy',
  'connection_manager',
  'fault_inject',
  ...Object.keys(needed),
];

/** What the network filters of one listener make of it. */
export interface ConvertedChain {
  readonly proxy: ProxyParts | null;
  /** Native `networkFilters`. */
  readonly networkFilters: readonly object[];
  /** The router configuration that the deprecated `connection_manager` carries. */
  readonly router: RouterSection | null;
}

export function convertNetworkFilters(context: MosnContext, chain: Section<'filters'>): ConvertedChain {
  let proxy: ProxyParts | null = null;
  let router: RouterSection | null = null;
  const networkFilters: object[] = [];
  const add = (filter: Section<'type'>, made: object): void => {
    networkFilters.push(context.origins.mark(made, filter, { name: filter.at('type') }));
  };
  for (const filter of chain.sections('filters', { read: ['type', 'config'] })) {
    const type = filter.required('type');
    const open = <K extends string>(keys: Parameters<typeof Section.open<K>>[3]): Section<K> | null =>
      Section.open(context.report, filter.at('config'), filter.raw('config') ?? {}, keys);
    if (type === 'proxy') {
      const given = open(proxyKeys);
      if (given !== null) proxy = proxyParts(context, given);
    } else if (type === 'connection_manager') router = open(routerKeys);
    else if (type === 'tcp_proxy' || type === 'udp_proxy') {
      const given = open(streamProxyKeys);
      if (given !== null)
        add(filter, type === 'tcp_proxy' ? tcpProxyOf(context, given) : udpProxyOf(context, given));
    } else if (type === 'fault_inject') {
      const made = faultInjectOf(context, filter);
      if (made !== null) add(filter, made);
    } else if (Object.hasOwn(needed, type)) {
      context.report.unsupported(filter.at('type'), type, needed[type] as string);
    } else if (type !== '') {
      const why =
        'a network filter that is known here; MOSN skips one it does not know, which may open what it guarded';
      context.report.problem(filter.at('type'), type, why, known);
    }
  }
  return { proxy, networkFilters, router };
}
