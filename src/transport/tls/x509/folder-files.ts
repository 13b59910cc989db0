import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HeddleError, messageOf } from '../../../core/base/errors.ts';
import { Secret } from '../../../core/base/secret.ts';
import { createFileAccess } from '../../files.ts';
import { SystemClock } from '../../system-clock.ts';
import { spiffeIdOf } from '../names.ts';
import { Authority, type IssuedCertificate } from './authority.ts';

/** The CA that issues, the one that will, and the one that did: the last two exist while one takes the other's place. */
export type AuthorityName = 'ca' | 'ca-next' | 'ca-former';
export const authorityNames: readonly AuthorityName[] = ['ca', 'ca-next', 'ca-former'];

/** A certificate and its key as files. */
export interface CertificateFiles {
  readonly name: string;
  /** Absolute path of the certificate. */
  readonly cert: string;
  /** Absolute path of the key, which its owner alone may read. */
  readonly key: string;
  /** "" for none. */
  readonly spiffeId: string;
  /** ISO 8601. */
  readonly expires: string;
}

/** The files of a folder of certificates: <name>.pem and <name>.key, ca.crl. Every file is replaced whole. */
export class FolderFiles {
  readonly #path: string;
  readonly #files = createFileAccess(new SystemClock());

  constructor(path: string) {
    this.#path = resolve(path);
  }

  at(name: string, ending: 'pem' | 'key' | 'crl'): string {
    return join(this.#path, `${name}.${ending}`);
  }

  has(name: string, ending: 'pem' | 'key' | 'crl' = 'key'): boolean {
    return existsSync(this.at(name, ending));
  }

  /** What was issued, no CA among it, in the order of names. */
  names(): string[] {
    if (!existsSync(this.#path)) return [];
    return readdirSync(this.#path)
      .filter((file) => file.endsWith('.pem'))
      .map((file) => file.slice(0, -'.pem'.length))
      .filter((name) => !(authorityNames as readonly string[]).includes(name) && this.has(name))
      .toSorted();
  }

  /** @throws HeddleError ERR_CERTS_READ */
  read(name: string, ending: 'pem' | 'key' | 'crl'): string {
    try {
      return readFileSync(this.at(name, ending), 'utf8');
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_READ', messageOf(cause), { cause });
    }
  }

  /** The certificates of a file; that of a CA may be followed by another CA that is trusted as well. */
  certificates(name: string): X509Certificate[] {
    const path = this.at(name, 'pem');
    const text = this.read(name, 'pem');
    try {
      const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [text];
      return blocks.map((block) => new X509Certificate(block));
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_READ', `${path} (${messageOf(cause)})`, { cause });
    }
  }

  certificate(name: string): X509Certificate {
    return this.certificates(name)[0] as X509Certificate;
  }

  authority(name: AuthorityName = 'ca'): Authority {
    const key = new Secret(this.read(name, 'key'));
    return new Authority({ cert: this.certificate(name).toString(), key });
  }

  /** Those that there are, the one that issues first. */
  authorities(): Authority[] {
    return authorityNames
      .filter((name) => name === 'ca' || this.has(name))
      .map((name) => this.authority(name));
  }

  /** The key first: whoever sees the new certificate finds its key. @throws HeddleError ERR_CERTS_WRITE */
  async write(name: string, { cert, key }: IssuedCertificate, force: boolean): Promise<CertificateFiles> {
    const paths = { cert: this.at(name, 'pem'), key: this.at(name, 'key') };
    const there = Object.values(paths).find((path) => existsSync(path));
    if (there !== undefined && !force) throw new HeddleError('ERR_CERTS_WRITE', `${there} is there already`);
    await this.writeText(name, 'key', key.reveal());
    await this.writeText(name, 'pem', cert);
    const { validToDate, subjectAltName } = new X509Certificate(cert);
    return {
      name,
      ...paths,
      spiffeId: spiffeIdOf(subjectAltName) ?? '',
      expires: validToDate.toISOString(),
    };
  }

  /** @throws HeddleError ERR_CERTS_WRITE */
  async writeText(name: string, ending: 'pem' | 'key' | 'crl', text: string): Promise<void> {
    try {
      mkdirSync(this.#path, { recursive: true });
      await this.#files.writeText(this.at(name, ending), text, ending === 'key' ? 0o600 : 0o644);
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_WRITE', messageOf(cause), { cause });
    }
  }

  /** Certificate and key. */
  remove(name: string): void {
    for (const ending of ['pem', 'key'] as const) rmSync(this.at(name, ending), { force: true });
  }
}
