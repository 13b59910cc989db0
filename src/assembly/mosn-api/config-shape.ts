import { dumpConfig } from '../../core/config/dump.ts';
import type {
  ClusterConfig,
  EffectiveConfig,
  ListenerConfig,
  RouteConfig,
  VirtualHostConfig,
} from '../../core/contract/config.ts';

/** What MOSN's `config_dump` shows. Made for people and scripts that read it; what MOSN has no key for is left out. */
export interface MosnShape {
  readonly listener: Readonly<Record<string, object>>;
  readonly cluster: Readonly<Record<string, object>>;
  readonly routers: Readonly<Record<string, object>>;
}

const protocols: Readonly<Record<string, string>> = { http1: 'Http1', http2: 'Http2', detect: 'Auto' };
const balancers: Readonly<Record<string, string>> = {
  random: 'LB_RANDOM',
  roundRobin: 'LB_ROUNDROBIN',
  weighted: 'LB_WEIGHTED_ROUNDROBIN',
  leastRequest: 'LB_LEAST_REQUEST',
  leastConnection: 'LB_LEAST_CONNECTION',
  peakEwma: 'LB_PEAK_EWMA',
  maglev: 'LB_MAGLEV',
};

/** Secrets stand nowhere in it. */
export function mosnShape(config: EffectiveConfig): MosnShape {
  const shown = dumpConfig(config) as EffectiveConfig;
  const byName = <T extends { readonly name: string }>(list: readonly T[], shape: (each: T) => object) =>
    Object.fromEntries(list.map((each) => [each.name, shape(each)]));
  const routed = shown.listeners.filter((each) => each.virtualHosts.length > 0);
  return {
    listener: byName(shown.listeners, listenerShape),
    cluster: byName(shown.clusters, clusterShape),
    routers: byName(routed, ({ name, virtualHosts }) => ({
      router_config_name: name,
      virtual_hosts: virtualHosts.map(hostShape),
    })),
  };
}

function listenerShape(listener: ListenerConfig): object {
  const { name, address, codec, networkFilters, filters, accessLog } = listener;
  const isUnix = address.startsWith('unix:');
  const own = networkFilters.map(({ name: type, config }) => ({ type: type.replaceAll('-', '_'), config }));
  const proxy = { downstream_protocol: protocols[codec.name] ?? codec.name, router_config_name: name };
  const chain = listener.virtualHosts.length === 0 ? own : [{ type: 'proxy', config: proxy }, ...own];
  return {
    name,
    address: isUnix ? address.slice('unix:'.length) : address,
    bind_port: true,
    network: isUnix ? 'unix' : own.some(({ type }) => type === 'udp_proxy') ? 'udp' : 'tcp',
    access_logs: accessLog.map((log) => ({ log_path: log.path, log_format: log.format ?? '' })),
    filter_chains: [{ filters: chain }],
    stream_filters: filters.map((each) => ({
      type: each.name.replaceAll('-', '_'),
      config: each.config ?? {},
    })),
    connection_idle_timeout: duration(listener.limits.idleTimeoutMs),
  };
}

function clusterShape(cluster: ClusterConfig): object {
  const { name, discovery, loadBalancer, circuitBreakers, pool, endpoints } = cluster;
  return {
    name,
    type: discovery === undefined ? 'SIMPLE' : discovery.name === 'dns' ? 'STRICT_DNS' : 'EDS',
    lb_type: balancers[loadBalancer.name] ?? loadBalancer.name,
    max_request_per_conn: pool.maxRequestsPerConnection,
    connect_timeout: duration(cluster.connectTimeoutMs),
    circuit_breakers: [
      {
        max_connections: pool.maxConnectionsPerHost,
        max_pending_requests: circuitBreakers.maxPending,
        max_requests: circuitBreakers.maxRequests,
        max_retries: circuitBreakers.maxRetries,
      },
    ],
    hosts: endpoints.map(({ address, hostname, weight, metadata }) => ({
      address,
      ...(hostname === '' ? {} : { hostname }),
      weight,
      ...(Object.keys(metadata).length === 0
        ? {}
        : { metadata: { filter_metadata: { 'mosn.lb': metadata } } }),
    })),
  };
}

function hostShape({ name, domains, routes }: VirtualHostConfig): object {
  return { name, domains, routers: routes.map(routeShape) };
}

function routeShape(route: RouteConfig): object {
  const { match, redirect, directResponse } = route;
  const headers = [
    ...match.methods.map((value) => ({ name: 'method', value })),
    ...match.headers.flatMap(({ name, exact, regex }) =>
      exact !== undefined
        ? [{ name, value: exact }]
        : regex !== undefined
          ? [{ name, value: regex, regex: true }]
          : [],
    ),
  ];
  const prefix = match.prefix ?? match.segmentPrefix;
  return {
    match: {
      ...(prefix === undefined ? {} : { prefix }),
      ...(match.path === undefined ? {} : { path: match.path }),
      ...(match.regex === undefined ? {} : { regex: match.regex }),
      ...(headers.length === 0 ? {} : { headers }),
    },
    ...(directResponse === undefined ? {} : { direct_response: directResponse }),
    ...(redirect === undefined ? {} : { redirect: redirectShape(redirect) }),
    ...((redirect ?? directResponse) ? {} : { route: actionShape(route) }),
  };
}

function redirectShape({ status, path, host, https }: NonNullable<RouteConfig['redirect']>): object {
  return {
    response_code: status,
    ...(path === undefined ? {} : { path_redirect: path }),
    ...(host === undefined ? {} : { host_redirect: host }),
    ...(https ? { scheme_redirect: 'https' } : {}),
  };
}

function actionShape({ cluster, weightedClusters = [], timeoutMs, rewrite }: RouteConfig): object {
  return {
    ...(cluster === undefined ? {} : { cluster_name: cluster }),
    ...(weightedClusters.length === 0
      ? {}
      : {
          weighted_clusters: weightedClusters.map((each) => ({
            cluster: { name: each.cluster, weight: each.weight },
          })),
        }),
    timeout: duration(timeoutMs),
    ...(rewrite?.prefix === undefined ? {} : { prefix_rewrite: rewrite.prefix }),
    ...(rewrite?.host === undefined ? {} : { host_rewrite: rewrite.host }),
  };
}

/** As Go writes it, in whole seconds where it is some. */
const duration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`);
