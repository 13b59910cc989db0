import { accessLogsOf } from './access-logs.ts';
import type { MosnContext } from './context.ts';
import { type ConvertedChain, convertNetworkFilters } from './network-filters/index.ts';
import type { Place } from './report.ts';
import { type RouterSection, routerParts, type VirtualHostPart } from './routers.ts';
import type { RouteOwner } from './routes.ts';
import type { Keys, Section } from './section.ts';
import { type ConvertedFilters, convertStreamFilters } from './stream-filters/index.ts';
import { listenerTlsOf, tlsKeys } from './tls.ts';

type ListenerKey =
  | 'name'
  | 'address'
  | 'bind_port'
  | 'network'
  | 'access_logs'
  | 'listener_filters'
  | 'filter_chains'
  | 'stream_filters'
  | 'connection_idle_timeout'
  | 'inspector';

export const listenerKeys: Keys<ListenerKey> = {
  read: [
    'name',
    'address',
    'bind_port',
    'network',
    'access_logs',
    'listener_filters',
    'filter_chains',
    'stream_filters',
    'connection_idle_timeout',
    'inspector',
  ],
  ineffective: {
    type: 'MOSN only shows it',
    default_read_buffer_size: 'idle connections hold no buffer',
    reuseport: 'one process holds the socket',
    log_path: 'MOSN has no such key of a listener',
    log_level: 'MOSN has no such key of a listener',
  },
  unsupported: { use_original_dst: 'connections are not intercepted' },
};

/** MOSN closes a connection without traffic after this. */
const defaultIdleMs = 90_000;

/** A listener of MOSN's as a native one; null where it does not listen. @param routers by name */
export function listenerOf(
  context: MosnContext,
  listener: Section<ListenerKey>,
  routers: ReadonlyMap<string, RouterSection>,
): object | null {
  const { report } = context;
  const address = addressOf(listener);
  const name = listener.text('name') || address;
  if (!listener.flag('bind_port')) {
    const why = 'left out: without bind_port MOSN does not listen there either';
    report.notice(listener.at('bind_port'), listener.raw('bind_port'), why);
    return null;
  }
  refuseListenerFilters(context, listener);
  const chain = chainOf(context, listener);
  const filters = convertStreamFilters(context, listener);
  const made: Record<string, unknown> = { name, address };
  made['limits'] = {
    ...chain?.proxy?.limits,
    idleTimeoutMs: listener.durationMs('connection_idle_timeout') ?? defaultIdleMs,
  };
  if (chain !== null) Object.assign(made, connectionParts(listener, chain));
  if (chain?.tls !== undefined) made['tls'] = chain.tls;
  if (chain?.proxy != null) Object.assign(made, streamParts(context, listener, chain, filters, routers));
  else if (listener.has('stream_filters')) {
    const why = 'no effect: streams are seen by the network filter "proxy" only';
    report.notice(listener.at('stream_filters'), listener.raw('stream_filters'), why);
  }
  const keys = {
    name: listener.at('name'),
    address: listener.at('address'),
    filters: listener.at('stream_filters'),
    accessLog: listener.at('access_logs'),
    virtualHosts: listener.at('filter_chains'),
    codec: listener.at('filter_chains'),
    networkFilters: listener.at('filter_chains'),
  };
  return context.origins.mark(made, listener, keys);
}

function addressOf(listener: Section<ListenerKey>): string {
  const address = listener.required('address');
  const network = listener.text('network').toLowerCase() || 'tcp';
  const networks = ['tcp', 'udp', 'unix'];
  if (!networks.includes(network)) {
    listener.report.problem(listener.at('network'), network, networks.join(', '), networks);
  }
  if (network === 'unix') return `unix:${address}`;
  // Go takes ":80" for every address of the machine.
  return address.startsWith(':') ? `0.0.0.0${address}` : address;
}

function refuseListenerFilters({ report }: MosnContext, listener: Section<ListenerKey>): void {
  for (const filter of listener.sections('listener_filters', { read: ['type', 'config'] })) {
    report.unsupported(filter.at('type'), filter.required('type'), 'connections are not intercepted');
  }
}

function chainOf(
  context: MosnContext,
  listener: Section<ListenerKey>,
): (ConvertedChain & { readonly tls: object | undefined }) | null {
  const chains = listener.sections('filter_chains', {
    read: ['tls_context', 'tls_context_set', 'filters'],
    ineffective: { match: 'MOSN does not use it' },
  });
  const [chain] = chains;
  if (chain === undefined || chains.length !== 1) {
    const at = listener.at('filter_chains');
    context.report.problem(at, chains.length, 'exactly one filter chain, as MOSN wants it');
    return null;
  }
  const one = chain.section('tls_context', tlsKeys);
  const contexts = [...(one === null ? [] : [one]), ...chain.sections('tls_context_set', tlsKeys)];
  const tls = listenerTlsOf(context, contexts, listener.flag('inspector'));
  return { ...convertNetworkFilters(context, chain), tls };
}

interface NetworkFilterPart {
  readonly name: string;
  readonly config?: { readonly idleTimeoutMs?: number };
}

/** What happens to connections. The terminal filter behind `proxy` counts only where `proxy` hands on. */
function connectionParts(listener: Section<ListenerKey>, chain: ConvertedChain): Record<string, unknown> {
  const { proxy } = chain;
  const filters = chain.networkFilters as readonly NetworkFilterPart[];
  const isTerminal = ({ name }: NetworkFilterPart): boolean => name === 'tcp-proxy' || name === 'udp-proxy';
  const isReached = proxy === null || proxy.hasFallback;
  for (const { name } of isReached ? [] : filters.filter(isTerminal)) {
    const why = 'no effect: "proxy" hands nothing on without fallback_for_unknown_protocol';
    listener.report.notice(listener.at('filter_chains'), name, why);
  }
  const used = filters.filter((each) => isReached || !isTerminal(each));
  const isUdp = listener.text('network').toLowerCase() === 'udp';
  if (isUdp !== used.some(({ name }) => name === 'udp-proxy') && used.length > 0) {
    const allowed = isUdp ? '"tcp", or the filter udp_proxy' : '"udp" for the filter udp_proxy';
    listener.report.problem(listener.at('network'), listener.text('network'), allowed);
  }
  const idleTimeoutMs = listener.durationMs('connection_idle_timeout');
  for (const { config } of idleTimeoutMs === undefined ? [] : used.filter(isTerminal)) {
    // The connection's own limit holds for bytes that are passed on as well.
    if (config !== undefined && config.idleTimeoutMs === undefined) Object.assign(config, { idleTimeoutMs });
  }
  return {
    ...(proxy === null ? {} : { codec: proxy.codec }),
    ...(used.length === 0 ? {} : { networkFilters: used }),
  };
}

/** What happens to streams. */
function streamParts(
  context: MosnContext,
  listener: Section<ListenerKey>,
  chain: ConvertedChain,
  converted: ConvertedFilters,
  routers: ReadonlyMap<string, RouterSection>,
): Record<string, unknown> {
  const proxy = chain.proxy as NonNullable<ConvertedChain['proxy']>;
  const router = chain.router ?? routers.get(proxy.router);
  if (router === undefined) {
    const place: Place = listener.at('filter_chains');
    const known = [...routers.keys()];
    context.report.problem(
      place,
      proxy.router,
      `router_config_name of one of routers: ${known.join(', ')}`,
      known,
    );
    return {};
  }
  const owner: RouteOwner = { codecs: proxy.codecs, filters: converted.names, mirror: converted.mirror };
  const parts = routerParts(context, router, owner);
  if (converted.faultTolerance !== null) {
    context.clusters.judge(targetsOf(parts.virtualHosts), converted.faultTolerance);
  }
  const accessLog = accessLogsOf(context, listener);
  return {
    ...(converted.filters.length === 0 ? {} : { filters: converted.filters }),
    ...(accessLog.length === 0 ? {} : { accessLog }),
    // MOSN leaves the server header to the upstream.
    serverHeader: '',
    ...parts,
  };
}

/** Native names of the clusters that routes send to. */
function targetsOf(hosts: readonly VirtualHostPart[]): Set<string> {
  const targets = new Set<string>();
  for (const { cluster, weightedClusters = [] } of hosts.flatMap((host) => host.routes)) {
    for (const name of [cluster, ...weightedClusters.map((share) => share.cluster)]) {
      if (name !== undefined) targets.add(name);
    }
  }
  return targets;
}
