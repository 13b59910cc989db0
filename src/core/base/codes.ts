import type { ErrorCode } from './error-codes.ts';

/**
 * Why a stream ended early, as a small integer: resets, local replies and connection ends on the data path carry
 * these instead of Errors (an Error costs about 2.5 us, a number nothing). 0 means "no failure".
 */
export const Code = {
  none: 0,
  downstreamClosed: 1,
  downstreamProtocol: 2,
  downstreamIdle: 3,
  requestTimeout: 4,
  headerTimeout: 5,
  headersTooLarge: 6,
  uriTooLong: 7,
  payloadTooLarge: 8,
  noRoute: 9,
  noCluster: 10,
  noHost: 11,
  connectionOverflow: 12,
  pendingOverflow: 13,
  requestOverflow: 14,
  bufferOverflow: 15,
  connectFailure: 16,
  connectTimeout: 17,
  upstreamClosed: 18,
  upstreamReset: 19,
  upstreamRefused: 20,
  upstreamProtocol: 21,
  upstreamIdle: 22,
  perTryTimeout: 23,
  routeTimeout: 24,
  streamIdle: 25,
  filterFailed: 26,
  filterClosed: 27,
  draining: 28,
  aborted: 29,
  meshClosed: 30,
  maxDuration: 31,
  upgradeRefused: 32,
  heartbeatLost: 33,
  transferred: 34,
  locallyClosed: 35,
  tlsFailed: 36,
  tlsExpired: 37,
  tlsWrongName: 38,
  tlsUntrusted: 39,
  tlsWrongTrustDomain: 40,
  tlsRevoked: 41,
  workerDown: 42,
  workerLost: 43,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

export interface CodeFacts {
  /** snake_case; the value of `x-heddle-error` and of the metric label `reason`. */
  readonly name: string;
  /** HTTP status of the local reply, 0 where none is sent. Other protocols map it through their codec. */
  readonly status: number;
  /** Envoy's response flag for the access log, "-" where it has none. */
  readonly flag: string;
  readonly error: ErrorCode;
  /** Nothing of the request can have been processed by an upstream: a retry never repeats an effect. */
  readonly unprocessed: boolean;
}

const facts = (
  name: string,
  status: number,
  flag: string,
  error: ErrorCode,
  unprocessed = false,
): CodeFacts => ({ name, status, flag, error, unprocessed });

/** Indexed by Code. Flags follow Envoy's %RESPONSE_FLAGS%. */
export const codeFacts: readonly CodeFacts[] = [
  facts('none', 0, '-', 'ERR_BUG'),
  facts('downstream_closed', 0, 'DC', 'ERR_REQUEST_ABORTED'),
  facts('downstream_protocol', 400, 'DPE', 'ERR_REQUEST_INVALID'),
  facts('downstream_idle', 0, 'DC', 'ERR_REQUEST_TIMEOUT'),
  facts('request_timeout', 408, 'DT', 'ERR_REQUEST_TIMEOUT'),
  facts('header_timeout', 408, 'DT', 'ERR_REQUEST_TIMEOUT'),
  facts('headers_too_large', 431, 'DPE', 'ERR_REQUEST_INVALID'),
  facts('uri_too_long', 414, 'DPE', 'ERR_REQUEST_INVALID'),
  facts('payload_too_large', 413, 'DPE', 'ERR_REQUEST_INVALID'),
  facts('no_route', 404, 'NR', 'ERR_ROUTE_NONE'),
  facts('no_cluster', 503, 'NC', 'ERR_CLUSTER_UNKNOWN', true),
  facts('no_host', 503, 'UH', 'ERR_CLUSTER_NO_HOST', true),
  facts('connection_overflow', 503, 'UO', 'ERR_CLUSTER_OVERFLOW', true),
  facts('pending_overflow', 503, 'UO', 'ERR_CLUSTER_OVERFLOW', true),
  facts('request_overflow', 503, 'UO', 'ERR_CLUSTER_OVERFLOW', true),
  facts('buffer_overflow', 503, 'OM', 'ERR_CLUSTER_OVERFLOW', true),
  facts('connect_failure', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('connect_timeout', 504, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('upstream_closed', 502, 'UC', 'ERR_UPSTREAM_RESET'),
  facts('upstream_reset', 502, 'UR', 'ERR_UPSTREAM_RESET'),
  facts('upstream_refused', 503, 'UR', 'ERR_UPSTREAM_RESET', true),
  facts('upstream_protocol', 502, 'UPE', 'ERR_UPSTREAM_PROTOCOL'),
  facts('upstream_idle', 504, 'UT', 'ERR_REQUEST_TIMEOUT'),
  facts('per_try_timeout', 504, 'UT', 'ERR_REQUEST_TIMEOUT'),
  facts('route_timeout', 504, 'UT', 'ERR_REQUEST_TIMEOUT'),
  facts('stream_idle', 408, 'SI', 'ERR_REQUEST_TIMEOUT'),
  facts('filter_failed', 500, 'UAEX', 'ERR_FILTER_FAILED'),
  facts('filter_closed', 0, 'UAEX', 'ERR_FILTER_FAILED'),
  facts('draining', 503, 'LR', 'ERR_MESH_CLOSED', true),
  facts('aborted', 0, 'DC', 'ERR_REQUEST_ABORTED'),
  facts('mesh_closed', 503, 'LR', 'ERR_MESH_CLOSED', true),
  facts('max_duration', 504, 'UMSDR', 'ERR_REQUEST_TIMEOUT'),
  facts('upgrade_refused', 502, 'UPE', 'ERR_UPSTREAM_PROTOCOL'),
  facts('heartbeat_lost', 502, 'UC', 'ERR_UPSTREAM_RESET'),
  facts('transferred', 0, '-', 'ERR_MESH_CLOSED'),
  facts('locally_closed', 502, 'LR', 'ERR_UPSTREAM_RESET'),
  facts('tls_failed', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('tls_certificate_expired', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('tls_certificate_name', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('tls_certificate_untrusted', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('tls_certificate_trust_domain', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('tls_certificate_revoked', 503, 'UF', 'ERR_UPSTREAM_CONNECT', true),
  facts('worker_down', 503, 'LR', 'ERR_WORKER_DOWN', true),
  facts('worker_lost', 502, 'LR', 'ERR_WORKER_LOST'),
];

/** The facts of a code; an unknown number reads as `upstream_reset`. */
export function factsOf(code: number): CodeFacts {
  return codeFacts[code] ?? (codeFacts[Code.upstreamReset] as CodeFacts);
}
