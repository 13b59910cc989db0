/** Heddle's configurations for the benches: the same work whether it runs standalone, in-process or on fake sockets. */
import type {
  ClusterInput,
  InProcessInput,
  ListenerInput,
  MeshConfig,
  VirtualHostInput,
} from '../../src/core/config/input.ts';
import type { ExtensionConfig } from '../../src/core/contract/extension.ts';

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
  /** Filters of the full level to leave out, to learn what each costs. */
  readonly without?: readonly string[];
}

const clusterNames = Array.from({ length: 8 }, (_, index) => `service-${index}`);

/** The ten built-in filters, each with something to do for every request of the benches. The last one writes the log. */
const filtersOf = (log: string): readonly ExtensionConfig[] => [
  { name: 'request-id' },
  { name: 'forwarded-headers' },
  { name: 'ip-access', config: { allow: ['127.0.0.0/8', '10.0.0.0/8', '192.168.0.0/16', 'in-process'] } },
  { name: 'payload-limit', config: { maxBytes: 1_048_576 } },
  { name: 'local-rate-limit', config: { bucket: { maxTokens: 1e9, tokensPerFill: 1e9 } } },
  {
    name: 'header-to-metadata',
    config: { request: [{ header: 'x-tenant', onPresent: { key: 'tenant' } }] },
  },
  { name: 'cors', config: { allowOrigins: ['https://app.bench.test'], allowMethods: ['GET', 'POST'] } },
  { name: 'header-mutation', config: edits },
  { name: 'fault', config: { abort: { status: 503, percent: 0 } } },
  { name: 'access-log', config: { path: log } },
];

const edits = {
  requestHeaders: [
    { name: 'x-heddle-bench', value: 'full', action: 'overwrite' },
    { name: 'x-tenant-group', value: '%REQ(x-tenant)%', action: 'overwrite' },
  ],
  removeRequestHeaders: ['x-internal'],
  responseHeaders: [{ name: 'x-served-by', value: 'heddle', action: 'overwrite' }],
  removeResponseHeaders: ['server'],
};

export const filterNames: readonly string[] = filtersOf('').map((filter) => filter.name);

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

/** A proxy that passes bytes on. */
export function tcpConfig(backend: string, address: string): MeshConfig {
  return {
    listeners: [
      {
        name: 'main',
        address,
        limits: { maxConnections: 20_000 },
        networkFilters: [{ name: 'tcp-proxy', config: { cluster: 'service' } }],
      },
    ],
    clusters: [
      {
        name: 'service',
        endpoints: [backend],
        circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
      },
    ],
    log: { level: 'warn' },
  };
}

/** A proxy that forwards h2c to h2c. */
export function http2Config(backend: string, address: string): MeshConfig {
  return {
    listeners: [
      {
        name: 'main',
        address,
        codec: 'http2',
        limits: { maxConnections: 20_000 },
        tracing: { enabled: false },
        serverHeader: '',
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster: 'service' }] },
        ],
      },
    ],
    clusters: [
      {
        name: 'service',
        codec: 'http2',
        endpoints: [backend],
        circuitBreakers: { maxConnections: 0, maxPending: 0, maxRequests: 0 },
      },
    ],
    log: { level: 'warn' },
  };
}

/** A mesh for calls of its own process. */
export function inProcessConfig(setting: Setting): MeshConfig {
  return { inProcess: pipelineOf(setting), clusters: clustersOf(setting) };
}

function pipelineOf(setting: Setting): InProcessInput {
  // No peer continues traces here, and each leaves the upstream's `server` header or removes it as told.
  const shared: InProcessInput = { tracing: { enabled: false }, serverHeader: '' };
  if (setting.level === 'bare') return { ...shared, virtualHosts: [virtualHost('all', '*', 0)] };
  return {
    ...shared,
    filters: filtersOf(setting.log).filter(({ name }) => setting.without?.includes(name) !== true),
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
