import * as v from 'valibot';
import { Secret } from '../../base/secret.ts';
import { fields } from './combine.ts';
import { integer, name } from './values.ts';

const isPath = /^(\/.|[A-Za-z]:[\\/])/;
const pemOrPath = v.pipe(
  v.string(),
  v.regex(/^(-----BEGIN |\/.|[A-Za-z]:[\\/])/, 'a PEM text or the absolute path of a PEM file'),
);
// Made a secret before anything may complain about it: problems show what was given.
const key = v.pipe(
  v.union([v.string(), v.instance(Secret)]),
  v.transform((given): string | Secret =>
    typeof given === 'string' && given.includes('-----BEGIN') ? new Secret(given) : given,
  ),
  v.check(
    (given) => given instanceof Secret || isPath.test(given),
    'a PEM text or the absolute path of a PEM file',
  ),
);

const certificate = fields({ cert: pemOrPath, key });

const sanMatcher = v.pipe(
  fields({
    type: v.optional(v.picklist(['uri', 'dns']), 'uri'),
    exact: v.optional(name),
    prefix: v.optional(name),
    suffix: v.optional(name),
  }),
  v.check(
    ({ exact, prefix, suffix }) => [exact, prefix, suffix].filter((each) => each !== undefined).length === 1,
    'exactly one of exact, prefix, suffix',
  ),
);

const shared = {
  ca: v.optional(pemOrPath),
  crl: v.optional(pemOrPath),
  trustDomain: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9._-]{1,255}$/, 'a SPIFFE trust domain'))),
  sanMatchers: v.optional(v.array(sanMatcher), []),
  minVersion: v.optional(v.picklist(['TLSv1.2', 'TLSv1.3']), 'TLSv1.2'),
  ciphers: v.optional(v.string()),
  curves: v.optional(v.string()),
} as const;
const protocols = v.optional(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(255))));

export const listenerTls = v.pipe(
  fields({
    certificates: v.pipe(v.array(certificate), v.minLength(1, 'at least one certificate')),
    ...shared,
    alpn: protocols,
    clientCertificate: v.optional(v.picklist(['none', 'optional', 'required']), 'none'),
    handshakeTimeoutMs: v.optional(integer(1, 2_147_483_647), 10_000),
    allowPlain: v.optional(v.boolean(), false),
  }),
  v.check((tls) => tls.clientCertificate === 'none' || tls.ca !== undefined, 'ca, to verify clients with'),
  v.check(
    (tls) =>
      tls.clientCertificate !== 'none' || (tls.trustDomain === undefined && tls.sanMatchers.length === 0),
    'clientCertificate required or optional beside trustDomain or sanMatchers',
  ),
);

export const clusterTls = v.pipe(
  fields({
    ...shared,
    certificate: v.optional(certificate),
    serverName: v.optional(name),
    alpn: protocols,
    insecureSkipVerify: v.optional(v.boolean(), false),
  }),
  v.check((tls) => tls.trustDomain === undefined || tls.ca !== undefined, 'ca, the roots of trustDomain'),
);
