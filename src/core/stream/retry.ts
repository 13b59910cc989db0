import { Code, factsOf } from '../base/codes.ts';
import { GrpcStatus, grpcStatusOfCode } from '../base/grpc-status.ts';
import type { Random } from '../base/random.ts';
import { RetryOn, type RetryPolicy } from '../contract/route.ts';
import { Hop, type Stream } from '../contract/stream.ts';

/** RFC 9110 §9.2.2. */
const idempotentMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

export function isIdempotent(s: Stream): boolean {
  return idempotentMethods.has(s.req.method);
}

/** Should body bytes be kept in case another try is needed? Costs a view per chunk, so only where one is possible. */
export function keepsBody(s: Stream): boolean {
  const { route } = s;
  if (route === null) return isIdempotent(s);
  return s.isGrpc || route.retry !== null || route.internalRedirect !== null || isIdempotent(s);
}

/** How many body bytes may be kept for another try. */
export function retryBufferBytes(s: Stream): number {
  return s.route?.retry?.retryBufferBytes ?? defaultRetryBufferBytes;
}

const defaultRetryBufferBytes = 65536;

/**
 * A pooled connection that its peer closed in the moment of reuse says nothing about the request. One more try, beyond
 * `numRetries`, where repeating is safe (RFC 9112 §9.3.1).
 */
export function isStaleConnection(s: Stream, code: number): boolean {
  const closed = code === Code.upstreamClosed || code === Code.upstreamReset;
  return closed && s.reused && triesOf(s) === 1 && canReplay(s) && isIdempotent(s);
}

/**
 * The upstream says that it did not look at a gRPC call (RFC 9113 §8.7, GOAWAY): once more, without asking the policy,
 * as clients of gRPC do by themselves.
 */
export function isUnseen(s: Stream, code: number): boolean {
  return code === Code.upstreamRefused && s.isGrpc && triesOf(s) === 1 && canReplay(s);
}

/** Is the whole request still here, and nothing of an answer downstream? */
export function canReplay(s: Stream): boolean {
  return !s.responseStarted && !s.requestBody.isLost && !s.isTunnel && s.req.upgrade === '';
}

/** Tries of this hop: a redirect that was followed begins anew. */
function triesOf(s: Stream): number {
  return s.policy === null ? s.tries : s.tries - s.policy.triesBefore;
}

/** A mesh before this one retries: each try of its own would be multiplied. */
const isRetriedBefore = (s: Stream): boolean => (s.hops & Hop.retries) !== 0;

/** Does the policy ask for another try after this failure, and is it safe? Budgets are asked afterwards. */
export function wantsRetry(s: Stream, code: number): boolean {
  const policy = s.route?.retry ?? null;
  if (policy === null || triesOf(s) > policy.numRetries || !canReplay(s) || isRetriedBefore(s)) return false;
  // Who names statuses of gRPC says that calls that end so may be repeated.
  if (s.isGrpc && (policy.on & grpcConditionOf(grpcStatusOfCode(code))) !== 0) return isUpstreamFailure(code);
  if ((policy.on & conditionOf(code)) === 0) return false;
  return factsOf(code).unprocessed || policy.nonIdempotent || isIdempotent(s);
}

/** As `wantsRetry`, for an answer. */
export function wantsRetryOfStatus(s: Stream, policy: RetryPolicy, status: number): boolean {
  if (triesOf(s) > policy.numRetries || !canReplay(s) || isRetriedBefore(s)) return false;
  if (!matchesStatus(policy, status)) return false;
  return policy.nonIdempotent || isIdempotent(s);
}

/** As `wantsRetry`, for an answer that is nothing but a status of gRPC. */
export function wantsRetryOfGrpc(s: Stream, policy: RetryPolicy, status: number): boolean {
  if (triesOf(s) > policy.numRetries || !canReplay(s)) return false;
  return (policy.on & grpcConditionOf(status)) !== 0;
}

function grpcConditionOf(status: number): number {
  switch (status) {
    case GrpcStatus.cancelled:
      return RetryOn.cancelled;
    case GrpcStatus.deadlineExceeded:
      return RetryOn.deadlineExceeded;
    case GrpcStatus.resourceExhausted:
      return RetryOn.resourceExhausted;
    case GrpcStatus.internal:
      return RetryOn.internal;
    case GrpcStatus.unavailable:
      return RetryOn.unavailable;
    default:
      return 0;
  }
}

/** A try failed, not the whole call. */
const isUpstreamFailure = (code: number): boolean => conditionOf(code) !== 0;

function matchesStatus(policy: RetryPolicy, status: number): boolean {
  const on = policy.on;
  if (status >= 500 && (on & RetryOn.serverError) !== 0) return true;
  if (status >= 502 && status <= 504 && (on & RetryOn.gatewayError) !== 0) return true;
  if (status === 409 && (on & RetryOn.retriable4xx) !== 0) return true;
  return (on & RetryOn.statusCodes) !== 0 && policy.statusCodes.has(status);
}

/** Envoy's grouping: `serverError` includes every way of not answering, `gatewayError` those a gateway would make 502 to 504 of. */
function conditionOf(code: number): number {
  const unanswered = RetryOn.serverError | RetryOn.gatewayError;
  switch (code) {
    case Code.connectFailure:
    case Code.connectTimeout:
      return RetryOn.connectFailure | unanswered;
    case Code.upstreamRefused:
      return RetryOn.refusedStream | unanswered;
    case Code.upstreamClosed:
    case Code.upstreamReset:
    case Code.upstreamProtocol:
    case Code.heartbeatLost:
      return RetryOn.reset | unanswered;
    case Code.perTryTimeout:
    case Code.upstreamIdle:
      return RetryOn.perTryTimeout | unanswered;
    default:
      return 0;
  }
}

/**
 * Exponential back-off with full jitter: uniform in [0, (2^n - 1) * base), at most max, for the n-th retry.
 * Source: Envoy's retry_back_off.
 */
export function backoffMs(policy: RetryPolicy, retry: number, random: Random): number {
  const ceiling = Math.min((2 ** retry - 1) * policy.backoffBaseMs, policy.backoffMaxMs);
  return random.next() * ceiling;
}
