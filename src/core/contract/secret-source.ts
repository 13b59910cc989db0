import type { Secret } from '../base/secret.ts';
import type { ConfigSchema } from './extension.ts';
import type { RegistryContext } from './registry.ts';

/** A certificate chain with its key, as texts in PEM. */
export interface TlsCertificate {
  /** The certificate, then its intermediates. */
  readonly cert: string;
  readonly key: Secret;
  /** A signed answer on its revocation to staple (RFC 6066 §8): an OCSPResponse in DER. */
  readonly ocsp: Buffer | null;
}

/** What one side of TLS proves itself with and verifies others with. */
export interface TlsSecrets {
  readonly certificates: readonly TlsCertificate[];
  /** Roots, PEM. */
  readonly ca: string | null;
  /** Revocation lists, PEM. */
  readonly crl: string | null;
  /** What keys of session tickets are derived from. */
  readonly ticketSecret: Secret | null;
}

/**
 * Where certificates, keys and roots come from: PEM texts and files, a folder, or what an extension brings (SDS).
 *
 *   read() at the start -> contexts        change -> onChange() -> read() -> new contexts, or the ones from before
 *
 * New connections use the new contexts; those that are open stay. What cannot be used keeps what is in use.
 */
export interface SecretSource {
  /**
   * What it has now; parts that it leaves out stand in the configuration. Null while it has nothing: connections are
   * refused until then.
   *
   * @throws HeddleError ERR_TLS_CONFIG
   */
  read(): Partial<TlsSecrets> | null;
  /** Calls back after each change, until the returned function is called. It is called once. */
  watch(onChange: () => void): () => void;
}

/**
 * A kind of source, for `tls.source` of listeners and clusters.
 *
 * @example
 * export const vault: SecretSourceDefinition<VaultConfig> = { name: 'vault', config: VaultConfig, create: (config, context) => new Vault(config, context) };
 */
export interface SecretSourceDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  /** Once for each listener or cluster that names it. */
  create(config: Config, context: RegistryContext): SecretSource;
}
