import type { Route } from '../contract/route.ts';

const nothing: readonly never[] = Object.freeze([]);
const noFacts: Readonly<Record<string, string>> = Object.freeze({});

/** A route from what it does beyond forwarding. All routes are made here, so that the data path sees one shape. */
export function makeRoute(parts: Pick<Route, 'name' | 'virtualHost' | 'action'> & Partial<Route>): Route {
  return {
    name: parts.name,
    virtualHost: parts.virtualHost,
    action: parts.action,
    timeoutMs: parts.timeoutMs ?? 15_000,
    grpcTimeoutMaxMs: parts.grpcTimeoutMaxMs ?? 0,
    idleTimeoutMs: parts.idleTimeoutMs ?? -1,
    retry: parts.retry ?? null,
    requestHeaders: parts.requestHeaders ?? null,
    responseHeaders: parts.responseHeaders ?? null,
    rewrite: parts.rewrite ?? null,
    filterConfigs: parts.filterConfigs ?? nothing,
    metadata: parts.metadata ?? noFacts,
    metadataMatch: parts.metadataMatch ?? noFacts,
    hashPolicies: parts.hashPolicies ?? null,
    mirrors: parts.mirrors ?? null,
    hedge: parts.hedge ?? null,
    internalRedirect: parts.internalRedirect ?? null,
    upgrades: parts.upgrades ?? nothing,
  };
}
