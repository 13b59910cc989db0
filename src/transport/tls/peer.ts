import type { X509Certificate } from 'node:crypto';
import type { TlsConfig } from '../../core/contract/config.ts';
import type { Peer } from '../../core/contract/wire.ts';
import type { TlsFailure } from './failure.ts';
import { matchesNames, spiffeIdOf, trustDomainOf } from './names.ts';

/** The peer below with what its handshake told. `certificate` is a verified one, or null. */
export class TlsPeer implements Peer {
  readonly address: string;
  readonly port: number;
  readonly spiffeId: string | null;
  readonly certificateSha256: string | null;
  readonly serverName: string | null;
  readonly #below: Peer;

  constructor(below: Peer, certificate: X509Certificate | null, serverName: string | null) {
    this.#below = below;
    this.address = below.address;
    this.port = below.port;
    this.serverName = serverName;
    this.spiffeId = certificate === null ? null : spiffeIdOf(certificate.subjectAltName);
    this.certificateSha256 = certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null;
  }

  get localPort(): number {
    return this.#below.localPort ?? 0;
  }
}

/**
 * What settings ask beyond the chain. A trust domain is bound to its roots because `ca` holds no others: OpenSSL alone
 * would take the certificate of any known CA that claims the domain.
 */
export function refusalOf(certificate: X509Certificate, config: TlsConfig, nowMs: number): TlsFailure | null {
  // A resumed session was verified when it began, which may be long ago.
  if (certificate.validToDate.getTime() < nowMs) return 'certificate_expired';
  if (config.trustDomain !== undefined) {
    const id = spiffeIdOf(certificate.subjectAltName);
    if (id === null || trustDomainOf(id) !== config.trustDomain) return 'certificate_trust_domain';
  }
  return matchesNames(certificate.subjectAltName, config.sanMatchers) ? null : 'certificate_name';
}
