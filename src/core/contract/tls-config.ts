import type { Secret } from '../base/secret.ts';
import type { ExtensionConfig } from './extension.ts';

/** A certificate chain and its key; each PEM text or the absolute path of a PEM file. */
export interface TlsCertificateConfig {
  /** The certificate, then its intermediates. */
  readonly cert: string;
  /** Its private key. A PEM text is redacted wherever the configuration is shown. */
  readonly key: string | Secret;
  /** Absolute path of a signed answer on its revocation, an OCSP response in DER, given to clients that ask (none). */
  readonly ocsp?: string | undefined;
}

/** What a name in a certificate must be; exactly one of exact, prefix, suffix. */
export interface SanMatcherConfig {
  /** Kind of the subject alternative name: uri | dns ("uri"). */
  readonly type: 'uri' | 'dns';
  /** The whole name. */
  readonly exact?: string | undefined;
  /** Its beginning. */
  readonly prefix?: string | undefined;
  /** Its end. */
  readonly suffix?: string | undefined;
}

/** TLS settings that listeners and clusters share. */
export interface TlsConfig {
  /** Roots that certificates of peers must lead to: PEM text or absolute path (clusters: those of Node.js). */
  readonly ca?: string | undefined;
  /** Revoked certificates: PEM text or absolute path; a certificate of an issuer without a list is then refused (none). */
  readonly crl?: string | undefined;
  /** The peer's certificate must hold a SPIFFE id of this trust domain; `ca` then holds the roots of that domain alone (any). */
  readonly trustDomain?: string | undefined;
  /** The peer's certificate must hold a name that one of them matches (any name). */
  readonly sanMatchers: readonly SanMatcherConfig[];
  /** A source of certificates, roots and revocation lists that are not given here, by its name (none). */
  readonly source?: ExtensionConfig | undefined;
  /** Days before the end of a certificate from which health says so (a quarter of its lifetime, at most 14). */
  readonly expiryWarningDays?: number | undefined;
  /** TLSv1.2 | TLSv1.3 ("TLSv1.2"). */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** TLSv1.2 | TLSv1.3 ("TLSv1.3"). */
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list of cipher suites (that of Node.js). */
  readonly ciphers?: string | undefined;
  /** OpenSSL's list of groups, such as "X25519:P-256" (that of Node.js). */
  readonly curves?: string | undefined;
}

/** Session tickets of a listener: a client that comes back saves the verification of certificates. */
export interface SessionTicketsConfig {
  /** Gives and takes tickets (true). */
  readonly enabled: boolean;
  /**
   * A text of at least 32 characters, or the absolute path of a file with one: processes that share it take each other's
   * tickets (a random one of this process).
   */
  readonly secret?: string | Secret | undefined;
  /** How often the key changes; tickets of the one before are taken as long again (43200000, 12 hours). */
  readonly rotationMs: number;
}

/** TLS of a listener. */
export interface ListenerTlsConfig extends TlsConfig {
  /** By the names in them (exact, or one label for "*"); the first one where none fits the server name. */
  readonly certificates: readonly TlsCertificateConfig[];
  /** Protocols offered to clients (those of the codec, or of the codecs that `detect` chooses from). */
  readonly alpn?: readonly string[] | undefined;
  /** none | optional (verified when there is one) | required ("none"). */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  /** Limit of one handshake, from the accept (10000). */
  readonly handshakeTimeoutMs: number;
  /** Connections that do not begin with a TLS handshake go on as plain ones (false). */
  readonly allowPlain: boolean;
  /** Resumption of sessions (on, with a key of this process). */
  readonly sessionTickets: SessionTicketsConfig;
}

/** TLS towards the hosts of a cluster. */
export interface ClusterTlsConfig extends TlsConfig {
  /** Shown to hosts that ask for one (none). */
  readonly certificate?: TlsCertificateConfig | undefined;
  /** Name that is asked for and that the host's certificate must have (the host of the address; where trustDomain or sanMatchers say who it is, no host name is asked for). */
  readonly serverName?: string | undefined;
  /** Protocols offered to hosts (those of the codec). */
  readonly alpn?: readonly string[] | undefined;
  /** Takes any certificate: no protection against somebody in between (false). */
  readonly insecureSkipVerify: boolean;
  /** Hosts whose metadata say `tls: "off"` are spoken to in plain text; else that counts for nothing (false). */
  readonly allowPlainHosts: boolean;
  /** Speaks plain text with a host that does not answer in TLS: whoever stands in between can make it so (false). */
  readonly fallBackToPlain: boolean;
  /** The host must staple a good, signed answer on the revocation of its certificate (false). */
  readonly requireOcsp: boolean;
}
