import { Code } from '../base/codes.ts';
import type { Cluster } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { Route, RouteAction } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { applyHeaderOperations } from '../route/header-operations.ts';
import { rememberUrl } from './internal-redirect.ts';
import { failStream, localReply } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';

/** Chooses cluster, then host; takes the host's permit. False: the route answers itself, or nobody can. */
export function chooseHost(p: StreamProxy, s: Stream): boolean {
  if (s.cluster === null && !chooseCluster(p, s, (s.route as Route).action)) return false;
  const host = (s.cluster as Cluster).chooseHost(s);
  if (typeof host === 'number') {
    failStream(p, s, host);
    return false;
  }
  s.host = host;
  s.holdsHost = true;
  s.phase = Phase.filterAfterHost;
  return true;
}

function chooseCluster(p: StreamProxy, s: Stream, action: RouteAction): boolean {
  if (action.kind === 'direct' || action.kind === 'redirect') {
    const isDirect = action.kind === 'direct';
    if (!isDirect) s.reply(action.status, '', { location: action.location(s) });
    else s.reply(action.status, action.body, action.body === '' ? {} : { 'content-type': 'text/plain' });
    localReply(p, s);
    return false;
  }
  if (action.kind === 'weighted') s.target = action.pick(s);
  const ref =
    s.target === null ? (action as { cluster: { current: Cluster | null } }).cluster : s.target.cluster;
  s.cluster = ref.current;
  if (s.cluster === null) {
    failStream(p, s, Code.noCluster);
    return false;
  }
  if (!s.isRouted) applyRoute(s, s.route as Route);
  return true;
}

/** What the route says about the request head, once however many tries there are. */
function applyRoute(s: Stream, route: Route): void {
  s.isRouted = true;
  if (route.internalRedirect !== null) rememberUrl(s);
  if (s.target !== null && s.target.requestHeaders !== null) {
    applyHeaderOperations(s.target.requestHeaders, s.req, s);
  }
  if (route.requestHeaders !== null) applyHeaderOperations(route.requestHeaders, s.req, s);
  if (route.rewrite === null) return;
  const path = route.rewrite.path(s);
  if (path !== null) s.req.path = path;
  const authority = route.rewrite.authority(s);
  if (authority !== null) s.req.authority = authority;
}
