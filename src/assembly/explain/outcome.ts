import { HeddleError } from '../../core/base/errors.ts';
import { dumpConfig } from '../../core/config/dump.ts';
import type {
  EffectiveConfig,
  ListenerConfig,
  PipelineConfig,
  RouteConfig,
  VirtualHostConfig,
} from '../../core/contract/config.ts';
import type { Route } from '../../core/contract/route.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { RoutesExplanation } from '../../core/route/explain/explain-routes.ts';
import type { ClusterTable } from '../clusters.ts';
import type { Runtime } from '../runtime.ts';
import { type ClusterExplanation, explainCluster } from './cluster.ts';

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

/** What becomes of a request on its route. */
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

/** What the route makes of the request. @throws HeddleError ERR_BUG when explanation and router disagree */
export function outcomeOf(
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
