import { channels } from '../base/channels.ts';
import { Code } from '../base/codes.ts';
import { httpStatusOfGrpc } from '../base/grpc-status.ts';
import type { Cluster, Host } from '../contract/cluster.ts';
import { Phase } from '../contract/phase.ts';
import type { RetryPolicy, Route } from '../contract/route.ts';
import { Paused, type Stream } from '../contract/stream.ts';
import { type StreamEnd, waiting } from '../contract/stream-end.ts';
import { armStream, dueLimit } from './deadlines.ts';
import { grpcStatusOfHead } from './grpc.ts';
import { beginHedging } from './hedge.ts';
import { failStream } from './local-reply.ts';
import { beginMirrors } from './mirror.ts';
import type { StreamProxy } from './proxy.ts';
import { sendRequest } from './request-body.ts';
import { avoidHost } from './request-filters.ts';
import {
  backoffMs,
  isStaleConnection,
  isUnseen,
  wantsRetry,
  wantsRetryOfGrpc,
  wantsRetryOfStatus,
} from './retry.ts';
import { releaseUpstream } from './upstream-end.ts';

/** encodeUpstream: opens an end at the chosen host; the request leaves at once or when the pool has a place. */
export function startAttempt(p: StreamProxy, s: Stream): void {
  s.tries++;
  s.tryStartMs = s.tries === 1 ? s.startMs : p.context.clock.now();
  s.phase = Phase.awaitUpstream;
  armAttempt(p, s);
  const { mirrors, hedge, rewrite } = s.route as Route;
  if (rewrite?.usesEndpoint === true) nameEndpoint(s, s.host as Host);
  if (mirrors !== null) beginMirrors(p, s, mirrors);
  if (hedge !== null) beginHedging(p, s, hedge);
  if (channels.streamTry.hasSubscribers) channels.streamTry.publish({ stream: s, try: s.tries });
  takeUpstream(p, s, (s.host as Host).upstream.open(s));
}

/** What the host's upstream gave: an end, a place in its queue, or a code. */
export function takeUpstream(p: StreamProxy, s: Stream, end: StreamEnd | number): void {
  if (typeof end !== 'number') sendRequest(p, s, end);
  else if (end === waiting) s.isWaiting = true;
  else attemptFailed(p, s, end);
}

/** "unix:/path" is no authority: such a host needs a name to be called by. */
function nameEndpoint(s: Stream, host: Host): void {
  if (host.hostname !== '') s.req.authority = host.hostname;
  else if (!host.address.startsWith('unix:')) s.req.authority = host.address;
}

/** The route's clock starts when the request is complete (Envoy's semantics); streaming bodies have the idle limit. */
export function armAttempt(p: StreamProxy, s: Stream): void {
  const route = s.route as Route;
  // A limit of the caller's own takes the place of the route's, but for gRPC's, which the route's may shorten.
  if (s.requestDone && s.routeDeadlineMs === s.callDeadlineMs && route.timeoutMs > 0 && !s.isTunnel) {
    const limitMs = s.requestDoneMs + route.timeoutMs;
    if (s.callDeadlineMs === 0 || limitMs < s.callDeadlineMs) s.routeDeadlineMs = limitMs;
  }
  const perTryMs = route.retry === null ? 0 : route.retry.perTryTimeoutMs;
  // A per-try limit that is not below the route's is ignored, as Envoy does.
  if (perTryMs > 0 && (route.timeoutMs === 0 || perTryMs < route.timeoutMs)) {
    s.tryDeadlineMs = s.tryStartMs + perTryMs;
  }
  // One that is likely to be parked is armed only if it is not.
  if (!s.mayPark) armStream(p.context.wheel, s);
}

/** failConnect, failStream, retry: one try is over without an answer. */
export function attemptFailed(p: StreamProxy, s: Stream, code: number): void {
  const cluster = s.cluster as Cluster;
  const isConnect = code === Code.connectFailure || code === Code.connectTimeout;
  const values = p.context.metrics.values;
  (values[isConnect ? cluster.slots.connectFailures : cluster.slots.resets] as number)++;
  s.phase = isConnect ? Phase.failConnect : Phase.failStream;
  if (isStaleConnection(s, code) || isUnseen(s, code)) {
    // Says nothing about the host's health or about the request: the same host may be taken.
    retry(p, s, 0);
    return;
  }
  if (s.host !== null) cluster.report(s.host, 0, code, p.context.clock.now() - s.tryStartMs);
  if (s.policy !== null && s.policy.hedge?.outlivesFailure() === true) return;
  if (!wantsRetry(s, code) || !takeRetry(p, s)) {
    failStream(p, s, code);
    return;
  }
  retryElsewhere(p, s);
}

/** Does the policy want another try because of this answer? Then the answer is dropped and the try under way. */
export function retriesStatus(p: StreamProxy, s: Stream, end: boolean): boolean {
  const policy = s.route?.retry ?? null;
  if (policy === null || !wantsRetryOfAnswer(s, policy, end)) return false;
  if (!takeRetry(p, s)) return false;
  (s.cluster as Cluster).report(s.host as Host, statusOfAnswer(s, end), 0, s.firstByteMs - s.tryStartMs);
  const up = s.up;
  s.up = null;
  if (!end && up !== null) up.reset(s, Code.locallyClosed);
  s.res.reset();
  s.responseDone = false;
  s.responseBytes = 0;
  retryElsewhere(p, s);
  return true;
}

function wantsRetryOfAnswer(s: Stream, policy: RetryPolicy, end: boolean): boolean {
  const { status } = s.res;
  if (status >= 400) return wantsRetryOfStatus(s, policy, status);
  const grpcStatus = grpcStatusOfHead(s, end);
  return grpcStatus > 0 && wantsRetryOfGrpc(s, policy, grpcStatus);
}

/** In HTTP's scale: a failure that gRPC tells in an answer of 200 counts as one. */
export function statusOfAnswer(s: Stream, end: boolean): number {
  const grpcStatus = grpcStatusOfHead(s, end);
  return grpcStatus > 0 ? httpStatusOfGrpc(grpcStatus) : s.res.status;
}

function takeRetry(p: StreamProxy, s: Stream): boolean {
  const cluster = s.cluster as Cluster;
  if (s.holdsRetry || cluster.takeRetry()) {
    s.holdsRetry = true;
    return true;
  }
  (p.context.metrics.values[cluster.slots.retryOverflow] as number)++;
  return false;
}

function retryElsewhere(p: StreamProxy, s: Stream): void {
  const policy = s.route?.retry ?? null;
  if (policy?.avoidTriedHosts !== false) avoidHost(s);
  retry(p, s, policy === null ? 0 : backoffMs(policy, s.tries, p.context.random));
}

function retry(p: StreamProxy, s: Stream, delayMs: number): void {
  (p.context.metrics.values[(s.cluster as Cluster).slots.retries] as number)++;
  releaseUpstream(s);
  s.requestBody.next = 0;
  s.requestSent = s.reused = false;
  s.tryDeadlineMs = s.endMs = 0;
  s.paused &= ~Paused.upFull;
  if (delayMs < p.context.wheel.tickMs / 2) {
    s.phase = Phase.chooseHost;
    p.advance(s);
    return;
  }
  s.phase = Phase.retry;
  s.retryAtMs = p.context.clock.now() + delayMs;
  armStream(p.context.wheel, s);
}

/** The wheel says that the stream's nearest limit may be due. */
export function onDeadline(p: StreamProxy, s: Stream, nowMs: number): void {
  switch (dueLimit(s, nowMs)) {
    case 'retry':
      s.retryAtMs = 0;
      s.phase = Phase.chooseHost;
      p.advance(s);
      return;
    case 'route':
      timedOut(p, s, Code.routeTimeout);
      return;
    case 'try':
      if (s.policy !== null && s.policy.hedge?.join(nowMs) === true) return;
      timedOut(p, s, Code.perTryTimeout);
      return;
    case 'idle':
      timedOut(p, s, s.requestDone && !s.responseStarted ? Code.upstreamIdle : Code.streamIdle);
      return;
    default:
      armStream(p.context.wheel, s);
  }
}

function timedOut(p: StreamProxy, s: Stream, code: number): void {
  if (s.cluster !== null) (p.context.metrics.values[s.cluster.slots.timeouts] as number)++;
  if (s.isWaiting) s.host?.upstream.cancelWait(s);
  s.isWaiting = false;
  const up = s.up;
  s.up = null;
  if (up !== null) up.reset(s, code);
  if (code === Code.perTryTimeout) {
    attemptFailed(p, s, code);
    return;
  }
  if (s.host !== null && s.cluster !== null && s.holdsHost) {
    s.cluster.report(s.host, 0, code, p.context.clock.now() - s.tryStartMs);
  }
  failStream(p, s, code);
}
