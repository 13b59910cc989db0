import { cookieValue, headerValue, pathOf, queryOf, queryValue } from './head-values.ts';
import * as values from './stream-values.ts';
import { elapsed, maxValueBytes, textValue, unsetValue, type Value } from './values.ts';

/** MOSN's start time reads like this. */
const mosnTime = '%Y/%m/%d %H:%M:%S.%3f';

/** MOSN's variables by name; made per use where the value keeps a cache. */
const variables: Readonly<Record<string, () => Value>> = {
  start_time: () => values.startTime(mosnTime),
  request_received_duration: () => values.durationText((s) => elapsed(s.startMs, s.requestDoneMs)),
  response_received_duration: () => values.durationText((s) => elapsed(s.startMs, s.firstByteMs)),
  request_finished_duration: () => values.durationText((s) => elapsed(s.startMs, s.endMs)),
  duration: () => values.durationText((s) => elapsed(s.startMs, s.endMs)),
  bytes_sent: () => values.responseBytes,
  bytes_received: () => values.requestBytes,
  protocol: () => values.protocol,
  response_code: () => values.status,
  response_flag: () => values.responseFlags,
  response_flags: () => values.responseFlags,
  upstream_host: () => values.upstreamHost,
  upstream_cluster: () => values.clusterName,
  route_name: () => values.routeName,
  downstream_remote_address: () => values.peerWithPort,
  trace_id: () => values.traceId,
  stream_id: () => values.streamId,
  'x-mosn-method': () => headerValue('request', ':method', null, maxValueBytes),
  'x-mosn-host': () => headerValue('request', ':authority', null, maxValueBytes),
  'x-mosn-path': () => textValue(pathOf),
  'x-mosn-querystring': () => textValue(queryOf),
  'x-mosn-status': () => values.status,
  'x-mosn-rpc-service': () => values.service,
  'x-mosn-rpc-method': () => values.rpcMethod,
  downstream_local_address: () => unsetValue,
  upstream_local_address: () => unsetValue,
  connection_id: () => unsetValue,
  upstream_connection_id: () => unsetValue,
  process_time_duration: () => unsetValue,
};

const prefixes: Readonly<Record<string, (name: string) => Value>> = {
  request_header_: (name) => headerValue('request', name, null, maxValueBytes),
  response_header_: (name) => headerValue('response', name, null, maxValueBytes),
  cookie_: (name) => cookieValue(name),
  request_arg_: (name) => queryValue(name),
};

export const variableNames: readonly string[] = [
  ...Object.keys(variables),
  ...Object.keys(prefixes).map((prefix) => `${prefix}X`),
];

/** The value of a variable of MOSN's, or null when there is none of that name. */
export function variableValue(name: string): Value | null {
  if (Object.hasOwn(variables, name)) return variables[name]?.() ?? null;
  for (const prefix of Object.keys(prefixes)) {
    if (name.startsWith(prefix) && name.length > prefix.length) {
      return prefixes[prefix]?.(name.slice(prefix.length)) ?? null;
    }
  }
  return null;
}

/** MOSN's default format. */
export const mosnFormat =
  '%start_time% %trace_id%  %connection_id% %upstream_connection_id% %request_received_duration% ' +
  '%response_received_duration% %bytes_sent% %bytes_received% %protocol% %response_code% %duration% ' +
  '%response_flag% %response_code% %upstream_local_address% %downstream_local_address% ' +
  '%downstream_remote_address% %upstream_host%';
