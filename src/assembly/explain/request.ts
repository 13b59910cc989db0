import { HeddleError } from '../../core/base/errors.ts';
import type { ListenerConfig, PipelineConfig } from '../../core/contract/config.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { explainRoutes, type RoutesExplanation } from '../../core/route/explain/explain-routes.ts';
import { normalizePath } from '../../core/route/normalize-path.ts';
import { NameRouter } from '../name-router.ts';
import { buildPipeline } from '../pipelines.ts';
import { type ExplainSubject, outcomeOf, type RouteOutcome } from './outcome.ts';

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
