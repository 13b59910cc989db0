/** Nanoseconds of one `router.match`: a warm path, heads as the HTTP/1.1 codec leaves them. `npx node bench/micro/route.bench.ts` */
import type { RouteInput } from '../../src/core/config/input.ts';
import type { Router } from '../../src/core/contract/pipeline.ts';
import { needsNormalizing } from '../../src/core/route/normalize-path.ts';
import { hostsRouter, type RequestLine, requestStream, routesRouter } from '../../test/core/route/support.ts';
import { report } from './measure.ts';

let sink = 0;

function matchEach(name: string, router: Router, requests: readonly RequestLine[], limitNs?: number): void {
  const streams = requests.map((request) => requestStream(request));
  for (const s of streams) {
    // The codec keeps these two for the connection.
    s.req.methodText = s.req.method;
    s.req.authorityText = s.req.authority;
    if (router.match(s) === null) throw new Error(`no route for ${s.req.path}`);
  }
  // A head keeps the path's string once it is made; a fresh request has none.
  let next = 0;
  const one = (): void => {
    const s = streams[next] as (typeof streams)[number];
    next = next + 1 === streams.length ? 0 : next + 1;
    s.req.pathText = null;
    if (router.match(s) !== null) sink++;
  };
  report(name, one, limitNs);
}

const apiRoutes: RouteInput[] = [
  { match: { path: '/healthz' }, directResponse: { status: 200 } },
  { match: { segmentPrefix: '/api/v1/users', methods: ['GET', 'HEAD'] }, cluster: 'a' },
  { match: { segmentPrefix: '/api/v1/orders' }, cluster: 'b' },
  { match: { prefix: '/' }, cluster: 'c' },
];
const hosts = Array.from({ length: 200 }, (_, i) => ({
  name: `h${i}`,
  domains: [`service-${i}.prod.example`],
  routes: apiRoutes,
}));
const hostRequests = hosts.map((host) => ({
  authority: host.domains[0] as string,
  path: '/api/v1/orders/4711?expand=lines',
}));

const listOf = (count: number): RouteInput[] =>
  Array.from(
    { length: count },
    (_, i): RouteInput => ({ match: { segmentPrefix: `/team-${i % 97}/service-${i}` } }),
  );
const requestsOf = (count: number): RequestLine[] =>
  Array.from({ length: 512 }, (_, i) => {
    const route = (i * 7919) % count;
    return { path: `/team-${route % 97}/service-${route}/items/7?page=2` };
  });

matchEach('200 virtual hosts, 4 routes each', hostsRouter(hosts), hostRequests, 100);
for (const count of [10, 1000, 50_000]) {
  matchEach(`${count} segment prefixes`, routesRouter(listOf(count)), requestsOf(count));
}
const patterns: RouteInput[] = Array.from({ length: 20 }, (_, i) => ({
  match: { regex: `/users-${i}/[0-9]+/orders` },
}));
matchEach('20 patterns, cached', routesRouter(patterns), [{ path: '/users-7/1234/orders?x=1' }]);

const s = requestStream({ path: '/api/v1/orders/4711?expand=lines' });
const options = { dotSegments: true, mergeSlashes: false, escapedSlashes: 'keep' } as const;
report('path that needs no normalising', () => {
  if (needsNormalizing(s.req, options)) sink++;
});
process.stdout.write(sink > 0 ? '' : 'nothing matched\n');
