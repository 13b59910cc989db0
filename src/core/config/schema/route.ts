import * as v from 'valibot';
import { fields } from './combine.ts';
import { routeMatch } from './route-match.ts';
import { hashPolicy, hedge, internalRedirect, mirror, retry } from './route-policies.ts';
import { authority, count, headerValue, integer, milliseconds, name, path, token } from './values.ts';

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

const metadata = v.record(v.string(), v.string());

export const weightedCluster = fields({
  cluster: name,
  weight: v.optional(count, 1),
  metadataMatch: v.optional(metadata, {}),
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

export const regexRewrite = fields({
  pattern: v.string(),
  substitution: v.string(),
});

export const rewrite = fields({
  prefix: v.optional(path),
  path: v.optional(path),
  regex: v.optional(regexRewrite),
  template: v.optional(v.string()),
  host: v.optional(authority),
  hostFromHeader: v.optional(token),
  hostFromEndpoint: v.optional(v.literal(true, 'true, or leave the key out')),
});

/** Filter names to configurations; what stands in them is the filter's business. */
export const filterConfigs = v.record(v.string(), v.unknown());

export const route = fields({
  name: v.optional(name),
  match: v.optional(routeMatch, {}),
  cluster: v.optional(name),
  weightedClusters: v.optional(v.array(weightedCluster)),
  redirect: v.optional(redirect),
  directResponse: v.optional(directResponse),
  rewrite: v.optional(rewrite),
  timeoutMs: v.optional(milliseconds, 15000),
  grpcTimeoutMaxMs: v.optional(milliseconds),
  idleTimeoutMs: v.optional(milliseconds),
  retry: v.optional(retry),
  upgrades: v.optional(v.array(token), []),
  filterConfigs: v.optional(filterConfigs, {}),
  metadata: v.optional(metadata, {}),
  metadataMatch: v.optional(metadata, {}),
  hashPolicies: v.optional(v.array(hashPolicy), []),
  mirrors: v.optional(v.array(mirror), []),
  hedge: v.optional(hedge),
  internalRedirect: v.optional(internalRedirect),
  ...headerEdits,
});

export const virtualHost = fields({
  name,
  domains: v.array(v.string()),
  filterConfigs: v.optional(filterConfigs, {}),
  routes: v.array(route),
  ...headerEdits,
});
