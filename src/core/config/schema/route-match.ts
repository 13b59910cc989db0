import * as v from 'valibot';
import { parseIpBlock } from '../../base/ip-address.ts';
import { fields } from './combine.ts';
import { name, path, token } from './values.ts';

const headerName = v.pipe(
  v.string(),
  v.regex(
    /^(:method|:path|:authority|:service|:rpc-method|[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
    'a header name, :method, :path, :authority, :service or :rpc-method',
  ),
);

const textMatch = {
  exact: v.optional(v.string()),
  prefix: v.optional(v.string()),
  suffix: v.optional(v.string()),
  contains: v.optional(v.string()),
  regex: v.optional(v.string()),
  present: v.optional(v.boolean()),
  invert: v.optional(v.boolean(), false),
} as const;

export const headerMatch = fields({ name: headerName, ...textMatch });
export const queryMatch = fields({ name, ...textMatch });
export const cookieMatch = fields({ name: token, ...textMatch });
export const metadataMatch = fields({ name, ...textMatch });

const variables = [
  'sourceAddress',
  'sourcePort',
  'clientAddress',
  'listener',
  'listenerPort',
  'protocol',
  'serverName',
  'spiffeId',
  'service',
  'rpcMethod',
  'serviceVersion',
  'serviceGroup',
] as const;

const block = v.pipe(
  v.string(),
  v.check((text) => parseIpBlock(text) !== null, 'an IP address or a block such as 10.0.0.0/8'),
);

export const variableMatch = fields({
  name: v.picklist(variables),
  ...textMatch,
  within: v.optional(v.pipe(v.array(block), v.minLength(1, 'at least one block'))),
});

export const routeMatch = fields({
  path: v.optional(path),
  prefix: v.optional(path),
  segmentPrefix: v.optional(path),
  template: v.optional(v.string()),
  regex: v.optional(v.string()),
  caseSensitive: v.optional(v.boolean(), true),
  methods: v.optional(v.array(token), []),
  headers: v.optional(v.array(headerMatch), []),
  query: v.optional(v.array(queryMatch), []),
  cookies: v.optional(v.array(cookieMatch), []),
  variables: v.optional(v.array(variableMatch), []),
  metadata: v.optional(v.array(metadataMatch), []),
  expression: v.optional(v.string()),
});
