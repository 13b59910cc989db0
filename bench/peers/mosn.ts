import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { services as boltServices } from '../harness/bolt-frames.ts';
import type { Contender, Place } from '../harness/contender.ts';
import { services as dubboServices } from '../harness/dubbo-frames.ts';
import { findProgram, type Installable, peerCache } from './find.ts';
import { writeJson } from './json-config.ts';

const run = promisify(execFile);
const module = 'mosn.io/mosn';
const version = 'v1.6.1';
const binary = join(peerCache, 'mosn');

const find = (): ReturnType<typeof findProgram> =>
  findProgram({
    program: binary,
    versionArgs: ['--version'],
    pattern: /mosn version v?(\d[\d.]*)/,
    hint: 'run "npm run bench -- setup" (builds the Go module mosn.io/mosn)',
  });

/**
 * Builds MOSN from its Go module, outside the repository. Its Seata filter is left out: that alone needs a module that
 * no longer can be had, and nothing here uses it.
 */
export const mosnInstall: Installable = {
  name: 'MOSN',
  find,
  async install() {
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
      cwd: tmpdir(),
    });
    const { Dir: source } = JSON.parse(stdout) as { Dir: string };
    const copy = mkdtempSync(join(tmpdir(), 'heddle-mosn-'));
    try {
      cpSync(source, copy, { recursive: true });
      await run('chmod', ['-R', 'u+w', copy]);
      leaveOut(join(copy, 'cmd/mosn/main/mosn.go'), /^.*filter\/stream\/seata".*\n/m);
      leaveOut(join(copy, 'go.mod'), /^\s*vimagination\.zapto\.org\/.*\n/gm);
      const flags = ['-trimpath', '-ldflags', `-X main.Version=${version}`, '-o', binary];
      await run('go', ['build', ...flags, './cmd/mosn/main'], { cwd: copy, maxBuffer: 2 ** 24 });
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  },
};

function leaveOut(file: string, lines: RegExp): void {
  writeFileSync(file, readFileSync(file, 'utf8').replace(lines, ''));
}

/** MOSN that only forwards. */
export const mosn: Contender = {
  name: 'MOSN',
  find,
  launch: (place) => command(place, config(place, ['*'], {}, {})),
};

/** MOSN with those of the ten filters that it has, header edits and the access log. */
export const mosnFull: Contender = {
  name: 'MOSN full',
  find,
  work: { request: ['x-heddle-bench'], response: ['x-served-by'], log: 'access.log' },
  launch: (place) => command(place, config(place, place.hosts, fullListener(place), edits)),
};

/** MOSN that routes a framed protocol by service, with those of the six filters that it has. */
const mosnRpc = (protocol: string, services: readonly string[]): Contender => ({
  name: `MOSN ${protocol}`,
  find,
  launch(place) {
    const base = config(place, [], fullListener(place), {}) as unknown as RpcBase;
    const [server] = base.servers;
    const [listener] = server.listeners;
    const routers = services.map((service) => ({
      match: { headers: [{ name: 'service', value: service }] },
      route: { cluster_name: 'service' },
    }));
    const proxy = { downstream_protocol: protocol, router_config_name: 'main' };
    const { access_logs: _, ...rest } = listener;
    return command(place, {
      ...base,
      servers: [
        {
          ...server,
          routers: [
            { router_config_name: 'main', virtual_hosts: [{ name: 'all', domains: ['*'], routers }] },
          ],
          listeners: [{ ...rest, filter_chains: [{ filters: [{ type: 'proxy', config: proxy }] }] }],
        },
      ],
    });
  },
});

export const mosnBolt: Contender = mosnRpc('bolt', boltServices);
export const mosnDubbo: Contender = mosnRpc('dubbo', dubboServices);

/** MOSN that forwards h2c to h2c, the calls of gRPC included. */
export function mosnH2(place: Place): ReturnType<Contender['launch']> {
  const base = config(place, ['*'], {}, {}, [...prefixes, '/bench.']) as unknown as RpcBase;
  const [server] = base.servers;
  const [listener] = server.listeners;
  const proxy = { downstream_protocol: 'Http2', upstream_protocol: 'Http2', router_config_name: 'main' };
  const chains = [{ filters: [{ type: 'proxy', config: proxy }] }];
  return command(place, {
    ...base,
    servers: [{ ...server, listeners: [{ ...listener, filter_chains: chains }] }],
  });
}

interface RpcBase extends Json {
  readonly servers: readonly [Json & { readonly listeners: readonly [Json & { access_logs?: unknown }] }];
}

type Json = { readonly [key: string]: unknown };

function command(place: Place, json: Json): ReturnType<Contender['launch']> {
  return { command: place.path, args: ['start', '-c', writeJson(place, 'mosn.json', json), '-l', 'error'] };
}

const added = (key: string, value: string): Json => ({ header: { key, value }, append: false });

const edits: Json = {
  request_headers_to_add: [added('x-heddle-bench', 'full')],
  request_headers_to_remove: ['x-internal'],
  response_headers_to_add: [added('x-served-by', 'mosn')],
};

const fullListener = (place: Place): Json => ({
  access_logs: [{ log_path: join(place.directory, 'access.log') }],
  stream_filters: [
    {
      type: 'ip_access',
      config: { default_action: 'deny', ips: [{ action: 'allow', addrs: ['127.0.0.0/8', '10.0.0.0/8'] }] },
    },
    // The blank at the end of the key is MOSN's own; without it the filter limits nothing.
    { type: 'payload_limit', config: { 'max_entity_size ': 1_048_576, http_status: 413 } },
    {
      type: 'header_to_metadata',
      config: { request_rules: [{ header: 'x-tenant', on_header_present: { key: 'tenant' } }] },
    },
    { type: 'fault', config: { abort: { status: 503, percentage: 0 } } },
  ],
});

/** Of the requests over HTTP. */
const prefixes = ['/api/', '/echo/'];

function config(
  place: Place,
  domains: readonly string[],
  listener: Json,
  router: Json,
  paths: readonly string[] = prefixes,
): Json {
  const routers = paths.map((prefix) => ({
    match: { prefix },
    route: { cluster_name: 'service' },
  }));
  const proxy = { downstream_protocol: 'Http1', router_config_name: 'main' };
  return {
    servers: [
      {
        default_log_path: join(place.directory, 'mosn.log'),
        default_log_level: 'ERROR',
        routers: [
          {
            router_config_name: 'main',
            ...router,
            virtual_hosts: domains.map((domain, index) => ({
              name: `host-${index}`,
              domains: [domain],
              routers,
            })),
          },
        ],
        listeners: [
          {
            name: 'main',
            address: `127.0.0.1:${place.port}`,
            bind_port: true,
            filter_chains: [{ filters: [{ type: 'proxy', config: proxy }] }],
            ...listener,
          },
        ],
      },
    ],
    cluster_manager: {
      clusters: [
        {
          name: 'service',
          type: 'SIMPLE',
          lb_type: 'LB_ROUNDROBIN',
          max_request_per_conn: 1_000_000_000,
          conn_buffer_limit_bytes: 32_768,
          hosts: [{ address: `127.0.0.1:${place.backendPort}` }],
        },
      ],
    },
  };
}
