import type { Secret } from '../base/secret.ts';

/** A certificate chain and its key; each PEM text or the absolute path of a PEM file. */
export interface TlsCertificateConfig {
  /** The certificate, then its intermediates. */
  readonly cert: string;
  /** Its private key. A PEM text is redacted wherever the configuration is shown. */
  readonly key: string | Secret;
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
  /** TLSv1.2 | TLSv1.3 ("TLSv1.2"). */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list of cipher suites (that of Node.js). */
  readonly ciphers?: string | undefined;
  /** OpenSSL's list of groups, such as "X25519:P-256" (that of Node.js). */
  readonly curves?: string | undefined;
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
}
