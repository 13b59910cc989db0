import { Code } from '../base/codes.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { Route } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import { capGrpcDeadline } from './grpc.ts';
import { failStream, localReply } from './local-reply.ts';
import type { StreamProxy } from './proxy.ts';

/** Finds the route and takes its limits over. False: there is none, or it refuses; the stream is answered. */
export function matchRoute(p: StreamProxy, s: Stream): boolean {
  const route = (s.pipeline as Pipeline).router.match(s);
  if (route === null) {
    failStream(p, s, Code.noRoute);
    return false;
  }
  s.route = route;
  if (route.idleTimeoutMs >= 0) s.idleTimeoutMs = route.idleTimeoutMs;
  if (s.isGrpc && route.grpcTimeoutMaxMs > 0) capGrpcDeadline(s, route);
  if (s.req.upgrade !== '' && !mayUpgrade(p, s, route)) return false;
  s.phase = Phase.filterAfterRoute;
  return true;
}

/** An upgrade that the route does not name is not passed on, as RFC 9110 §7.8 allows; a CONNECT has no other meaning. */
function mayUpgrade(p: StreamProxy, s: Stream, route: Route): boolean {
  if (route.upgrades.includes(s.req.upgrade)) return true;
  if (s.req.upgrade !== 'connect') {
    s.req.upgrade = '';
    return true;
  }
  s.reply(403, 'connect_not_allowed\n', { 'content-type': 'text/plain' });
  localReply(p, s);
  return false;
}
