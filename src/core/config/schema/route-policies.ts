import * as v from 'valibot';
import { fields } from './combine.ts';
import { integer, milliseconds, name, path, sizeBytes, token } from './values.ts';

const retryConditions = [
  'connectFailure',
  'reset',
  'refusedStream',
  'gatewayError',
  'serverError',
  'retriable4xx',
  'perTryTimeout',
  'cancelled',
  'deadlineExceeded',
  'internal',
  'resourceExhausted',
  'unavailable',
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

const isTrue = v.literal(true, 'true, or leave the key out');

export const hashPolicy = fields({
  header: v.optional(token),
  cookie: v.optional(token),
  ttlMs: v.optional(milliseconds),
  path: v.optional(path),
  query: v.optional(name),
  attachment: v.optional(name),
  metadata: v.optional(name),
  source: v.optional(isTrue),
  terminal: v.optional(v.boolean(), false),
});

export const mirror = fields({
  cluster: name,
  percent: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 100),
  amplification: v.optional(integer(1, 100), 1),
  broadcast: v.optional(v.boolean(), false),
  hostSuffix: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.-]{0,64}$/, 'letters, digits, "-", "_" and ".", at most 64')),
    '-shadow',
  ),
  timeoutMs: v.optional(integer(1, 2_147_483_647), 15_000),
  maxOutstanding: v.optional(integer(1, 1_000_000), 256),
  maxBodyBytes: v.optional(integer(0, 67_108_864), 65_536),
});

export const hedge = fields({
  delayMs: v.optional(integer(1, 2_147_483_647)),
  onPerTryTimeout: v.optional(isTrue),
  maxHedges: v.optional(integer(1, 10), 1),
});

const redirectStatus = v.picklist([301, 302, 303, 307, 308]);
const host = v.pipe(
  v.string(),
  v.regex(/^(\*|(\*\.)?[\w.-]+|\[[0-9a-fA-F:.]+\])$/, '"api.example", "*.example" or "*", without a port'),
);

export const internalRedirect = fields({
  maxRedirects: v.optional(integer(1, 10), 1),
  codes: v.optional(v.array(redirectStatus), [302]),
  allowCrossScheme: v.optional(v.boolean(), false),
  hosts: v.optional(v.array(host), []),
});
