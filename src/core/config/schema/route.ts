import * as v from 'valibot';
import { fields } from './combine.ts';
import {
  authority,
  count,
  headerValue,
  integer,
  milliseconds,
  name,
  path,
  sizeBytes,
  token,
} from './values.ts';

export const headerOperation = fields({
  name: token,
  value: headerValue,
  action: v.optional(v.picklist(['append', 'addIfAbsent', 'overwrite', 'overwriteIfExists']), 'append'),
});

export const headerEdits = {
  requestHeaders: v.optional(v.array(headerOperation), []),
  removeRequestHeaders: v.optional(v.array(token), []),
  responseHeaders: v.optional(v.array(headerOperation), []),
  removeResponseHeaders: v.optional(v.array(token), []),
} as const;

const headerName = v.pipe(
  v.string(),
  v.regex(
    /^(:method|:path|:authority|[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
    'a header name, :method, :path or :authority',
  ),
);

export const headerMatch = fields({
  name: headerName,
  exact: v.optional(v.string()),
  prefix: v.optional(v.string()),
  suffix: v.optional(v.string()),
  contains: v.optional(v.string()),
  regex: v.optional(v.string()),
  present: v.optional(v.boolean()),
  invert: v.optional(v.boolean(), false),
});

export const queryMatch = fields({
  name,
  exact: v.optional(v.string()),
  regex: v.optional(v.string()),
  present: v.optional(v.boolean()),
});

export const routeMatch = fields({
  path: v.optional(path),
  prefix: v.optional(path),
  segmentPrefix: v.optional(path),
  regex: v.optional(v.string()),
  methods: v.optional(v.array(token), []),
  headers: v.optional(v.array(headerMatch), []),
  query: v.optional(v.array(queryMatch), []),
});

export const weightedCluster = fields({
  cluster: name,
  weight: v.optional(count, 1),
  ...headerEdits,
});

export const redirect = fields({
  https: v.optional(v.boolean(), false),
  host: v.optional(authority),
  port: v.optional(integer(1, 65535)),
  path: v.optional(path),
  prefix: v.optional(path),
  status: v.optional(v.picklist([301, 302, 303, 307, 308]), 301),
  stripQuery: v.optional(v.boolean(), false),
});

export const directResponse = fields({
  status: integer(200, 599),
  body: v.optional(v.pipe(v.string(), v.maxLength(65536)), ''),
});

export const rewrite = fields({
  prefix: v.optional(path),
  path: v.optional(path),
  host: v.optional(authority),
});

const retryConditions = [
  'connectFailure',
  'reset',
  'refusedStream',
  'gatewayError',
  'serverError',
  'retriable4xx',
  'perTryTimeout',
] as const;

export const retry = fields({
  on: v.optional(v.array(v.picklist(retryConditions)), ['connectFailure', 'reset', 'refusedStream']),
  numRetries: v.optional(integer(0, 100), 1),
  perTryTimeoutMs: v.optional(milliseconds, 0),
  backoffBaseMs: v.optional(milliseconds, 25),
  backoffMaxMs: v.optional(milliseconds, 250),
  statusCodes: v.optional(v.array(integer(100, 599)), []),
  nonIdempotent: v.optional(v.boolean(), false),
  retryBufferBytes: v.optional(sizeBytes, 65536),
  avoidTriedHosts: v.optional(v.boolean(), true),
});

/** Filter names to configurations; what stands in them is the filter's business. */
export const filterConfigs = v.record(v.string(), v.unknown());
const metadata = v.record(v.string(), v.string());

export const route = fields({
  name: v.optional(name),
  match: v.optional(routeMatch, {}),
  cluster: v.optional(name),
  weightedClusters: v.optional(v.array(weightedCluster)),
  redirect: v.optional(redirect),
  directResponse: v.optional(directResponse),
  rewrite: v.optional(rewrite),
  timeoutMs: v.optional(milliseconds, 15000),
  idleTimeoutMs: v.optional(milliseconds),
  retry: v.optional(retry),
  upgrades: v.optional(v.array(token), []),
  filterConfigs: v.optional(filterConfigs, {}),
  metadata: v.optional(metadata, {}),
  ...headerEdits,
});

export const virtualHost = fields({
  name,
  domains: v.array(v.string()),
  filterConfigs: v.optional(filterConfigs, {}),
  routes: v.array(route),
  ...headerEdits,
});
