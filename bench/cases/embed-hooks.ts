/**
 * What a call to a host of nobody's business costs more with the hooks in place: `embed-hooks.ts` prints one line with the
 * ns of each way. What is below the hooks does nothing, so that only they are measured.
 */
import http from 'node:http';
import { interceptOutbound } from '../../src/embedding/outbound.ts';
import { createMesh } from '../../src/mesh.ts';

export interface HooksResult {
  readonly fetchNs: number;
  readonly httpTextNs: number;
  readonly httpOptionsNs: number;
}

const key = Symbol.for('undici.globalDispatcher.1');
const globals = globalThis as unknown as Record<
  symbol,
  { dispatch(options: object, handler: object): boolean }
>;
void globalThis.Response;
let done = 0;
const below = { dispatch: () => ++done > 0 };
globals[key] = below;
const request = {} as http.ClientRequest;
const stub = (..._given: unknown[]): http.ClientRequest => {
  done++;
  return request;
};
http.request = stub as typeof http.request;

const origins = Array.from({ length: 16 }, (_, i) => `https://host-${i}.example.com:8443`);
const handler = { onRequestStart() {} };
const dispatches = origins.map((origin) => ({ origin, path: '/a/b?c=d', method: 'GET', headers: {} }));
const urls = origins.map((origin) => `${origin}/a/b?c=d`);
const options = origins.map((_, i) => ({
  hostname: `host-${i}.example.com`,
  port: 8443,
  path: '/a',
  headers: {},
}));

const ways = {
  fetchNs: (i: number) => void globals[key]?.dispatch(dispatches[i & 15] as object, handler),
  httpTextNs: (i: number) => void http.request(urls[i & 15] as string),
  httpOptionsNs: (i: number) => void http.request(options[i & 15] as object),
} as const;

/** The best of several batches. */
function leastNs(way: (i: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 20; batch++) {
    const start = process.threadCpuUsage();
    for (let i = 0; i < 100_000; i++) way(i);
    const { user, system } = process.threadCpuUsage(start);
    if (batch > 3) least = Math.min(least, (user + system) / 100);
  }
  return least;
}

const names = Object.keys(ways) as (keyof typeof ways)[];
const before = names.map((name) => leastNs(ways[name]));
const clusters = Array.from({ length: 100 }, (_, i) => ({
  name: `service-${i}`,
  endpoints: ['127.0.0.1:9'],
}));
const mesh = await createMesh({ clusters });
interceptOutbound(mesh);
const after = names.map((name) => leastNs(ways[name]));
const result = Object.fromEntries(names.map((name, i) => [name, (after[i] ?? 0) - (before[i] ?? 0)]));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
