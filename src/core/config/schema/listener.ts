import * as v from 'valibot';
import type { JsonValue } from '../../contract/config.ts';
import { isPlainData } from '../canonical-json.ts';
import { fields } from './combine.ts';
import { codec, filter, networkFilter } from './extension.ts';
import { headerEdits, virtualHost } from './route.ts';
import { listenerTls } from './tls.ts';
import { address, count, headerValue, integer, milliseconds, name, sizeBytes } from './values.ts';

export const accessLog = fields({
  path: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(stdout|stderr|\/.+|[A-Za-z]:[\\/].+)$/, 'stdout, stderr or an absolute path'),
    ),
    'stdout',
  ),
  format: v.optional(v.string()),
  json: v.optional(
    v.record(
      v.string(),
      v.custom<JsonValue>((value) => value !== undefined && isPlainData(value), 'JSON'),
    ),
  ),
});

export const tracing = fields({ enabled: v.optional(v.boolean(), true) });

export const normalizePath = fields({
  dotSegments: v.optional(v.boolean(), true),
  mergeSlashes: v.optional(v.boolean(), false),
  escapedSlashes: v.optional(v.picklist(['keep', 'reject', 'unescape']), 'keep'),
});

const pipeline = {
  streamIdleTimeoutMs: v.optional(milliseconds, 300_000),
  maxBufferedBytes: v.optional(sizeBytes, 1_048_576),
  normalizePath: v.optional(normalizePath, {}),
  serverHeader: v.optional(headerValue, 'heddle'),
  filters: v.optional(v.array(filter), []),
  accessLog: v.optional(v.array(accessLog), []),
  tracing: v.optional(tracing, {}),
  virtualHosts: v.optional(v.array(virtualHost), []),
  ...headerEdits,
} as const;

export const limits = fields({
  maxHeaderBytes: v.optional(integer(256, 16_777_216), 32_768),
  maxHeaderCount: v.optional(integer(1, 10_000), 100),
  maxUriBytes: v.optional(integer(64, 1_048_576), 8192),
  maxBodyBytes: v.optional(sizeBytes, 0),
  idleTimeoutMs: v.optional(milliseconds, 60_000),
  headerTimeoutMs: v.optional(milliseconds, 10_000),
  requestTimeoutMs: v.optional(milliseconds, 300_000),
  maxRequestsPerConnection: v.optional(count, 0),
  maxPipelined: v.optional(integer(1, 10_000), 16),
  maxConnections: v.optional(integer(1, 4_294_967_295), 10_000),
  maxConnectionsPerSource: v.optional(count, 0),
  backlog: v.optional(integer(1, 65_535), 511),
});

export const listener = fields({
  name,
  address,
  codec: v.optional(codec, 'http1'),
  tls: v.optional(listenerTls),
  networkFilters: v.optional(v.array(networkFilter), []),
  limits: v.optional(limits, {}),
  ...pipeline,
});

export const inProcess = fields(pipeline);

export const ingress = fields({ ...pipeline, serverHeader: v.optional(headerValue, '') });
