import * as v from 'valibot';
import { Secret } from '../../base/secret.ts';
import { fields } from './combine.ts';
import { secretSource } from './extension.ts';
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

// What is no path is the secret itself.
const ticketSecret = v.pipe(
  v.union([v.string(), v.instance(Secret)]),
  v.transform((given): string | Secret =>
    typeof given === 'string' && !isPath.test(given) ? new Secret(given) : given,
  ),
  v.check(
    (given) => typeof given === 'string' || given.reveal().length >= 32,
    'at least 32 characters, or the absolute path of a file with them',
  ),
);
const path = v.pipe(v.string(), v.regex(isPath, 'an absolute path'));

export const certificate = fields({ cert: pemOrPath, key, ocsp: v.optional(path) });

export const sanMatcher = v.pipe(
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

export const sessionTickets = fields({
  enabled: v.optional(v.boolean(), true),
  secret: v.optional(ticketSecret),
  rotationMs: v.optional(integer(60_000, 2_147_483_647), 43_200_000),
});

const shared = {
  source: v.optional(secretSource),
  expiryWarningDays: v.optional(integer(0, 3650)),
  ca: v.optional(pemOrPath),
  crl: v.optional(pemOrPath),
  trustDomain: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9._-]{1,255}$/, 'a SPIFFE trust domain'))),
  sanMatchers: v.optional(v.array(sanMatcher), []),
  minVersion: v.optional(v.picklist(['TLSv1.2', 'TLSv1.3']), 'TLSv1.2'),
  maxVersion: v.optional(v.picklist(['TLSv1.2', 'TLSv1.3']), 'TLSv1.3'),
  ciphers: v.optional(v.string()),
  curves: v.optional(v.string()),
} as const;
const protocols = v.optional(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(255))));

const isOrdered = (tls: { minVersion: string; maxVersion: string }): boolean =>
  tls.minVersion <= tls.maxVersion;
const order = 'a maxVersion that is not below minVersion';

export const listenerTls = v.pipe(
  fields({
    certificates: v.optional(v.array(certificate), []),
    ...shared,
    alpn: protocols,
    clientCertificate: v.optional(v.picklist(['none', 'optional', 'required']), 'none'),
    handshakeTimeoutMs: v.optional(integer(1, 2_147_483_647), 10_000),
    allowPlain: v.optional(v.boolean(), false),
    sessionTickets: v.optional(sessionTickets, {}),
  }),
  v.check(
    (tls) => tls.certificates.length > 0 || tls.source !== undefined,
    'at least one certificate, or a source',
  ),
  v.check(
    (tls) => tls.clientCertificate === 'none' || tls.ca !== undefined || tls.source !== undefined,
    'ca, to verify clients with',
  ),
  v.check(
    (tls) =>
      tls.clientCertificate !== 'none' || (tls.trustDomain === undefined && tls.sanMatchers.length === 0),
    'clientCertificate required or optional beside trustDomain or sanMatchers',
  ),
  v.check((tls) => isOrdered(tls), order),
);

export const clusterTls = v.pipe(
  fields({
    ...shared,
    certificate: v.optional(certificate),
    serverName: v.optional(name),
    alpn: protocols,
    insecureSkipVerify: v.optional(v.boolean(), false),
    allowPlainHosts: v.optional(v.boolean(), false),
    fallBackToPlain: v.optional(v.boolean(), false),
    requireOcsp: v.optional(v.boolean(), false),
  }),
  v.check(
    (tls) => tls.trustDomain === undefined || tls.ca !== undefined || tls.source !== undefined,
    'ca, the roots of trustDomain',
  ),
  v.check(
    (tls) => !tls.requireOcsp || !tls.insecureSkipVerify,
    'only one of requireOcsp, insecureSkipVerify',
  ),
  v.check(
    (tls) => !tls.requireOcsp || tls.ca !== undefined || tls.source !== undefined,
    'ca beside requireOcsp: whoever issued the certificate signs the answer',
  ),
  v.check((tls) => isOrdered(tls), order),
);
