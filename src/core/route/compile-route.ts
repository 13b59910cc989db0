import type { Random } from '../base/random.ts';
import type {
  HeaderEditsConfig,
  RetryCondition,
  RetryConfig,
  RouteConfig,
  VirtualHostConfig,
} from '../contract/config.ts';
import {
  type ClusterRef,
  RetryOn,
  type RetryPolicy,
  type Rewrite,
  type Route,
  type RouteAction,
} from '../contract/route.ts';
import { type CompileValue, compileEdits, type HeaderEdits, mergeEdits } from './header-operations.ts';
import { compileRedirect } from './redirect.ts';
import { matchedPrefix, replacePrefix, splitQuery } from './rewrite.ts';
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

export function compileRoute(
  config: RouteConfig,
  index: number,
  host: HostParts,
  context: RouteContext,
): Route {
  const edits = mergeEdits(compileEdits(config, context.compileValue), host.edits);
  return {
    name: config.name ?? `${host.config.name}#${index}`,
    virtualHost: host.config.name,
    action: compileAction(config, context),
    timeoutMs: config.timeoutMs,
    idleTimeoutMs: config.idleTimeoutMs ?? -1,
    retry: config.retry === undefined ? null : compileRetry(config.retry),
    requestHeaders: edits.request,
    responseHeaders: edits.response,
    rewrite: compileRewrite(config),
    filterConfigs: compileFilterConfigs(config.filterConfigs, host.filterConfigs, context.filterSlots),
    metadata: config.metadata,
    upgrades: config.upgrades.map((name) => name.toLowerCase()),
  };
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
    return { cluster, requestHeaders: edits.request, responseHeaders: edits.response };
  });
  const weights = shares.map((share) => share.weight);
  return { kind: 'weighted', pick: createWeightedPick(targets, weights, context.random) };
}

function compileRewrite(config: RouteConfig): Rewrite | null {
  const rewrite = config.rewrite;
  if (rewrite === undefined) return null;
  const matched = matchedPrefix(config.match);
  const host = rewrite.host ?? null;
  const { path, prefix } = rewrite;
  return {
    path(s) {
      if (path === undefined && prefix === undefined) return null;
      const [before, query] = splitQuery(s.req.path);
      const changed = path ?? replacePrefix(before, matched, prefix as string);
      return changed === null ? null : changed + query;
    },
    authority: () => host,
  };
}

function compileRetry(config: RetryConfig): RetryPolicy {
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
