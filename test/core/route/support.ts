import { SeededRandom } from '../../../src/core/base/random.ts';
import { requireConfig } from '../../../src/core/config/check.ts';
import type { MeshConfig, RouteInput, VirtualHostInput } from '../../../src/core/config/input.ts';
import type { EffectiveConfig, HeaderEditsConfig } from '../../../src/core/contract/config.ts';
import type { Router } from '../../../src/core/contract/pipeline.ts';
import type { ClusterRef } from '../../../src/core/contract/route.ts';
import { Stream, type StreamCore } from '../../../src/core/contract/stream.ts';
import type { RouteContext } from '../../../src/core/route/compile-route.ts';
import { compileRouter } from '../../../src/core/route/router.ts';
import { fakeExtensions } from '../config/support.ts';

/** Matching never calls the core. */
const core = {} as StreamCore;

export interface RequestLine {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** A stream whose request head stands in a read buffer, as a codec leaves it. */
export function requestStream(request: RequestLine = {}): Stream {
  const s = new Stream(core);
  readInto(s, request);
  return s;
}

/** Makes `s` a fresh stream with that head. */
function readInto(
  s: Stream,
  { method = 'GET', path = '/', authority = 'a.test', headers = [] }: RequestLine,
): void {
  s.req.reset();
  const first = `${method} ${path} HTTP/1.1\r\n`;
  const fields = [['host', authority] as const, ...headers];
  const text = `${first}${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const head = s.req;
  head.buf = Buffer.from(text, 'latin1');
  head.end = head.buf.length;
  head.firstEnd = first.length;
  head.methodEnd = method.length;
  head.pathStart = method.length + 1;
  head.pathEnd = head.pathStart + path.length;
  let at = first.length;
  for (const [name, value] of fields) {
    const valueStart = at + name.length + 2;
    head.fields.splice(head.count * 4, 4, at, at + name.length, valueStart, valueStart + value.length);
    if (head.count++ === 0) {
      head.authorityStart = valueStart;
      head.authorityEnd = valueStart + value.length;
    }
    at = valueStart + value.length + 2;
  }
}

export const noEdits: HeaderEditsConfig = {
  requestHeaders: [],
  removeRequestHeaders: [],
  responseHeaders: [],
  removeResponseHeaders: [],
};

/** Cells by name; nothing behind them. */
function createRefs(): (name: string) => ClusterRef {
  const refs = new Map<string, ClusterRef>();
  return (name) => {
    const ref = refs.get(name) ?? { name, current: null };
    refs.set(name, ref);
    return ref;
  };
}

export function routeContext(parts: Partial<RouteContext> = {}): RouteContext {
  return {
    clusterRef: createRefs(),
    // Stands in for the access log's compiler: `%REQ(name)%` and `%PATH%`.
    compileValue: (text) => (s) =>
      text
        .replace(/%REQ\(([^)]+)\)%/g, (_, name: string) => s.req.get(name) ?? '')
        .replaceAll('%PATH%', s.req.path),
    filterSlots: new Map(),
    random: new SeededRandom(7),
    edits: noEdits,
    onExpressionError: () => undefined,
    ...parts,
  };
}

const clusters = ['a', 'b', 'c', 'd'].map((name) => ({ name, endpoints: ['127.0.0.1:1'] }));

export function effective(
  virtualHosts: readonly VirtualHostInput[],
  parts: Partial<MeshConfig> = {},
): EffectiveConfig {
  const listeners = [{ name: 'l', address: '127.0.0.1:0', virtualHosts }];
  return requireConfig({ listeners, clusters, ...parts }, fakeExtensions());
}

export function hostsRouter(
  virtualHosts: readonly VirtualHostInput[],
  parts: Partial<RouteContext> = {},
): Router {
  const config = effective(virtualHosts);
  return compileRouter(config.listeners[0]?.virtualHosts ?? [], routeContext(parts));
}

/** One virtual host for everything; routes without an action go to cluster a. */
export function routesRouter(routes: readonly RouteInput[], parts: Partial<RouteContext> = {}): Router {
  const hasAction = (route: RouteInput) =>
    route.redirect ?? route.directResponse ?? route.weightedClusters ?? route.cluster;
  const complete = routes.map((route) => (hasAction(route) ? route : { ...route, cluster: 'a' }));
  return hostsRouter([{ name: 'all', domains: ['*'], routes: complete }], parts);
}
