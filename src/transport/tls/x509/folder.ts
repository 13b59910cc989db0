import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { HeddleError, messageOf } from '../../../core/base/errors.ts';
import { Secret } from '../../../core/base/secret.ts';
import { createFileAccess } from '../../files.ts';
import { SystemClock } from '../../system-clock.ts';
import { namesOf, spiffeIdOf } from '../names.ts';
import { Authority, backdatedMs, createAuthority, type IssuedCertificate } from './authority.ts';

const authorityName = 'ca';
const fileName = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
const dnsName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

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

export interface IssueOptions {
  /** Of the files, and the common name. */
  readonly name: string;
  /** Undefined: "spiffe://<trust domain>/<name>"; null: none. */
  readonly spiffeId?: string | null | undefined;
  /** Undefined: the name and "localhost". */
  readonly dnsNames?: readonly string[] | undefined;
  /** Undefined: the loopback addresses. */
  readonly ipAddresses?: readonly string[] | undefined;
  readonly lifetimeMs: number;
  /** Whether a certificate of that name is replaced. */
  readonly force?: boolean | undefined;
}

/**
 * A local CA in a folder and what it issued: ca.pem, ca.key, <name>.pem, <name>.key. For development and tests: the key
 * of the CA lies beside those of its workloads.
 */
export class CertificateFolder {
  readonly #path: string;
  readonly #nowMs: () => number;
  readonly #files = createFileAccess(new SystemClock());

  constructor(path: string, nowMs: () => number = () => new SystemClock().wallNow()) {
    this.#path = resolve(path);
    this.#nowMs = nowMs;
  }

  /** Makes the CA. @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_WRITE */
  async init(trustDomain: string, lifetimeMs: number, force = false): Promise<CertificateFiles> {
    const made = createAuthority({ trustDomain, nowMs: this.#nowMs(), lifetimeMs });
    return this.#write(authorityName, made, force);
  }

  /** @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_READ, ERR_CERTS_WRITE */
  async issue(options: IssueOptions): Promise<CertificateFiles> {
    const { name, force = false } = options;
    if (!fileName.test(name) || name === authorityName) {
      throw new HeddleError(
        'ERR_CERTS_OPTION',
        `name ${JSON.stringify(name)}: letters, digits, ".", "_", "-", not "ca"`,
      );
    }
    const { dnsNames = [name, 'localhost'], ipAddresses = ['127.0.0.1', '::1'] } = options;
    for (const each of dnsNames) {
      if (!dnsName.test(each) || each.length > 253)
        throw new HeddleError('ERR_CERTS_OPTION', `DNS name ${JSON.stringify(each)}`);
    }
    for (const each of ipAddresses) {
      if (isIP(each) === 0) throw new HeddleError('ERR_CERTS_OPTION', `IP address ${JSON.stringify(each)}`);
    }
    const authority = this.#authority();
    const { spiffeId = `spiffe://${authority.trustDomain}/${name}` } = options;
    if (spiffeId !== null && spiffeIdOf(`URI:${spiffeId}`) === null) {
      throw new HeddleError('ERR_CERTS_OPTION', `SPIFFE id ${JSON.stringify(spiffeId)}`);
    }
    const made = authority.issue(
      { name, spiffeId, dnsNames, ipAddresses },
      this.#nowMs(),
      options.lifetimeMs,
    );
    return this.#write(name, made, force);
  }

  /** What was issued, the CA not among it, in the order of names. */
  names(): string[] {
    if (!existsSync(this.#path)) return [];
    return readdirSync(this.#path)
      .filter((file) => file.endsWith('.pem'))
      .map((file) => file.slice(0, -'.pem'.length))
      .filter((name) => name !== authorityName && existsSync(this.#at(name, 'key')))
      .toSorted();
  }

  /**
   * Issues anew what has less than half of its lifetime left: the same names, a new key, the same lifetime.
   *
   * @param only names, [] = all that there are
   * @param isForced whatever is left of it
   * @throws HeddleError ERR_CERTS_READ, ERR_CERTS_WRITE
   */
  async rotate(
    only: readonly string[] = [],
    isForced = false,
  ): Promise<{ readonly rotated: CertificateFiles[]; readonly kept: string[] }> {
    const rotated: CertificateFiles[] = [];
    const kept: string[] = [];
    const authority = this.#authority();
    for (const name of only.length > 0 ? only : this.names()) {
      const before = this.#certificate(name);
      const untilMs = before.validToDate.getTime();
      const lifetimeMs = untilMs - before.validFromDate.getTime() - backdatedMs;
      if (!isForced && untilMs - this.#nowMs() > lifetimeMs / 2) {
        kept.push(name);
        continue;
      }
      const { subjectAltName } = before;
      const names = {
        name,
        spiffeId: spiffeIdOf(subjectAltName),
        dnsNames: namesOf(subjectAltName, 'DNS'),
        ipAddresses: namesOf(subjectAltName, 'IP Address'),
      };
      rotated.push(await this.#write(name, authority.issue(names, this.#nowMs(), lifetimeMs), true));
    }
    return { rotated, kept };
  }

  #at(name: string, ending: 'pem' | 'key'): string {
    return join(this.#path, `${name}.${ending}`);
  }

  #read(path: string): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_READ', messageOf(cause), { cause });
    }
  }

  #certificate(name: string): X509Certificate {
    const path = this.#at(name, 'pem');
    try {
      return new X509Certificate(this.#read(path));
    } catch (cause) {
      if (cause instanceof HeddleError) throw cause;
      throw new HeddleError('ERR_CERTS_READ', `${path} (${messageOf(cause)})`, { cause });
    }
  }

  #authority(): Authority {
    const key = new Secret(this.#read(this.#at(authorityName, 'key')));
    return new Authority({ cert: this.#read(this.#at(authorityName, 'pem')), key });
  }

  /** The key first: whoever sees the new certificate finds its key. */
  async #write(name: string, { cert, key }: IssuedCertificate, force: boolean): Promise<CertificateFiles> {
    const paths = { cert: this.#at(name, 'pem'), key: this.#at(name, 'key') };
    const there = Object.values(paths).find((path) => existsSync(path));
    if (there !== undefined && !force) throw new HeddleError('ERR_CERTS_WRITE', `${there} is there already`);
    try {
      mkdirSync(this.#path, { recursive: true });
      await this.#files.writeText(paths.key, key.reveal(), 0o600);
      await this.#files.writeText(paths.cert, cert, 0o644);
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_WRITE', messageOf(cause), { cause });
    }
    const { validToDate, subjectAltName } = new X509Certificate(cert);
    return {
      name,
      ...paths,
      spiffeId: spiffeIdOf(subjectAltName) ?? '',
      expires: validToDate.toISOString(),
    };
  }
}
