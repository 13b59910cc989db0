import { Code } from '../base/codes.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import { PolicyState } from '../contract/policy-state.ts';
import type { InternalRedirectPolicy } from '../contract/route.ts';
import { Paused, type Stream } from '../contract/stream.ts';
import { normalizePath } from '../route/normalize-path.ts';
import type { StreamProxy } from './proxy.ts';
import { canReplay } from './retry.ts';
import { releaseUpstream } from './upstream-end.ts';

/** A redirect may be followed: what was asked for, before the route rewrites it. */
export function rememberUrl(s: Stream): void {
  s.policy ??= new PolicyState();
  s.policy.authority = s.req.authority;
  if (s.policy.originalUrl === '') s.policy.originalUrl = `${schemeOf(s)}://${s.req.authority}${s.req.path}`;
}

/**
 * True: the answer is a redirect that is followed here; it is dropped, and the stream goes through the routes again.
 * What must not or cannot be followed passes as any other answer.
 */
export function followsRedirect(
  p: StreamProxy,
  s: Stream,
  policy: InternalRedirectPolicy,
  end: boolean,
): boolean {
  if (!policy.codes.has(s.res.status)) return false;
  const isFollowed = goesTo(s, policy);
  const outcome = isFollowed ? 'followed' : 'passed';
  const { metrics } = p.context;
  const labels = { listener: (s.pipeline as Pipeline).name, outcome };
  const slot = metrics.counter('heddle_internal_redirects_total', labels);
  (metrics.values[slot] as number)++;
  if (isFollowed) startAgain(p, s, end);
  return isFollowed;
}

/** Points the request at the new target, if there is a route for it. */
function goesTo(s: Stream, policy: InternalRedirectPolicy): boolean {
  const state = s.policy as PolicyState;
  if (state.redirects >= policy.maxRedirects || !s.requestDone || !canRepeat(s)) return false;
  const target = targetOf(s, state, policy);
  const normal = (s.pipeline as Pipeline).normalizePath;
  const path = target === null ? null : normalizePath(target.pathname + target.search, normal);
  if (target === null || path === null) return false;
  const { path: pathBefore, authority: authorityBefore } = s.req;
  s.req.path = path;
  s.req.authority = isSameHost(target, s, state) ? state.authority : target.host;
  if ((s.pipeline as Pipeline).router.match(s) !== null) return true;
  s.req.path = pathBefore;
  s.req.authority = authorityBefore;
  return false;
}

/** A request whose body is dropped anyway need not have been kept. */
function canRepeat(s: Stream): boolean {
  return canReplay(s) || (s.res.status === 303 && !s.responseStarted && s.req.upgrade === '');
}

/** Where the answer leads, or null where that is not allowed. */
function targetOf(s: Stream, state: PolicyState, policy: InternalRedirectPolicy): URL | null {
  const location = s.res.get('location');
  if (location === null) return null;
  const scheme = schemeOf(s);
  const base = `${scheme}://${state.authority}${s.req.path}`;
  const target = URL.canParse(location, base) ? new URL(location, base) : null;
  if (target === null || target.username !== '' || target.password !== '') return null;
  const targetScheme = target.protocol.slice(0, -1);
  if (targetScheme !== 'http' && targetScheme !== 'https') return null;
  if (targetScheme !== scheme && !policy.allowCrossScheme) return null;
  return isSameHost(target, s, state) || isListed(target.hostname, policy.hosts) ? target : null;
}

function isSameHost(target: URL, s: Stream, state: PolicyState): boolean {
  const own = new URL(`${schemeOf(s)}://${state.authority}`);
  // Behind another scheme the same name has another standard port.
  return target.host === own.host || (target.hostname === own.hostname && target.port + own.port === '');
}

function isListed(hostname: string, hosts: readonly string[]): boolean {
  return hosts.some(
    (host) =>
      host === '*' || host === hostname || (host.startsWith('*.') && hostname.endsWith(host.slice(1))),
  );
}

/** What a trusted filter or the listener says; plain HTTP otherwise. */
function schemeOf(s: Stream): 'http' | 'https' {
  return s.req.get('x-forwarded-proto') === 'https' ? 'https' : 'http';
}

function startAgain(p: StreamProxy, s: Stream, end: boolean): void {
  const state = s.policy as PolicyState;
  (s.cluster as Cluster).report(s.host as Host, s.res.status, 0, s.firstByteMs - s.tryStartMs);
  const { up } = s;
  s.up = null;
  if (!end && up !== null) up.reset(s, Code.locallyClosed);
  releaseUpstream(s);
  if (s.holdsRetry) s.cluster?.releaseRetry();
  s.holdsRetry = false;
  if (s.res.status === 303) askWithGet(s);
  s.res.reset();
  s.responseDone = s.requestSent = s.reused = false;
  s.responseBytes = s.requestBody.next = 0;
  s.tryDeadlineMs = s.endMs = s.filterIndex = 0;
  s.paused &= ~Paused.upFull;
  s.route = s.target = s.cluster = s.host = s.triedHosts = null;
  s.isRouted = false;
  state.hedge?.cancel();
  state.hedge = null;
  state.redirects++;
  state.triesBefore = s.tries;
  s.req.set('x-heddle-original-url', state.originalUrl);
  s.phase = Phase.matchRoute;
  p.advance(s);
}

/** RFC 9110 §15.4.4: the answer is fetched by GET, whatever was asked before. */
function askWithGet(s: Stream): void {
  const head = s.req;
  if (head.method === 'GET' || head.method === 'HEAD') return;
  head.methodText = 'GET';
  head.chunked = false;
  head.contentLength = -1;
  for (const name of bodyFields) head.remove(name);
  s.requestTrailers = null;
  s.requestBody.clear();
}

const bodyFields = [
  'content-length',
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'transfer-encoding',
  'trailer',
  'expect',
];
