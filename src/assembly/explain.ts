import { HeddleError } from '../core/base/errors.ts';
import { dumpConfig } from '../core/config/dump.ts';
import type {
  EffectiveConfig,
  ListenerConfig,
  PipelineConfig,
  RouteConfig,
  VirtualHostConfig,
} from '../core/contract/config.ts';
import type { Route } from '../core/contract/route.ts';
import type { Stream } from '../core/contract/stream.ts';
import { explainRoutes, type RoutesExplanation } from '../core/route/explain/explain-routes.ts';
import { normalizePath } from '../core/route/normalize-path.ts';
import type { ClusterTable } from './clusters.ts';
import { type ClusterExplanation, explainCluster } from './explain-cluster.ts';
import { NameRouter } from './name-router.ts';
import { buildPipeline } from './pipelines.ts';
import type { Runtime } from './runtime.ts';

/** A request to explain. */
export interface ExplainRequest {
  /** @default 'GET' */
  readonly method?: string | undefined;
  /** Path with query. @default '/' */
  readonly path?: string | undefined;
  /** Host as the request names it. @default '' */
  readonly authority?: string | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Address that it comes from. @default '127.0.0.1' */
  readonly source?: string | undefined;
}

/** A stream filter that the request meets, in the order of its stage. */
interface FilterExplanation {
  readonly name: string;
  /** When it runs. */
  readonly stage: string;
  /** False: the route or its virtual host switches it off. */
  readonly isOn: boolean;
  /** Where its configuration comes from. */
  readonly from: 'listener' | 'virtualHost' | 'route';
  /** Plain data, secrets redacted. */
  readonly config: unknown;
}

/** What becomes of a request that comes in at one place. */
export interface Explanation {
  /** Name of the listener, or "inProcess". */
  readonly at: string;
  /** Of a listener. */
  readonly connection: {
    readonly address: string;
    readonly codec: string;
    readonly networkFilters: readonly string[];
  } | null;
  /** Why it never gets as far as a route; null: it does. */
  readonly refused: string | null;
  /** The path that routes see. */
  readonly path: string;
  readonly routes: RoutesExplanation | null;
  readonly route: RouteOutcome | null;
}

export interface RouteOutcome {
  readonly name: string;
  readonly virtualHost: string;
  readonly action: 'forward' | 'redirect' | 'direct';
  /** Of a redirect or direct answer. */
  readonly answer: { readonly status: number; readonly location?: string; readonly body?: string } | null;
  /** Path and authority upstream, rewritten. */
  readonly upstream: { readonly path: string; readonly authority: string } | null;
  readonly filters: readonly FilterExplanation[];
  /** Limits by name, 0 = none. */
  readonly limits: Readonly<Record<string, number>>;
  /** Retry policy as configured; null: never retried. */
  readonly retry: unknown;
  /** Copies that go elsewhere, as configured. */
  readonly mirrors: readonly unknown[];
  /** Where it may go, with the share of each where a weight decides. */
  readonly clusters: readonly ClusterExplanation[];
}

/** What of a mesh an explanation needs. */
export interface ExplainSubject {
  readonly config: EffectiveConfig;
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
}

/** @param at name of a listener, or null for calls of this process. @throws HeddleError ERR_OPTION_INVALID for another name */
export function explainRequest(
  subject: ExplainSubject,
  at: string | null,
  request: ExplainRequest,
): Explanation {
  const { listeners, inProcess } = subject.config;
  if (at === null) return explainPipeline(subject, 'inProcess', inProcess, null, request);
  const listener = listeners.find((each) => each.name === at);
  if (listener === undefined) {
    const known = listeners.map((each) => each.name).join(', ') || 'there is none';
    throw new HeddleError('ERR_OPTION_INVALID', `no listener is named ${JSON.stringify(at)}: ${known}`);
  }
  return explainPipeline(subject, listener.name, listener, listener, request);
}

function explainPipeline(
  subject: ExplainSubject,
  at: string,
  config: PipelineConfig,
  listener: ListenerConfig | null,
  request: ExplainRequest,
): Explanation {
  const path = request.path ?? '/';
  const normal = normalizePath(path, config.normalizePath);
  const told = { at, connection: connectionOf(listener), path: normal ?? path };
  const refused = normal === null ? 'the path is refused (400): it has no normal form' : bytesOnly(listener);
  if (refused !== null) return { ...told, refused, routes: null, route: null };
  const { runtime, clusters } = subject;
  const s = runtime.proxy.acquire();
  try {
    writeRequest(s, { ...request, path: told.path }, listener);
    const names = new NameRouter(clusters.ref, (name) => clusters.get(name) !== null);
    const fallback = listener === null ? names : null;
    // Neither filters nor logs are made: nothing is counted, limited or opened by an explanation.
    const bare = { ...config, filters: [], accessLog: [] };
    const { pipeline } = buildPipeline(at, bare, runtime, clusters.ref, null, fallback);
    s.pipeline = pipeline;
    const route = pipeline.router.match(s);
    const routes = config.virtualHosts.length === 0 ? null : explainRoutes(config.virtualHosts, s);
    s.route = route;
    return { ...told, refused: null, routes, route: outcomeOf(subject, config, listener, s, route, routes) };
  } finally {
    s.pipeline = null;
    runtime.proxy.release(s);
  }
}

function connectionOf(listener: ListenerConfig | null): Explanation['connection'] {
  if (listener === null) return null;
  const { address, codec, networkFilters } = listener;
  return { address, codec: codec.name, networkFilters: networkFilters.map((each) => each.name) };
}

function bytesOnly(listener: ListenerConfig | null): string | null {
  if (listener === null || listener.virtualHosts.length > 0) return null;
  const last = listener.networkFilters.at(-1)?.name ?? 'no filter';
  return `there are no routes: ${last} passes connections on as they are`;
}

function writeRequest(s: Stream, request: ExplainRequest, listener: ListenerConfig | null): void {
  const head = s.req;
  head.methodText = request.method ?? 'GET';
  head.path = request.path ?? '/';
  head.authority = request.authority ?? '';
  for (const [name, value] of request.headers ?? []) head.add(name, value);
  s.protocol = listener === null ? 'call' : protocolOf(listener.codec.name);
  const address = request.source ?? '127.0.0.1';
  s.peer = { address, port: 0, spiffeId: null, certificateSha256: null, serverName: null };
}

const protocolOf = (codec: string): string =>
  codec === 'http2' ? 'HTTP/2' : codec === 'http1' || codec === 'detect' ? 'HTTP/1.1' : codec;

function outcomeOf(
  subject: ExplainSubject,
  pipeline: PipelineConfig,
  listener: ListenerConfig | null,
  s: Stream,
  route: Route | null,
  routes: RoutesExplanation | null,
): RouteOutcome | null {
  if (route === null) return null;
  const host = pipeline.virtualHosts[routes?.host ?? -1];
  const config = host?.routes[routes?.route ?? -1];
  if (
    routes !== null &&
    (config === undefined || (config.name ?? `${host?.name}#${routes.route}`) !== route.name)
  ) {
    throw new HeddleError('ERR_BUG', `the router took ${route.name}, its explanation another route`);
  }
  const { action } = route;
  return {
    name: route.name,
    virtualHost: route.virtualHost,
    action: action.kind === 'weighted' ? 'forward' : action.kind,
    answer: answerOf(s, route),
    upstream: upstreamOf(s, route),
    filters: filtersOf(subject, pipeline, host, config),
    limits: limitsOf(pipeline, listener, route),
    retry: config?.retry ?? null,
    mirrors: config?.mirrors ?? [],
    clusters: clustersOf(subject, s, route, config),
  };
}

function answerOf(s: Stream, { action }: Route): RouteOutcome['answer'] {
  if (action.kind === 'direct') return { status: action.status, body: action.body };
  return action.kind === 'redirect' ? { status: action.status, location: action.location(s) } : null;
}

function upstreamOf(s: Stream, { action, rewrite }: Route): RouteOutcome['upstream'] {
  if (action.kind === 'direct' || action.kind === 'redirect') return null;
  const path = rewrite?.path(s) ?? s.req.path;
  return { path, authority: rewrite?.authority(s) ?? s.req.authority };
}

/** The most specific of the three levels counts whole. */
function filtersOf(
  { runtime }: ExplainSubject,
  pipeline: PipelineConfig,
  host: VirtualHostConfig | undefined,
  route: RouteConfig | undefined,
): FilterExplanation[] {
  return pipeline.filters.map(({ name, config }) => {
    const stage = runtime.extensions.filters.find((each) => each.name === name)?.stage ?? '';
    const levels = [
      ['route', route?.filterConfigs[name]],
      ['virtualHost', host?.filterConfigs[name]],
      ['listener', config ?? {}],
    ] as const;
    const [from, own] = levels.find(([, each]) => each !== undefined) ?? levels[2];
    const shown = own === false ? null : (dumpConfig(own as EffectiveConfig) as unknown);
    return { name, stage, isOn: own !== false, from, config: shown };
  });
}

function limitsOf(
  pipeline: PipelineConfig,
  listener: ListenerConfig | null,
  route: Route,
): Record<string, number> {
  const { maxBodyBytes = 0, maxHeaderBytes = 0, maxUriBytes = 0 } = listener?.limits ?? {};
  return {
    ...(listener === null ? {} : { maxBodyBytes, maxHeaderBytes, maxUriBytes }),
    timeoutMs: route.timeoutMs,
    idleTimeoutMs: route.idleTimeoutMs >= 0 ? route.idleTimeoutMs : pipeline.streamIdleTimeoutMs,
    perTryTimeoutMs: route.retry?.perTryTimeoutMs ?? 0,
    maxBufferedBytes: pipeline.maxBufferedBytes,
  };
}

function clustersOf(
  { clusters }: ExplainSubject,
  s: Stream,
  { action, metadataMatch }: Route,
  config: RouteConfig | undefined,
): ClusterExplanation[] {
  if (action.kind === 'forward') {
    s.target = null;
    return [explainCluster(clusters.get(action.cluster.name), action.cluster.name, 1, s, metadataMatch)];
  }
  const shares = action.kind === 'weighted' ? (config?.weightedClusters ?? []) : [];
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  return shares.map((share) => {
    const wanted = { ...metadataMatch, ...share.metadataMatch };
    s.target = {
      cluster: clusters.ref(share.cluster),
      requestHeaders: null,
      responseHeaders: null,
      metadataMatch: wanted,
    };
    return explainCluster(clusters.get(share.cluster), share.cluster, share.weight / sum, s, wanted);
  });
}
