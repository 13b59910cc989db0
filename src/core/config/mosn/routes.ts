import type { MosnContext } from './context.ts';
import { filterConfigsOf } from './filter-configs.ts';
import { codecOf } from './protocols.ts';
import { actionKeys, forwardingOf } from './route-action.ts';
import { matchesOf, matchKeys } from './route-match.ts';
import type { Keys, Section } from './section.ts';

type RouteKey =
  | 'match'
  | 'route'
  | 'redirect'
  | 'direct_response'
  | 'per_filter_config'
  | 'request_mirror_policies';

export const routeKeys: Keys<RouteKey> = {
  read: ['match', 'route', 'redirect', 'direct_response', 'per_filter_config', 'request_mirror_policies'],
  ineffective: { metadata: 'MOSN keeps it and uses it for nothing' },
};

/** What a listener lends to its routes. */
export interface RouteOwner {
  /** Codecs it speaks, one at least. */
  readonly codecs: readonly string[];
  /** Native names of its filters by MOSN's. */
  readonly filters: ReadonlyMap<string, string>;
  /** The stream filter mirror is there, without which MOSN mirrors nothing. */
  readonly mirror: MirrorFilter | null;
}

/** The stream filter `mirror`. */
export interface MirrorFilter {
  readonly amplification: number;
  readonly broadcast: boolean;
}

/** A native route, as far as others look into it. */
export interface RoutePart {
  readonly match: object;
  readonly cluster?: string;
  readonly weightedClusters?: readonly { readonly cluster: string }[];
}

/** One route of MOSN's as native routes: several where its variables say "or", none where it can match nothing. */
export function routesOf(context: MosnContext, route: Section<RouteKey>, owner: RouteOwner): RoutePart[] {
  const match = route.section('match', matchKeys);
  const matches = match === null ? [{}] : matchesOf(context, match);
  const filterConfigs = filterConfigsOf(context, route, owner);
  const codecs = isForwarding(route) ? upstreamCodecs(context, route, owner) : owner.codecs.slice(0, 1);
  const isChosen = codecs.length > 1;
  return codecs.flatMap((codec) => {
    const what = actionOf(context, route, codec, owner);
    return matches.map((each) => {
      const condition = isChosen
        ? context.origins.mark({ ...each, variables: [speaks(codec)] }, route)
        : each;
      const made: RoutePart = { match: condition, ...what, ...filterConfigs };
      return context.origins.mark(made, route, keysOf(route));
    });
  });
}

const isForwarding = (route: Section<RouteKey>): boolean =>
  !route.has('direct_response') && !route.has('redirect');

/** Where nothing else is said the upstream speaks what the client does: one route for each that it may be. */
function upstreamCodecs(
  context: MosnContext,
  route: Section<RouteKey>,
  owner: RouteOwner,
): readonly string[] {
  const action = route.section('route', actionKeys);
  const protocol = action?.text('upstream_protocol') ?? '';
  if (action === null || protocol === '' || protocol === 'Auto') return owner.codecs;
  return [codecOf(context, protocol, action.at('upstream_protocol'))];
}

/** The condition that a stream is of this codec. */
function speaks(codec: string): object {
  if (codec === 'http1') return { name: 'protocol', prefix: 'HTTP/1.' };
  return { name: 'protocol', exact: codec === 'http2' ? 'HTTP/2' : codec };
}

function keysOf(route: Section<RouteKey>) {
  const action = route.section('route', actionKeys);
  const local = route.at(route.has('direct_response') ? 'direct_response' : 'redirect');
  const keys = {
    match: route.at('match'),
    directResponse: local,
    redirect: local,
    filterConfigs: route.at('per_filter_config'),
  };
  if (action === null) return keys;
  return {
    ...keys,
    cluster: action.at('cluster_name'),
    weightedClusters: action.at('weighted_clusters'),
    timeoutMs: action.at('timeout'),
    rewrite: action.at(action.has('prefix_rewrite') ? 'prefix_rewrite' : 'regex_rewrite'),
    metadataMatch: action.at('metadata_match'),
    hashPolicies: action.at('hash_policy'),
    retry: action.at('retry_policy'),
    mirrors: route.at('request_mirror_policies'),
    requestHeaders: action.at('request_headers_to_add'),
    responseHeaders: action.at('response_headers_to_add'),
  };
}

/** MOSN asks for a direct response first, then for a redirect. */
function actionOf(
  context: MosnContext,
  route: Section<RouteKey>,
  codec: string,
  owner: RouteOwner,
): Record<string, unknown> {
  const used = (['direct_response', 'redirect', 'route'] as const).filter((key) => route.has(key));
  for (const key of used.slice(1)) {
    route.report.notice(route.at(key), 'an action', `no effect beside ${used[0]}`);
  }
  if (used[0] === 'direct_response') return directResponse(context, route);
  if (used[0] === 'redirect') return redirect(context, route);
  const action = route.section('route', actionKeys);
  if (action === null) return {};
  return { ...forwardingOf(context, action, codec), ...mirrorOf(context, route, codec, owner) };
}

function directResponse(context: MosnContext, route: Section<RouteKey>): Record<string, unknown> {
  const direct = route.section('direct_response', { read: ['status', 'body'] });
  if (direct === null) return {};
  const made = { status: direct.count('status') ?? 200, body: direct.text('body') };
  const keys = { status: direct.at('status'), body: direct.at('body') };
  return { directResponse: context.origins.mark(made, direct, keys) };
}

function redirect(context: MosnContext, route: Section<RouteKey>): Record<string, unknown> {
  const given = route.section('redirect', {
    read: ['response_code', 'path_redirect', 'host_redirect', 'scheme_redirect'],
  });
  if (given === null) return {};
  const scheme = given.text('scheme_redirect').toLowerCase();
  if (scheme !== '' && scheme !== 'https') {
    given.report.unsupported(
      given.at('scheme_redirect'),
      scheme,
      'a redirect changes the scheme to https only',
    );
  }
  const path = given.text('path_redirect');
  const host = given.text('host_redirect');
  const made = {
    status: given.count('response_code') ?? 301,
    ...(path === '' ? {} : { path }),
    ...(host === '' ? {} : { host }),
    ...(scheme === 'https' ? { https: true } : {}),
  };
  const keys = {
    status: given.at('response_code'),
    path: given.at('path_redirect'),
    host: given.at('host_redirect'),
    https: given.at('scheme_redirect'),
  };
  return { redirect: context.origins.mark(made, given, keys) };
}

/** `request_mirror_policies` names the target and the share, the stream filter `mirror` how many copies go there. */
function mirrorOf(
  context: MosnContext,
  route: Section<RouteKey>,
  codec: string,
  owner: RouteOwner,
): Record<string, unknown> {
  const policy = route.section('request_mirror_policies', {
    read: ['cluster', 'percent'],
    ineffective: { trace_sampled: 'MOSN does not use it' },
  });
  if (policy === null) return {};
  if (owner.mirror === null) {
    policy.report.notice(
      policy,
      policy.text('cluster'),
      'no effect: the listener has no stream filter "mirror"',
    );
    return {};
  }
  const cluster = policy.required('cluster');
  const percent = policy.count('percent') ?? 0;
  if (cluster === '' || percent === 0) return {};
  const { amplification, broadcast } = owner.mirror;
  const made = {
    cluster: context.clusters.use(cluster, codec),
    percent: Math.min(percent, 100),
    // MOSN leaves the authority of copies as it is.
    hostSuffix: '',
    ...(broadcast ? { broadcast } : amplification > 1 ? { amplification } : {}),
  };
  const keys = { cluster: policy.at('cluster'), percent: policy.at('percent') };
  return { mirrors: [context.origins.mark(made, policy, keys)] };
}
