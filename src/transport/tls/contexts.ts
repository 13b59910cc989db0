import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { ListenerTlsConfig, TlsConfig } from '../../core/contract/config.ts';
import type { TlsCertificate, TlsSecrets } from '../../core/contract/secret-source.ts';
import { namesOf } from './names.ts';
import { readCertificates, readRevocationLists } from './pem.ts';

/** Initial contexts that tickets of earlier keys may need at once. */
const maxInitial = 8;

/** @throws HeddleError ERR_TLS_CONFIG for what OpenSSL does not take */
export function contextOf(
  config: TlsConfig,
  secrets: TlsSecrets,
  certificate: TlsCertificate | undefined,
  owner: string,
  more: SecureContextOptions = {},
): SecureContext {
  const options: SecureContextOptions = {
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    ...more,
    // A renegotiation asks for the work of a handshake again and again.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (more.secureOptions ?? 0),
  };
  if (certificate !== undefined) {
    readCertificates(certificate.cert, `certificate of ${owner}`);
    options.cert = certificate.cert;
    options.key = certificate.key.reveal();
  }
  if (secrets.ca !== null) {
    readCertificates(secrets.ca, `CA of ${owner}`);
    options.ca = secrets.ca;
  }
  if (secrets.crl !== null) options.crl = readRevocationLists(secrets.crl, `CRL of ${owner}`);
  if (config.ciphers !== undefined) options.ciphers = config.ciphers;
  if (config.curves !== undefined) options.ecdhCurve = config.curves;
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new HeddleError('ERR_TLS_CONFIG', `${owner} (${messageOf(cause)})`, { cause });
  }
}

/** The contexts of a listener by server name, made of one set of secrets. */
export class ServerContexts {
  /** DER of each certificate that has a staple, as hexadecimal digest. */
  readonly staples: ReadonlyMap<string, Buffer>;
  readonly #byName = new Map<string, SecureContext>();
  readonly #initial = new Map<string, SecureContext>();
  readonly #first: TlsCertificate;
  readonly #make: (certificate: TlsCertificate, ticketKey: Buffer | null) => SecureContext;

  /**
   * @param scope who else takes sessions of these contexts; whom the secrets let in counts too
   * @throws HeddleError ERR_TLS_CONFIG
   */
  constructor(config: ListenerTlsConfig, secrets: TlsSecrets, owner: string, scope: string) {
    const { certificates } = secrets;
    const [first] = certificates;
    if (first === undefined)
      throw new HeddleError('ERR_TLS_CONFIG', `${owner} (its source has no certificate)`);
    this.#first = first;
    const sessionIdContext = digest(JSON.stringify([scope, secrets.ca, secrets.crl])).slice(0, 32);
    const secureOptions = config.sessionTickets.enabled ? 0 : constants.SSL_OP_NO_TICKET;
    this.#make = (certificate, ticketKey) =>
      contextOf(config, secrets, certificate, owner, {
        sessionIdContext,
        secureOptions,
        ...(ticketKey !== null && { ticketKeys: ticketKey }),
      });
    const staples = new Map<string, Buffer>();
    for (const each of certificates) {
      const context = this.#make(each, null);
      const [leaf] = readCertificates(each.cert, `certificate of ${owner}`);
      if (leaf === undefined) continue;
      for (const name of namesOf(leaf.subjectAltName, 'DNS')) {
        if (!this.#byName.has(name.toLowerCase())) this.#byName.set(name.toLowerCase(), context);
      }
      if (each.ocsp !== null) staples.set(digest(leaf.raw), each.ocsp);
    }
    this.staples = staples;
    this.hasChoice = certificates.length > 1;
  }

  /** Whether the server name makes a difference. */
  readonly hasChoice: boolean;

  /**
   * What a handshake begins with: the first certificate. Tickets are made and taken with its key alone, whichever
   * certificate the server name chooses later.
   */
  initial(ticketKey: Buffer | null): SecureContext {
    const key = ticketKey?.toString('latin1') ?? '';
    let context = this.#initial.get(key);
    if (context === undefined) {
      context = this.#make(this.#first, ticketKey);
      if (this.#initial.size >= maxInitial) this.#initial.delete(this.#initial.keys().next().value as string);
      this.#initial.set(key, context);
    }
    return context;
  }

  /** RFC 6125 §6.4.3: "*" stands for one whole label at the left. Undefined: the first certificate will do. */
  choose(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
  }

  /** @param der of the certificate that is shown */
  stapleOf(der: Buffer): Buffer | null {
    return this.staples.get(digest(der)) ?? null;
  }
}

function digest(of: string | Buffer): string {
  return createHash('sha256').update(of).digest('hex');
}
