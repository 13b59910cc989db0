import type { ClusterKey } from './clusters.ts';
import type { MosnContext } from './context.ts';
import { metadataOf } from './metadata.ts';
import type { Keys, Section } from './section.ts';

type HostKey = 'address' | 'hostname' | 'weight' | 'metadata' | 'tls_disable';

export const hostKeys: Keys<HostKey> = {
  read: ['address', 'hostname', 'weight', 'metadata', 'tls_disable'],
};

const types = ['SIMPLE', 'STATIC', 'DYNAMIC', 'STRICT_DNS', 'EDS', 'ORIGINAL_DST'];
const maxWeight = 128;

/** `endpoints`, or `discovery` by DNS. */
export function hostsPart(
  context: MosnContext,
  cluster: Section<ClusterKey>,
  hosts: readonly Section<HostKey>[],
): Record<string, unknown> {
  const type = cluster.text('type') || 'SIMPLE';
  if (type === 'STRICT_DNS') return { discovery: dnsOf(context, cluster, hosts) };
  if (type === 'EDS' || type === 'ORIGINAL_DST') {
    const why = type === 'EDS' ? 'there is no xDS' : 'connections are not intercepted';
    context.report.unsupported(cluster.at('type'), type, why);
  } else if (!types.includes(type)) {
    context.report.problem(cluster.at('type'), type, types.join(', '), types);
  }
  return { endpoints: hosts.map((host) => endpointOf(context, host)) };
}

/** MOSN takes weights for 1 to 128, 0 for 1. */
function endpointOf(context: MosnContext, host: Section<HostKey>): object {
  const weight = Math.min(host.count('weight') ?? 1, maxWeight);
  if ((host.count('weight') ?? 1) > maxWeight) {
    context.report.notice(host.at('weight'), host.raw('weight'), `taken for ${maxWeight}, as MOSN does`);
  }
  const given = metadataOf(host, 'metadata');
  const metadata = host.flag('tls_disable') ? { ...given, tls: 'off' } : given;
  const hostname = host.text('hostname');
  const made = {
    address: host.required('address'),
    weight,
    ...(metadata === undefined ? {} : { metadata }),
    ...(hostname === '' ? {} : { hostname }),
  };
  const keys = { address: host.at('address'), metadata: host.at('metadata') };
  return context.origins.mark(made, host, keys);
}

function dnsOf(
  context: MosnContext,
  cluster: Section<ClusterKey>,
  hosts: readonly Section<HostKey>[],
): object {
  const refreshMs = cluster.durationMs('dns_refresh_rate');
  const family = cluster.text('dns_lookup_family');
  const families: Readonly<Record<string, string>> = { V4_ONLY: 'v4', V6_ONLY: 'v6' };
  if (family !== '' && families[family] === undefined) {
    const known = Object.keys(families);
    context.report.problem(cluster.at('dns_lookup_family'), family, known.join(', '), known);
  }
  for (const host of hosts) {
    for (const key of ['weight', 'metadata'] as const) {
      if (!host.has(key)) continue;
      context.report.notice(
        host.at(key),
        host.raw(key),
        'no effect: hosts that a name resolves to are alike',
      );
    }
  }
  const config = {
    names: hosts.map((host) => host.required('address')),
    ...(families[family] === undefined ? {} : { family: families[family] }),
    ...(refreshMs === undefined ? {} : ttlOf(refreshMs, cluster.flag('respect_dns_ttl'))),
  };
  const made = { name: 'dns', config: context.origins.mark(config, cluster.at('hosts')) };
  return context.origins.mark(made, cluster.at('type'));
}

/** Names are asked again after the rate; with `respect_dns_ttl` an answer may be good for longer or less long. */
function ttlOf(refreshMs: number, respectsTtl: boolean): { minTtlMs: number; maxTtlMs?: number } {
  return respectsTtl ? { minTtlMs: Math.min(refreshMs, 5000) } : { minTtlMs: refreshMs, maxTtlMs: refreshMs };
}
