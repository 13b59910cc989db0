import { cookieValue, headerValue, pathOf, queryValue, type Side } from './head-values.ts';
import * as values from './stream-values.ts';
import { checkTimeFormat } from './time-format.ts';
import { maxValueBytes, textValue, unsetValue, type Value } from './values.ts';

/** What stands between the percent signs: `NAME(argument):limit`. */
interface OperatorUse {
  readonly argument: string | null;
  /** Bytes shown at most. */
  readonly limit: number;
}

export interface Operator {
  /** Whether `(...)` must, may or must not follow. */
  readonly argument: 'required' | 'optional' | 'none';
  /** Says what is wrong with the argument; null when nothing is. */
  check?(argument: string): string | null;
  create(use: OperatorUse): Value;
}

const plain = (value: Value): Operator => ({ argument: 'none', create: () => value });
const named = (create: (name: string, limit: number) => Value): Operator => ({
  argument: 'required',
  check: (argument) => (argument === '' ? 'a name is missing between the parentheses' : null),
  create: (use) => create(use.argument ?? '', use.limit),
});
const header = (side: Side): Operator =>
  named((argument, limit) => {
    const [name = '', alternative = null] = argument.split('?');
    return headerValue(side, name, alternative, limit);
  });

/** Envoy's command operators that this mesh has a value for, and the few it knows but cannot fill. */
export const operators: Readonly<Record<string, Operator>> = {
  START_TIME: {
    argument: 'optional',
    check: checkTimeFormat,
    create: (use) => values.startTime(use.argument ?? ''),
  },
  REQ: header('request'),
  RESP: header('response'),
  TRAILER: header('trailer'),
  COOKIE: named(cookieValue),
  QUERY_PARAM: named(queryValue),
  PATH: plain(textValue(pathOf)),
  DYNAMIC_METADATA: named(values.metadataValue),
  PROTOCOL: plain(values.protocol),
  RESPONSE_CODE: plain(values.status),
  RESPONSE_CODE_DETAILS: plain(values.responseDetails),
  RESPONSE_FLAGS: plain(values.responseFlags),
  BYTES_RECEIVED: plain(values.requestBytes),
  BYTES_SENT: plain(values.responseBytes),
  REQUEST_HEADERS_BYTES: plain(values.requestHeadBytes),
  RESPONSE_HEADERS_BYTES: plain(values.responseHeadBytes),
  DURATION: plain(values.duration),
  REQUEST_DURATION: plain(values.requestDuration),
  RESPONSE_DURATION: plain(values.firstByteDuration),
  RESPONSE_TX_DURATION: plain(values.sendingDuration),
  UPSTREAM_HOST: plain(values.upstreamHost),
  UPSTREAM_CLUSTER: plain(values.clusterName),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain(values.tries),
  ROUTE_NAME: plain(values.routeName),
  VIRTUAL_HOST_NAME: plain(values.virtualHostName),
  LISTENER_NAME: plain(values.listenerName),
  DOWNSTREAM_REMOTE_ADDRESS: plain(values.clientWithPort),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain(values.client),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain(values.peerWithPort),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: plain(values.peerAddress),
  DOWNSTREAM_REMOTE_PORT: plain(values.peerPort),
  DOWNSTREAM_PEER_URI_SAN: plain(values.spiffeId),
  DOWNSTREAM_PEER_FINGERPRINT_256: plain(values.certificate),
  REQUESTED_SERVER_NAME: plain(values.serverName),
  TRACE_ID: plain(values.traceId),
  SPAN_ID: plain(values.spanId),
  REQUEST_ID: plain(values.requestId),
  STREAM_ID: plain(values.streamId),
  GRPC_STATUS_NUMBER: plain(values.grpcStatus),
  DOWNSTREAM_LOCAL_ADDRESS: plain(unsetValue),
  UPSTREAM_LOCAL_ADDRESS: plain(unsetValue),
  CONNECTION_ID: plain(unsetValue),
};

/** The default: what tells requests, hosts and outcomes apart, and little enough to be written within 250 ns. */
export const defaultFormat =
  '%START_TIME% "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %REQ(:AUTHORITY)% %UPSTREAM_HOST%';

/** Envoy's default format, with its line break left out. */
export const envoyFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% ' +
  '%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ' +
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"';

export const defaultLimit: number = maxValueBytes;
