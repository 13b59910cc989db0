import { constants, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';
import type { ListenerTlsConfig, TlsCertificateConfig, TlsConfig } from '../../core/contract/config.ts';
import { namesOf } from './names.ts';

/** The text of a PEM text or file. @throws HeddleError ERR_TLS_CONFIG */
function readPem(given: string | Secret, what: string): string {
  const text = given instanceof Secret ? given.reveal() : given;
  if (text.includes('-----BEGIN')) return text;
  try {
    return readFileSync(text, 'utf8');
  } catch (cause) {
    throw new HeddleError('ERR_TLS_CONFIG', `${what} (${messageOf(cause)})`, { cause });
  }
}

/** @param more what only one side has @throws HeddleError ERR_TLS_CONFIG for what OpenSSL does not take */
export function contextOf(
  config: TlsConfig,
  certificate: TlsCertificateConfig | undefined,
  owner: string,
  more: SecureContextOptions = {},
): SecureContext {
  const options: SecureContextOptions = {
    minVersion: config.minVersion,
    // A renegotiation asks for the work of a handshake again and again.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ...more,
  };
  if (certificate !== undefined) {
    options.cert = readPem(certificate.cert, `certificate of ${owner}`);
    options.key = readPem(certificate.key, `key of ${owner}`);
  }
  if (config.ca !== undefined) options.ca = readPem(config.ca, `CA of ${owner}`);
  if (config.crl !== undefined) options.crl = readPem(config.crl, `CRL of ${owner}`);
  if (config.ciphers !== undefined) options.ciphers = config.ciphers;
  if (config.curves !== undefined) options.ecdhCurve = config.curves;
  try {
    return createSecureContext(options);
  } catch (cause) {
    throw new HeddleError('ERR_TLS_CONFIG', `${owner} (${messageOf(cause)})`, { cause });
  }
}

/** The contexts of a listener by server name. */
export class ServerContexts {
  readonly first: SecureContext;
  readonly #byName = new Map<string, SecureContext>();

  /** @throws HeddleError ERR_TLS_CONFIG */
  constructor(config: ListenerTlsConfig, owner: string, more: SecureContextOptions) {
    const all = config.certificates.map((each) => {
      const context = contextOf(config, each, owner, more);
      for (const name of certificateNames(readPem(each.cert, `certificate of ${owner}`))) {
        if (!this.#byName.has(name)) this.#byName.set(name, context);
      }
      return context;
    });
    this.first = all[0] as SecureContext;
  }

  /** RFC 6125 §6.4.3: "*" stands for one whole label at the left. */
  choose(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const exact = this.#byName.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return (dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined) ?? this.first;
  }
}

function certificateNames(pem: string): string[] {
  return namesOf(new X509Certificate(pem).subjectAltName, 'DNS').map((name) => name.toLowerCase());
}
