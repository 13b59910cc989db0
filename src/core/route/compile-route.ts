import type { Random } from '../base/random.ts';
import type { HeaderEditsConfig, RouteConfig, VirtualHostConfig } from '../contract/config.ts';
import type { ClusterRef, RouteAction } from '../contract/route.ts';
import { compileHedge, compileInternalRedirect, compileMirrors, compileRetry } from './compile-policies.ts';
import { compileRewrite } from './compile-rewrite.ts';
import { compileExpression } from './expression.ts';
import { compileHashPolicies } from './hash-policy.ts';
import { type CompileValue, compileEdits, type HeaderEdits, mergeEdits } from './header-operations.ts';
import { makeRoute } from './make-route.ts';
import { compilePath } from './path-match.ts';
import { compileRedirect } from './redirect.ts';
import { matchedPrefix } from './rewrite.ts';
import type { TableEntry } from './route-table.ts';
import type { SharedConditions } from './shared-conditions.ts';
import { createWeightedPick } from './weighted.ts';

/** What routes are compiled with. */
export interface RouteContext {
  /** The cell of a cluster; the same one for the same name. */
  readonly clusterRef: (name: string) => ClusterRef;
  /** The access log's compiler: texts with `%OPERATORS%`. */
  readonly compileValue: CompileValue;
  /** Slots of the pipeline's filters by name; a filter that is used twice has two. */
  readonly filterSlots: ReadonlyMap<string, readonly number[]>;
  /** Draws for weighted clusters. */
  readonly random: Random;
  /** Header edits of the listener, the outermost level. */
  readonly edits: HeaderEditsConfig;
  /** An expression failed on a request. */
  readonly onExpressionError: () => void;
}

/** A virtual host's share of its routes, made once. */
export interface HostParts {
  readonly config: VirtualHostConfig;
  /** Virtual host and listener merged. */
  readonly edits: HeaderEdits;
  readonly filterConfigs: readonly unknown[];
}

const nothing: readonly unknown[] = Object.freeze([]);

export function compileHost(
  config: VirtualHostConfig,
  listener: HeaderEdits,
  context: RouteContext,
): HostParts {
  return {
    config,
    edits: mergeEdits(compileEdits(config, context.compileValue), listener),
    filterConfigs: compileFilterConfigs(config.filterConfigs, nothing, context.filterSlots),
  };
}

/** @throws HeddleError ERR_PATTERN_INVALID, ERR_EXPRESSION_INVALID, ERR_HEADER_INVALID, ERR_PEER_MISSING */
export function compileRoute(
  config: RouteConfig,
  index: number,
  host: HostParts,
  context: RouteContext,
  shared: SharedConditions,
): TableEntry {
  const { match } = config;
  const path = compilePath(match);
  const expression =
    match.expression === undefined ? null : compileExpression(match.expression, context.onExpressionError);
  const edits = mergeEdits(compileEdits(config, context.compileValue), host.edits);
  const target = {
    name: config.name ?? `${host.config.name}#${index}`,
    virtualHost: host.config.name,
    action: compileAction(config, context),
    metadataMatch: config.metadataMatch,
    hashPolicies: compileHashPolicies(config.hashPolicies, context.random),
    rewrite: compileRewrite(config.rewrite, match, path),
  };
  const route = makeRoute({
    ...target,
    timeoutMs: config.timeoutMs,
    grpcTimeoutMaxMs: config.grpcTimeoutMaxMs ?? 0,
    idleTimeoutMs: config.idleTimeoutMs ?? -1,
    retry: config.retry === undefined ? null : compileRetry(config.retry),
    requestHeaders: edits.request,
    responseHeaders: edits.response,
    filterConfigs: compileFilterConfigs(config.filterConfigs, host.filterConfigs, context.filterSlots),
    metadata: config.metadata,
    mirrors: compileMirrors(config.mirrors, host.config.name, context.clusterRef),
    hedge: config.hedge === undefined ? null : compileHedge(config.hedge, target),
    internalRedirect:
      config.internalRedirect === undefined ? null : compileInternalRedirect(config.internalRedirect),
    upgrades: config.upgrades.map((name) => name.toLowerCase()),
  });
  return { config, route, path, conditions: shared.of(match, path, expression) };
}

function compileAction(config: RouteConfig, context: RouteContext): RouteAction {
  if (config.cluster !== undefined) return { kind: 'forward', cluster: context.clusterRef(config.cluster) };
  if (config.redirect !== undefined) {
    const location = compileRedirect(config.redirect, matchedPrefix(config.match));
    return { kind: 'redirect', status: config.redirect.status, location };
  }
  if (config.directResponse !== undefined) return { kind: 'direct', ...config.directResponse };
  const shares = config.weightedClusters ?? [];
  const targets = shares.map((share) => {
    const edits = compileEdits(share, context.compileValue);
    const cluster = context.clusterRef(share.cluster);
    const metadataMatch = { ...config.metadataMatch, ...share.metadataMatch };
    return { cluster, requestHeaders: edits.request, responseHeaders: edits.response, metadataMatch };
  });
  const weights = shares.map((share) => share.weight);
  return { kind: 'weighted', pick: createWeightedPick(targets, weights, context.random) };
}

/** By slot; what the route does not name is the virtual host's. Routes without their own share one array. */
function compileFilterConfigs(
  configs: Readonly<Record<string, unknown>>,
  outer: readonly unknown[],
  slots: ReadonlyMap<string, readonly number[]>,
): readonly unknown[] {
  const names = Object.keys(configs);
  if (names.length === 0) return outer;
  const bySlot = [...outer];
  for (const name of names) {
    for (const slot of slots.get(name) ?? []) {
      while (bySlot.length <= slot) bySlot.push(undefined);
      bySlot[slot] = configs[name];
    }
  }
  return bySlot;
}
