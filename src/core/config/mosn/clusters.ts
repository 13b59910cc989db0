import type { ClusterUse } from './cluster-uses.ts';
import type { MosnContext } from './context.ts';
import { folderSections } from './folders.ts';
import { healthCheckKeys, healthCheckOf } from './health-check.ts';
import { hostKeys, hostsPart } from './hosts.ts';
import { balancerOf } from './load-balancers.ts';
import { outlierDetectionOf } from './outlier.ts';
import type { Keys, Section } from './section.ts';
import { subsetsOf } from './subsets.ts';
import { clusterTlsOf, type TlsSection, tlsKeys } from './tls.ts';

const clusterKeyNames = [
  'name',
  'type',
  'lb_type',
  'max_request_per_conn',
  'circuit_breakers',
  'health_check',
  'lb_subset_config',
  'tls_context',
  'cluster_manager_tls',
  'hosts',
  'connect_timeout',
  'idle_timeout',
  'lbconfig',
  'dns_refresh_rate',
  'dns_lookup_family',
  'respect_dns_ttl',
  'slow_start',
] as const;
export type ClusterKey = (typeof clusterKeyNames)[number];

const clusterKeys: Keys<ClusterKey> = {
  read: clusterKeyNames,
  ineffective: {
    sub_type: 'MOSN does not use it',
    mark: 'sockets bear no mark',
    conn_buffer_limit_bytes: 'back-pressure bounds what a connection holds',
    spec: 'MOSN reads it for registries that are not in its public code',
    original_dst_lb_config: 'only ORIGINAL_DST reads it',
    keepalive: 'heartbeats follow the traffic of a connection',
    cluster_pool_enable: 'each cluster has connections of its own',
    dns_resolvers: 'names are resolved as the system does',
    dns_resolver_file: 'names are resolved as the system does',
    dns_resolver_port: 'names are resolved as the system does',
  },
};

const managerKeys: Keys<'tls_context' | 'clusters' | 'clusters_configs'> = {
  read: ['tls_context', 'clusters', 'clusters_configs'],
  ineffective: { cluster_pool_enable: 'each cluster has connections of its own' },
};

/** `cluster_manager` as native clusters. Listeners come first: they decide which codec each cluster speaks. */
export function clustersOf(context: MosnContext, root: Section<'cluster_manager'>): object[] {
  const manager = root.section('cluster_manager', managerKeys);
  if (manager === null) return [];
  const tls = manager.section('tls_context', tlsKeys);
  const inline = manager.sections('clusters', clusterKeys);
  const folder = manager.text('clusters_configs');
  if (folder !== '' && inline.length > 0) {
    manager.report.problem(manager.at('clusters_configs'), folder, 'one of clusters and clusters_configs');
  }
  const all =
    folder === '' ? inline : folderSections(context, manager.at('clusters_configs'), folder, clusterKeys);
  return all.flatMap((cluster) => {
    const uses = context.clusters.of(cluster.required('name'));
    const own: readonly ClusterUse[] =
      uses.length > 0 ? uses : [{ name: cluster.text('name'), codec: null, outlier: null }];
    return own.map((use) => clusterOf(context, cluster, use, tls));
  });
}

/** @param common TLS of all clusters that say so */
function clusterOf(
  context: MosnContext,
  cluster: Section<ClusterKey>,
  use: ClusterUse,
  common: TlsSection | null,
): object {
  const connectTimeoutMs = cluster.durationMs('connect_timeout');
  const hosts = cluster.sections('hosts', hostKeys);
  const made: Record<string, unknown> = {
    name: use.name,
    ...hostsPart(context, cluster, hosts),
    loadBalancer: balancerOf(context, cluster),
    ...(use.codec === null ? {} : { codec: use.codec }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...limitsOf(context, cluster),
    outlierDetection: outlierDetectionOf(use.outlier, hosts.length),
    // MOSN sends nothing to hosts that it knows to be ill, however many are.
    panicThresholdPercent: 0,
  };
  const ownTls = cluster.section('tls_context', tlsKeys);
  const hasPlainHosts = hosts.some((host) => host.flag('tls_disable'));
  const tls = clusterTlsOf(context, cluster.flag('cluster_manager_tls') ? common : ownTls, hasPlainHosts);
  if (tls !== undefined) made['tls'] = tls;
  const subsets = subsetsOf(context, cluster);
  if (subsets !== null) made['subsets'] = subsets;
  const check = cluster.section('health_check', healthCheckKeys);
  const healthCheck = check === null ? null : healthCheckOf(context, check);
  if (healthCheck !== null) made['healthCheck'] = healthCheck;
  const keys = {
    name: cluster.at('name'),
    endpoints: cluster.at('hosts'),
    discovery: cluster.at('type'),
    loadBalancer: cluster.at('lb_type'),
    codec: cluster,
    connectTimeoutMs: cluster.at('connect_timeout'),
    circuitBreakers: cluster.at('circuit_breakers'),
    pool: cluster.at('circuit_breakers'),
    subsets: cluster.at('lb_subset_config'),
    healthCheck: cluster.at('health_check'),
  };
  return context.origins.mark(made, cluster, keys);
}

/** MOSN reads the first threshold only, its connections are those to one host, and what is not set is not limited. */
function limitsOf(context: MosnContext, cluster: Section<ClusterKey>): Record<string, unknown> {
  const names = ['max_connections', 'max_pending_requests', 'max_requests', 'max_retries'] as const;
  const [first, ...others] = cluster.sections('circuit_breakers', { read: names });
  for (const other of others) {
    context.report.notice(other, 'another threshold', 'no effect: MOSN reads the first one only');
  }
  const maxConnectionsPerHost = first?.count('max_connections');
  const maxRequestsPerConnection = cluster.count('max_request_per_conn');
  const idleTimeoutMs = cluster.durationMs('idle_timeout');
  return {
    circuitBreakers: {
      maxConnections: 0,
      maxPending: first?.count('max_pending_requests') ?? 0,
      maxRequests: first?.count('max_requests') ?? 0,
      maxRetries: first?.count('max_retries') ?? 0,
    },
    pool: {
      ...(maxConnectionsPerHost === undefined ? {} : { maxConnectionsPerHost }),
      ...(maxRequestsPerConnection === undefined ? {} : { maxRequestsPerConnection }),
      ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    },
  };
}
