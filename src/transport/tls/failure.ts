import { Code } from '../../core/base/codes.ts';

/** Why a handshake failed: the metric label `reason` and the word in the log. */
export type TlsFailure =
  | 'certificate_missing'
  | 'certificate_expired'
  | 'certificate_name'
  | 'certificate_untrusted'
  | 'certificate_trust_domain'
  | 'certificate_revoked'
  | 'certificate_status'
  | 'no_certificate'
  | 'no_common_protocol'
  | 'not_tls'
  | 'refused_by_peer'
  | 'timeout'
  | 'closed'
  | 'other';

const byErrorCode: Readonly<Record<string, TlsFailure>> = {
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_expired',
  CERT_REVOKED: 'certificate_revoked',
  CRL_HAS_EXPIRED: 'certificate_revoked',
  UNABLE_TO_GET_CRL: 'certificate_revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate_name',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'certificate_missing',
  ERR_SSL_NO_SHARED_CIPHER: 'no_common_protocol',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'no_common_protocol',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'no_common_protocol',
  ERR_SSL_HTTP_REQUEST: 'not_tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not_tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not_tls',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

/** OpenSSL's verdicts on a chain, which mean that no trusted root stands behind it. */
const untrusted =
  /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_(UNTRUSTED|SIGNATURE)|INVALID_CA|PATH_LENGTH|PURPOSE/;

export function failureOf(code: string | undefined): TlsFailure {
  if (code === undefined) return 'other';
  const known = byErrorCode[code];
  if (known !== undefined) return known;
  if (untrusted.test(code)) return 'certificate_untrusted';
  return /ALERT/.test(code) ? 'refused_by_peer' : 'other';
}

const codes: Partial<Readonly<Record<TlsFailure, number>>> = {
  certificate_expired: Code.tlsExpired,
  certificate_name: Code.tlsWrongName,
  certificate_untrusted: Code.tlsUntrusted,
  certificate_trust_domain: Code.tlsWrongTrustDomain,
  certificate_revoked: Code.tlsRevoked,
};

/** The Code that streams see which waited for such a connection. */
export function codeOfFailure(failure: TlsFailure): number {
  return codes[failure] ?? Code.tlsFailed;
}
