import type { ClusterConfig, EffectiveConfig, ListenerConfig } from '../contract/config.ts';
import { canonicalJson } from './canonical-json.ts';
import { type ConfigDiff, diffConfig } from './diff.ts';

/** What a reload does to one part. */
export interface ReloadStep {
  readonly part: 'listener' | 'cluster' | ConfigDiff['parts'][number];

  /** "" where there is one only. */
  readonly name: string;
  readonly action: 'add' | 'remove' | 'change';
  /** What goes on as it was, one phrase each. */
  readonly keeps: readonly string[];
  /** What ends or begins anew, one phrase each. */
  readonly replaces: readonly string[];
}

/** What a reload from one configuration to the other keeps and replaces; parts that stay as they are, are left out. */
export function planReload(before: EffectiveConfig, after: EffectiveConfig): ReloadStep[] {
  const diff = diffConfig(before, after);
  const listeners = (config: EffectiveConfig, name: string): ListenerConfig =>
    config.listeners.find((each) => each.name === name) as ListenerConfig;
  const clusters = (config: EffectiveConfig, name: string): ClusterConfig =>
    config.clusters.find((each) => each.name === name) as ClusterConfig;
  return [
    ...named('listener', diff.listeners, 'drains for 30 s, then its connections close', (name) =>
      listenerStep(listeners(before, name), listeners(after, name)),
    ),
    ...named('cluster', diff.clusters, 'streams finish, connections close within a minute', (name) =>
      clusterStep(clusters(before, name), clusters(after, name)),
    ),
    ...diff.parts.map((part) => partStep(part, before)),
  ];
}

type Effects = Pick<ReloadStep, 'keeps' | 'replaces'>;

function named(
  part: 'listener' | 'cluster',
  diff: ConfigDiff['clusters'],
  removal: string,
  effectsOf: (name: string) => Effects,
): ReloadStep[] {
  return [
    ...diff.added.map((name): ReloadStep => ({ part, name, action: 'add', keeps: [], replaces: [] })),
    ...diff.removed.map(
      (name): ReloadStep => ({ part, name, action: 'remove', keeps: [], replaces: [removal] }),
    ),
    ...diff.changed.map(({ name }): ReloadStep => ({ part, name, action: 'change', ...effectsOf(name) })),
  ];
}

function listenerStep(before: ListenerConfig, after: ListenerConfig): Effects {
  const differs = differenceOf(before, after);
  const keeps: string[] = [];
  const replaces: string[] = [];
  if (differs('address'))
    replaces.push('the socket: it listens at another address, connections of the old one drain');
  else if (differs('codec'))
    replaces.push('connections: those there are drain, new ones speak the other codec');
  else keeps.push('the socket and its connections');
  if (differs('networkFilters')) replaces.push('network filters of new connections');
  if (differs('tls')) replaces.push('TLS of new connections');
  if (differs('limits')) replaces.push('limits of new connections');
  const kept = after.filters.filter(
    (each, slot) => canonicalJson(each) === canonicalJson(before.filters[slot] ?? null),
  );
  if (kept.length > 0) keeps.push(`state of the filters ${kept.map((each) => each.name).join(', ')}`);
  if (kept.length < after.filters.length) {
    const made = after.filters.filter((each) => !kept.includes(each)).map((each) => each.name);
    replaces.push(`the filters ${made.join(', ')}, their windows and counts begin anew`);
  }
  if (differs('virtualHosts')) replaces.push('routes, for requests that begin from then on');
  return { keeps, replaces };
}

/** Keys on which connections to the hosts depend. */
const dialling = ['codec', 'pool', 'connectTimeoutMs', 'tls', 'proxyProtocol'] as const;
/** Keys on which the choice of a host depends. */
const choosing = [
  'loadBalancer',
  'subsets',
  'locality',
  'overprovisioningPercent',
  'panicThresholdPercent',
] as const;

function clusterStep(before: ClusterConfig, after: ClusterConfig): Effects {
  const differs = differenceOf(before, after);
  const keeps = ['health, ejections and counts of hosts that stay'];
  const replaces: string[] = [];
  if (dialling.some(differs))
    replaces.push('connections: those there are finish their streams, new ones are made');
  else keeps.push('connections to hosts that stay');
  if (choosing.some(differs)) replaces.push('the load balancer');
  if (differs('discovery') || differs('sharding')) replaces.push('the subscription of the service list');
  if (differs('endpoints')) replaces.push(...hostChanges(before, after));
  if (differs('healthCheck')) replaces.push('active health checks');
  return { keeps, replaces };
}

function hostChanges(before: ClusterConfig, after: ClusterConfig): string[] {
  const earlier = new Set(before.endpoints.map((each) => each.address));
  const later = new Set(after.endpoints.map((each) => each.address));
  const added = [...later].filter((address) => !earlier.has(address)).length;
  const removed = [...earlier].filter((address) => !later.has(address)).length;
  if (added + removed === 0) return ['facts of hosts that stay'];
  return [`hosts: ${added} more, ${removed} less; connections to those that go finish their streams`];
}

function partStep(part: ConfigDiff['parts'][number], before: EffectiveConfig): ReloadStep {
  const step = { part, name: '', action: 'change' as const };
  if (part === 'inProcess')
    return { ...step, keeps: ['calls in progress'], replaces: ['routes and filters of new calls'] };
  if (part === 'ingress')
    return { ...step, keeps: ['requests in progress'], replaces: ['routes and filters of new requests'] };
  if (part === 'admin')
    return {
      ...step,
      action: before.admin === undefined ? 'add' : 'change',
      keeps: [],
      replaces: ['the admin endpoint'],
    };
  if (part === 'monitor')
    return { ...step, keeps: ['the monitor as it is, until the next start'], replaces: [] };
  if (part === 'publications')
    return { ...step, keeps: ['publications that stay as they are'], replaces: ['those that differ'] };
  return { ...step, keeps: [], replaces: [`${part} settings`] };
}

/** Whether two objects differ at a key. */
function differenceOf<T extends object>(before: T, after: T): (key: keyof T) => boolean {
  return (key) => canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null);
}
