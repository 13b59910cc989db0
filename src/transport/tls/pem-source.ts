import { Secret } from '../../core/base/secret.ts';
import type { SessionTicketsConfig, TlsCertificateConfig, TlsConfig } from '../../core/contract/config.ts';
import type { FileAccess } from '../../core/contract/registry.ts';
import type { SecretSource, TlsCertificate, TlsSecrets } from '../../core/contract/secret-source.ts';
import { isPem, readFile, readPem } from './pem.ts';

/** The keys of the configuration that hold a PEM text or the path of a file. */
export interface PemSettings extends Pick<TlsConfig, 'ca' | 'crl'> {
  readonly certificates: readonly TlsCertificateConfig[];
  readonly tickets?: SessionTicketsConfig | undefined;
}

/** What stands in the configuration: PEM texts, and files, which are watched. */
export class PemSource implements SecretSource {
  readonly #settings: PemSettings;
  readonly #owner: string;
  readonly #files: FileAccess | null;

  /** @param owner for messages: "listener in" */
  constructor(settings: PemSettings, owner: string, files: FileAccess | null) {
    this.#settings = settings;
    this.#owner = owner;
    this.#files = files;
  }

  read(): Partial<TlsSecrets> {
    const { certificates, ca, crl, tickets } = this.#settings;
    const ticketSecret = tickets?.secret;
    return {
      ...(certificates.length > 0 && { certificates: certificates.map((each) => this.#certificate(each)) }),
      ...(ca !== undefined && { ca: readPem(ca, `CA of ${this.#owner}`) }),
      ...(crl !== undefined && { crl: readPem(crl, `CRL of ${this.#owner}`) }),
      ...(ticketSecret !== undefined && { ticketSecret: this.#ticketSecret(ticketSecret) }),
    };
  }

  watch(onChange: () => void): () => void {
    const files = this.#files;
    if (files === null) return () => {};
    const unwatch = [...this.#paths()].map((path) => files.watch(path, onChange));
    return () => {
      for (const each of unwatch) each();
    };
  }

  #certificate({ cert, key, ocsp }: TlsCertificateConfig): TlsCertificate {
    return {
      cert: readPem(cert, `certificate of ${this.#owner}`),
      key: new Secret(readPem(key, `key of ${this.#owner}`)),
      ocsp: ocsp === undefined ? null : readFile(ocsp, `OCSP response of ${this.#owner}`),
    };
  }

  #ticketSecret(given: string | Secret): Secret {
    if (given instanceof Secret) return given;
    return new Secret(readFile(given, `ticket secret of ${this.#owner}`).toString('utf8').trim());
  }

  #paths(): Set<string> {
    const { certificates, ca, crl, tickets } = this.#settings;
    const given = [ca, crl, ...certificates.flatMap(({ cert, key, ocsp }) => [cert, key, ocsp])];
    const texts = given.filter((each): each is string => typeof each === 'string' && !isPem(each));
    if (typeof tickets?.secret === 'string') texts.push(tickets.secret);
    return new Set(texts);
  }
}
