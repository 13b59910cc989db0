import { parseIpBlock } from '../../../base/ip-address.ts';
import type { MosnContext } from '../context.ts';
import { millisecondsOf, parseGoDuration } from '../go-duration.ts';
import type { Keys, Section } from '../section.ts';

type StreamProxyKey = 'cluster' | 'idle_timeout' | 'max_connect_attempts' | 'routes';

export const streamProxyKeys: Keys<StreamProxyKey> = {
  read: ['cluster', 'idle_timeout', 'max_connect_attempts', 'routes'],
  ineffective: { stat_prefix: 'metrics bear the name of the listener' },
};

/** `tcp_proxy`. With `cluster` MOSN never asks its routes. */
export function tcpProxyOf(context: MosnContext, proxy: Section<StreamProxyKey>): object {
  const cluster = proxy.text('cluster');
  const attempts = proxy.count('max_connect_attempts');
  const made: Record<string, unknown> = timeoutOf(proxy);
  if (attempts !== undefined) made['maxConnectAttempts'] = attempts;
  if (cluster !== '') {
    made['cluster'] = context.clusters.pass(cluster);
    if (proxy.has('routes')) {
      proxy.report.notice(
        proxy.at('routes'),
        proxy.raw('routes'),
        'no effect: MOSN asks no route beside "cluster"',
      );
    }
  } else made['routes'] = proxy.sections('routes', routeKeys).map((route) => routeOf(context, route));
  const keys = { cluster: proxy.at('cluster'), routes: proxy.at('routes') };
  return { name: 'tcp-proxy', config: context.origins.mark(made, proxy, keys) };
}

/** `udp_proxy`. Its routes look at addresses that a session does not have here. */
export function udpProxyOf(context: MosnContext, proxy: Section<StreamProxyKey>): object {
  const cluster = proxy.required('cluster');
  if (proxy.has('routes')) {
    proxy.report.notice(
      proxy.at('routes'),
      proxy.raw('routes'),
      'no effect: MOSN asks no route beside "cluster"',
    );
  }
  const made = { cluster: context.clusters.pass(cluster), ...timeoutOf(proxy) };
  return { name: 'udp-proxy', config: context.origins.mark(made, proxy, { cluster: proxy.at('cluster') }) };
}

type RouteKey = 'Cluster' | 'SourceAddrs' | 'DestinationAddrs' | 'SourcePort' | 'DestinationPort';
const routeKeys: Keys<RouteKey> = {
  read: ['Cluster', 'SourceAddrs', 'DestinationAddrs', 'SourcePort', 'DestinationPort'],
};

function routeOf(context: MosnContext, route: Section<RouteKey>): object {
  const match = {
    sources: blocksOf(route, 'SourceAddrs'),
    destinations: blocksOf(route, 'DestinationAddrs'),
    sourcePorts: portsOf(route, 'SourcePort'),
    destinationPorts: portsOf(route, 'DestinationPort'),
  };
  const made = { cluster: context.clusters.pass(route.required('Cluster')), match };
  return context.origins.mark(made, route, { cluster: route.at('Cluster') });
}

function blocksOf(route: Section<RouteKey>, key: 'SourceAddrs' | 'DestinationAddrs'): string[] {
  return route.sections(key, { read: ['Address', 'Length'] }).flatMap((block) => {
    const text = `${block.required('Address')}/${block.count('Length') ?? 0}`;
    if (parseIpBlock(text) !== null) return text;
    block.report.problem(block, text, 'an address and the length of its prefix');
    return [];
  });
}

function portsOf(route: Section<RouteKey>, key: 'SourcePort' | 'DestinationPort'): string[] {
  return route
    .text(key)
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/** Nanoseconds in MOSN, which takes no "5s" here; both are read. */
function timeoutOf(proxy: Section<StreamProxyKey>): { idleTimeoutMs?: number } {
  const value = proxy.raw('idle_timeout');
  if (value === undefined || value === 0) return {};
  const idleTimeoutMs =
    typeof value === 'number'
      ? millisecondsOf(value)
      : typeof value === 'string'
        ? parseGoDuration(value)
        : null;
  if (idleTimeoutMs !== null && idleTimeoutMs > 0) return { idleTimeoutMs };
  proxy.report.problem(
    proxy.at('idle_timeout'),
    value,
    'nanoseconds as a number, or a Go duration such as "5s"',
  );
  return {};
}
