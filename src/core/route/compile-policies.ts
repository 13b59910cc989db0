import type {
  HedgeConfig,
  InternalRedirectConfig,
  MirrorConfig,
  RetryCondition,
  RetryConfig,
} from '../contract/config.ts';
import {
  type ClusterRef,
  type HedgePolicy,
  type InternalRedirectPolicy,
  type MirrorPolicy,
  RetryOn,
  type RetryPolicy,
  type Rewrite,
  type Route,
} from '../contract/route.ts';
import { makeRoute } from './make-route.ts';

export function compileRetry(config: RetryConfig): RetryPolicy {
  let on = config.statusCodes.length > 0 ? RetryOn.statusCodes : 0;
  for (const condition of config.on) on |= RetryOn[condition satisfies RetryCondition];
  return {
    on,
    numRetries: config.numRetries,
    perTryTimeoutMs: config.perTryTimeoutMs,
    backoffBaseMs: config.backoffBaseMs,
    backoffMaxMs: config.backoffMaxMs,
    statusCodes: new Set(config.statusCodes),
    nonIdempotent: config.nonIdempotent,
    retryBufferBytes: config.retryBufferBytes,
    avoidTriedHosts: config.avoidTriedHosts,
  };
}

/** Null when there is none. */
export function compileMirrors(
  configs: readonly MirrorConfig[],
  virtualHost: string,
  clusterRef: (name: string) => ClusterRef,
): readonly MirrorPolicy[] | null {
  if (configs.length === 0) return null;
  return configs.map((config) => {
    const cluster = clusterRef(config.cluster);
    return {
      cluster,
      route: makeRoute({
        name: `mirror ${config.cluster}`,
        virtualHost,
        action: { kind: 'forward', cluster },
        timeoutMs: config.timeoutMs,
      }),
      percent: config.percent,
      amplification: config.amplification,
      broadcast: config.broadcast,
      hostSuffix: config.hostSuffix,
      maxOutstanding: config.maxOutstanding,
      maxBodyBytes: config.maxBodyBytes,
    };
  });
}

const endpointOnly: Rewrite = { path: () => null, authority: () => null, usesEndpoint: true };

/** @param route what the first try goes by */
export function compileHedge(
  config: HedgeConfig,
  route: Pick<Route, 'name' | 'virtualHost' | 'action' | 'metadataMatch' | 'hashPolicies' | 'rewrite'>,
): HedgePolicy {
  const { name, virtualHost, action, metadataMatch, hashPolicies } = route;
  // Path and authority are rewritten already; only what depends on the host is done again.
  const rewrite = route.rewrite?.usesEndpoint === true ? endpointOnly : null;
  return {
    route: makeRoute({ name, virtualHost, action, metadataMatch, hashPolicies, rewrite, timeoutMs: 0 }),
    delayMs: config.delayMs ?? 0,
    maxHedges: config.maxHedges,
  };
}

export function compileInternalRedirect(config: InternalRedirectConfig): InternalRedirectPolicy {
  return {
    maxRedirects: config.maxRedirects,
    codes: new Set(config.codes),
    allowCrossScheme: config.allowCrossScheme,
    hosts: config.hosts.map((host) => host.toLowerCase()),
  };
}
