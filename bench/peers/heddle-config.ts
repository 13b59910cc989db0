/** Heddle's configurations for the benches: the same work whether it runs standalone, in-process or on fake sockets. */
import type {
  ClusterInput,
  InProcessInput,
  ListenerInput,
  MeshConfig,
  Named,
  VirtualHostInput,
} from '../../src/core/config/input.ts';

/** `bare` forwards and nothing else; `full` is ten filters at work, a virtual host for each name, metrics, access log. */
export type Level = 'bare' | 'full';

export interface Setting {
  readonly level: Level;
  /** Virtual hosts of the full level. */
  readonly hosts: readonly string[];
  /** "host:port" of the backend. */
  readonly backend: string;
  /** Access log of the full level: an absolute path. */
  readonly log: string;
}

const clusterNames = Array.from({ length: 8 }, (_, index) => `service-${index}`);

/** The ten built-in filters, each with something to do for every request of the benches. */
export const fullFilters: readonly Named[] = [];

/** A proxy that listens. */
export function standaloneConfig(setting: Setting, address: string, adminAddress?: string): MeshConfig {
  const listener: ListenerInput = {
    name: 'main',
    address,
    limits: { maxConnections: 20_000, idleTimeoutMs: 600_000 },
    ...pipelineOf(setting),
  };
  return {
    listeners: [listener],
    clusters: clustersOf(setting),
    ...(adminAddress !== undefined && { admin: { address: adminAddress } }),
    log: { level: 'warn' },
  };
}

/** A mesh for calls of its own process. */
export function inProcessConfig(setting: Setting): MeshConfig {
  return { inProcess: pipelineOf(setting), clusters: clustersOf(setting) };
}

function pipelineOf(setting: Setting): InProcessInput {
  if (setting.level === 'bare') {
    return { tracing: { enabled: false }, serverHeader: '', virtualHosts: [virtualHost('all', '*', 0)] };
  }
  return {
    filters: fullFilters,
    accessLog: [{ path: setting.log }],
    virtualHosts: setting.hosts.map((host, index) => virtualHost(host, host, index)),
  };
}

function virtualHost(name: string, domain: string, index: number): VirtualHostInput {
  const cluster = clusterNames[index % clusterNames.length] ?? '';
  const retry = { on: ['connectFailure', 'reset', 'refusedStream', 'gatewayError'], numRetries: 2 } as const;
  const routes = ['/api/', '/echo/'].map((prefix) => ({ match: { prefix }, cluster, retry }));
  return { name, domains: [domain], routes };
}

function clustersOf(setting: Setting): ClusterInput[] {
  return clusterNames.map((name) => ({
    name,
    endpoints: [setting.backend],
    loadBalancer: 'leastRequest',
    circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
  }));
}
