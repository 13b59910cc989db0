import type { MosnContext } from './context.ts';
import type { Keys, Section } from './section.ts';
import { ciphersOf, curvesOf, protocolsOf, versionsOf } from './tls-choices.ts';

const tlsKeyNames = [
  'status',
  'type',
  'server_name',
  'ca_cert',
  'cert_chain',
  'private_key',
  'verify_client',
  'require_client_cert',
  'insecure_skip',
  'cipher_suites',
  'ecdh_curves',
  'min_version',
  'max_version',
  'alpn',
  'fall_back',
  'extend_verify',
  'sds_source',
] as const;
export type TlsKey = (typeof tlsKeyNames)[number];
export type TlsSection = Section<TlsKey>;

export const tlsKeys: Keys<TlsKey> = {
  read: tlsKeyNames,
  ineffective: {
    ticket: 'MOSN does not use it; session tickets are on, with a key of this process',
    callbacks: 'they belong to sds_source',
  },
};

/** What sections of one listener must have in common: there is one `tls` here, with several certificates. */
const sharedKeys = [
  'ca_cert',
  'verify_client',
  'require_client_cert',
  'cipher_suites',
  'ecdh_curves',
  'min_version',
  'max_version',
  'alpn',
] as const;

/**
 * `tls` of a listener; undefined without any that is switched on.
 *
 * @param allowsPlain `inspector` of the listener
 */
export function listenerTlsOf(
  context: MosnContext,
  sections: readonly TlsSection[],
  allowsPlain: boolean,
): object | undefined {
  const used = sections.filter((each) => each.flag('status'));
  const [first] = used;
  if (first === undefined) return undefined;
  for (const each of used) refuseHooks(each);
  for (const other of used.slice(1)) refuseDifferences(first, other);
  const withCertificate = used.filter((each) => each.has('cert_chain') || each.has('private_key'));
  if (withCertificate.length === 0 && used.every((each) => each.flag('fall_back'))) {
    const why = 'no TLS: without a certificate MOSN falls back to plain text';
    first.report.notice(first.at('fall_back'), true, why);
    return undefined;
  }
  for (const each of used.filter((each) => each.flag('fall_back'))) {
    each.report.notice(
      each.at('fall_back'),
      true,
      'no effect: a certificate that cannot be used stops the start',
    );
  }
  const made = {
    certificates: used.map((each) => certificateOf(context, each)),
    ...sharedPart(context, first),
    clientCertificate: clientCertificateOf(first),
    allowPlain: allowsPlain,
  };
  return context.origins.mark(made, first, placesOf(first));
}

/** `tls` of a cluster. @param hasPlainHosts hosts of it have `tls_disable` */
export function clusterTlsOf(
  context: MosnContext,
  section: TlsSection | null,
  hasPlainHosts: boolean,
): object | undefined {
  if (section === null || !section.flag('status')) return undefined;
  refuseHooks(section);
  if (section.flag('fall_back')) {
    const why =
      'for hosts that speak no TLS; one with a wrong certificate is refused, which MOSN speaks plain text to';
    section.report.notice(section.at('fall_back'), true, why);
  }
  const hasCertificate = section.has('cert_chain') || section.has('private_key');
  const serverName = section.text('server_name');
  const made = {
    ...(hasCertificate ? { certificate: certificateOf(context, section) } : {}),
    ...(serverName === '' ? {} : { serverName }),
    ...sharedPart(context, section),
    ...(section.flag('insecure_skip') ? { insecureSkipVerify: true } : {}),
    ...(section.flag('fall_back') ? { fallBackToPlain: true } : {}),
    ...(hasPlainHosts ? { allowPlainHosts: true } : {}),
  };
  return context.origins.mark(made, section, placesOf(section));
}

/** What would verify peers in a way that is not known here must not be left out. */
function refuseHooks(section: TlsSection): void {
  const { report } = section;
  const hooks: readonly TlsKey[] = ['type', 'extend_verify'];
  for (const key of hooks) {
    if (section.has(key))
      report.refuse(section.at(key), section.raw(key), 'verification by an extension is not known here');
  }
  if (section.has('sds_source')) report.refuse(section.at('sds_source'), 'sds_source', 'there is no SDS');
}

function refuseDifferences(first: TlsSection, other: TlsSection): void {
  for (const key of sharedKeys) {
    if (JSON.stringify(first.raw(key) ?? null) === JSON.stringify(other.raw(key) ?? null)) continue;
    const why = 'certificates of one listener share everything else';
    other.report.refuse(other.at(key), other.raw(key) ?? 'nothing', why);
  }
}

function certificateOf(context: MosnContext, section: TlsSection): object {
  const made = {
    cert: pemOrPath(context, section, 'cert_chain'),
    key: pemOrPath(context, section, 'private_key'),
  };
  return context.origins.mark(made, section, {
    cert: section.at('cert_chain'),
    key: section.at('private_key'),
  });
}

function sharedPart(context: MosnContext, section: TlsSection): object {
  const ca = section.has('ca_cert') ? pemOrPath(context, section, 'ca_cert') : undefined;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...versionsOf(section),
    ...ciphersOf(section),
    ...curvesOf(section),
    ...protocolsOf(section),
  };
}

/** Go's VerifyClientCertIfGiven, RequireAndVerifyClientCert, and one that looks at nothing. */
function clientCertificateOf(section: TlsSection): 'none' | 'optional' | 'required' {
  if (section.flag('verify_client')) return section.flag('require_client_cert') ? 'required' : 'optional';
  if (section.flag('require_client_cert')) {
    const why = 'no effect: without verify_client MOSN looks at no certificate';
    section.report.notice(section.at('require_client_cert'), true, why);
  }
  return 'none';
}

function pemOrPath({ options }: MosnContext, section: TlsSection, key: TlsKey): string {
  const text = section.required(key);
  const isPath = text !== '' && !text.includes('-----BEGIN');
  return isPath && options.absolutePath !== undefined ? options.absolutePath(text) : text;
}

function placesOf(section: TlsSection): Record<string, ReturnType<TlsSection['at']>> {
  return {
    ca: section.at('ca_cert'),
    clientCertificate: section.at('verify_client'),
    serverName: section.at('server_name'),
    minVersion: section.at('min_version'),
    maxVersion: section.at('max_version'),
    ciphers: section.at('cipher_suites'),
    curves: section.at('ecdh_curves'),
    alpn: section.at('alpn'),
  };
}
