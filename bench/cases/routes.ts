/**
 * Measures the route table at one size: `routes.ts KIND COUNT` prints one RoutesResult.
 *
 *   paths    one virtual host, COUNT segment prefixes of two levels
 *   hosts    COUNT virtual hosts with one route each
 *   headers  one virtual host, one path, COUNT values of a header
 *   mixed    one virtual host: prefixes, exact paths, methods, headers, query parameters, one pattern in a hundred
 */
import { SeededRandom } from '../../src/core/base/random.ts';
import type {
  HeaderEditsConfig,
  RouteConfig,
  RouteMatchConfig,
  VirtualHostConfig,
} from '../../src/core/contract/config.ts';
import type { Router } from '../../src/core/contract/pipeline.ts';
import type { ClusterRef } from '../../src/core/contract/route.ts';
import { Stream, type StreamCore } from '../../src/core/contract/stream.ts';
import { compileValue } from '../../src/core/observe/access-log/compile-value.ts';
import { compileRouter } from '../../src/core/route/router.ts';
import { scanRequest } from '../../src/transport/codecs/http1/scan.ts';

export interface RoutesResult {
  readonly compileMs: number;
  /** Of a request that a route takes, requests spread evenly over all routes. */
  readonly matchNs: number;
  /** Of a request that no route takes. */
  readonly missNs: number;
  readonly heapMiB: number;
}

const requestCount = 4096;
const batchMs = 300;
const limits = {
  maxHeaderBytes: 32_768,
  maxHeaderCount: 100,
  maxUriBytes: 8192,
  maxBodyBytes: 0,
  idleTimeoutMs: 0,
  headerTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxRequestsPerConnection: 0,
  maxPipelined: 16,
};
const noEdits: HeaderEditsConfig = {
  requestHeaders: [],
  removeRequestHeaders: [],
  responseHeaders: [],
  removeResponseHeaders: [],
};

/** A route's match and a request that it alone takes. */
interface Sample {
  readonly host: string;
  readonly match: Partial<RouteMatchConfig>;
  readonly path: string;
  readonly method?: string;
  readonly header?: string;
}

const kinds: Readonly<Record<string, (index: number) => Sample>> = {
  paths: (index) => ({
    host: 'api.test',
    match: { segmentPrefix: `/team-${index % 97}/service-${index}` },
    path: `/team-${index % 97}/service-${index}/items/7?page=2`,
  }),
  hosts: (index) => ({ host: `svc-${index}.test`, match: { prefix: '/api/' }, path: '/api/items/7' }),
  headers: (index) => ({
    host: 'api.test',
    match: { prefix: '/api/', headers: [{ name: 'x-service', exact: `service-${index}`, invert: false }] },
    path: '/api/items/7',
    header: `x-service: service-${index}`,
  }),
  mixed: (index) => mixedKinds[index % 100 === 99 ? 4 : index % 4]?.(index) ?? never(),
};

const mixedKinds: readonly ((index: number) => Sample)[] = [
  (index) => ({
    host: 'api.test',
    match: { segmentPrefix: `/service-${index}` },
    path: `/service-${index}/items/7`,
  }),
  (index) => ({
    host: 'api.test',
    match: { path: `/exact/${index}/list` },
    path: `/exact/${index}/list?a=1`,
  }),
  (index) => ({
    host: 'api.test',
    match: { prefix: `/p${index}/`, methods: ['POST', 'PUT'] },
    path: `/p${index}/x`,
    method: 'POST',
  }),
  (index) => ({
    host: 'api.test',
    match: { prefix: `/q${index}/`, query: [{ name: 'version', exact: '2', invert: false }] },
    path: `/q${index}/x?a=b&version=2`,
  }),
  (index) => ({
    host: 'api.test',
    match: { regex: `/users-${index}/[0-9]+/orders` },
    path: `/users-${index}/1234/orders`,
  }),
];

function never(): never {
  throw new Error('no such sample');
}

const routeOf = (match: Partial<RouteMatchConfig>): RouteConfig => ({
  ...noEdits,
  match: {
    caseSensitive: true,
    methods: [],
    headers: [],
    query: [],
    cookies: [],
    variables: [],
    metadata: [],
    ...match,
  },
  cluster: 'service',
  timeoutMs: 15_000,
  upgrades: [],
  filterConfigs: {},
  metadata: {},
  metadataMatch: {},
  hashPolicies: [],
  mirrors: [],
});

function virtualHostsOf(samples: readonly Sample[]): VirtualHostConfig[] {
  const byHost = new Map<string, RouteConfig[]>();
  for (const sample of samples) {
    const routes = byHost.get(sample.host) ?? [];
    routes.push(routeOf(sample.match));
    byHost.set(sample.host, routes);
  }
  return [...byHost].map(([host, routes]) => ({
    ...noEdits,
    name: host,
    domains: [host],
    filterConfigs: {},
    routes,
  }));
}

function compile(virtualHosts: readonly VirtualHostConfig[]): Router {
  const cluster: ClusterRef = { name: 'service', current: null };
  return compileRouter(virtualHosts, {
    clusterRef: () => cluster,
    compileValue,
    filterSlots: new Map(),
    random: new SeededRandom(1),
    edits: noEdits,
    onExpressionError: () => undefined,
  });
}

/** A stream whose head was scanned out of its own bytes, as the codec leaves it. */
function streamOf({ host, path, method = 'GET', header = 'accept: */*' }: Sample): Stream {
  const s = new Stream(core);
  const text = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n${header}\r\n\r\n`;
  const bytes = Buffer.from(text, 'latin1');
  const scanned = scanRequest(s.req, bytes, 0, bytes.length, limits, 0);
  if (scanned !== bytes.length) throw new Error(`the scanner refused ${JSON.stringify(text)}: ${scanned}`);
  return s;
}

const core = new Proxy({}, { get: () => () => undefined }) as StreamCore;

/** The best of twenty batches by the thread's CPU time, so that what else the machine does counts least. */
function nanoseconds(router: Router, streams: readonly Stream[], hits: boolean): number {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 20; batch += 1) {
    const start = cpuUs();
    let calls = 0;
    while (cpuUs() - start < (batchMs * 1000) / 20) {
      for (const s of streams) {
        if ((router.match(s) !== null) !== hits) throw new Error(`wrong answer for ${s.req.path}`);
      }
      calls += streams.length;
    }
    best = Math.min(best, ((cpuUs() - start) * 1000) / calls);
  }
  return best;
}

function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Strings are made at most once a request; the next request of a connection has a new head. */
function main(kind: string, count: number): RoutesResult {
  const sampleOf = kinds[kind] ?? never();
  const samples = Array.from({ length: count }, (_, index) => sampleOf(index));
  const virtualHosts = virtualHostsOf(samples);
  const random = new SeededRandom(7);
  const hits = Array.from({ length: requestCount }, () =>
    streamOf(samples[Math.floor(random.next() * count)] ?? never()),
  );
  const misses = hits.map((s) => streamOf({ host: s.req.authority, path: '/nowhere/at/all', match: {} }));
  compile(virtualHosts.slice(0, 10));
  global.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const start = performance.now();
  const router = compile(virtualHosts);
  const compileMs = performance.now() - start;
  global.gc?.();
  const heapMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
  return {
    compileMs,
    heapMiB,
    matchNs: nanoseconds(router, hits, true),
    missNs: nanoseconds(router, misses, false),
  };
}

const [kind = '', count = ''] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(main(kind, Number(count)))}\n`);
