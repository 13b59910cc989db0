import { isIP } from 'node:net';
import { HeddleError } from '../../../core/base/errors.ts';
import { SystemClock } from '../../system-clock.ts';
import { namesOf, spiffeIdOf } from '../names.ts';
import { backdatedMs, createAuthority } from './authority.ts';
import { AuthorityRotation } from './authority-rotation.ts';
import { authorityNames, type CertificateFiles, FolderFiles } from './folder-files.ts';
import { type RevocationFile, Revocations } from './revocations.ts';

export type { CertificateFiles } from './folder-files.ts';
export type { RevocationFile } from './revocations.ts';

const fileName = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
const dnsName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

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

export interface RotationResult {
  readonly rotated: readonly CertificateFiles[];
  readonly kept: readonly string[];
  /** Names whose certificates are revoked. */
  readonly revoked: readonly string[];
  /** Null: the revocation lists have time enough, or there are none. */
  readonly renewed: RevocationFile | null;
}

/**
 * A local CA in a folder and what it issued: ca.pem, ca.key, <name>.pem, <name>.key, and ca.crl once something is
 * revoked. For development and tests: the key of the CA lies beside those of its workloads.
 */
export class CertificateFolder {
  readonly #nowMs: () => number;
  readonly #files: FolderFiles;
  readonly #revocations: Revocations;
  readonly #rotation: AuthorityRotation;

  constructor(path: string, nowMs: () => number = () => new SystemClock().wallNow()) {
    this.#nowMs = nowMs;
    this.#files = new FolderFiles(path);
    this.#revocations = new Revocations(this.#files, nowMs);
    this.#rotation = new AuthorityRotation(this.#files, this.#revocations, nowMs);
  }

  /** Makes the CA. @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_WRITE */
  async init(trustDomain: string, lifetimeMs: number, force = false): Promise<CertificateFiles> {
    const made = createAuthority({ trustDomain, nowMs: this.#nowMs(), lifetimeMs });
    return this.#files.write('ca', made, force);
  }

  /** @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_READ, ERR_CERTS_WRITE */
  async issue(options: IssueOptions): Promise<CertificateFiles> {
    const { name, force = false } = options;
    if (!fileName.test(name) || (authorityNames as readonly string[]).includes(name)) {
      throw new HeddleError(
        'ERR_CERTS_OPTION',
        `name ${JSON.stringify(name)}: letters, digits, ".", "_", "-", not "ca", "ca-next", "ca-former"`,
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
    const authority = this.#files.authority();
    const { spiffeId = `spiffe://${authority.trustDomain}/${name}` } = options;
    if (spiffeId !== null && spiffeIdOf(`URI:${spiffeId}`) === null) {
      throw new HeddleError('ERR_CERTS_OPTION', `SPIFFE id ${JSON.stringify(spiffeId)}`);
    }
    const made = authority.issue(
      { name, spiffeId, dnsNames, ipAddresses },
      this.#nowMs(),
      options.lifetimeMs,
    );
    return this.#files.write(name, made, force);
  }

  /** What was issued, no CA among it, in the order of names. */
  names(): string[] {
    return this.#files.names();
  }

  /**
   * Issues anew what has less than half of its lifetime left: the same names, a new key, the same lifetime. What was
   * revoked stays as it is: `issue` makes another. Revocation lists that have less than half of theirs left are renewed.
   *
   * @param only names, [] = all that there are
   * @param isForced whatever is left of it
   * @throws HeddleError ERR_CERTS_READ, ERR_CERTS_WRITE
   */
  async rotate(only: readonly string[] = [], isForced = false): Promise<RotationResult> {
    const rotated: CertificateFiles[] = [];
    const kept: string[] = [];
    const revoked: string[] = [];
    const authority = this.#files.authority();
    for (const name of only.length > 0 ? only : this.names()) {
      const before = this.#files.certificate(name);
      if (this.#revocations.isRevoked(before)) {
        revoked.push(name);
        continue;
      }
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
      rotated.push(await this.#files.write(name, authority.issue(names, this.#nowMs(), lifetimeMs), true));
    }
    return { rotated, kept, revoked, renewed: await this.#revocations.renew() };
  }

  /**
   * Revokes the certificates of these names as they are now, and those of these serial numbers: in `ca.crl`, which
   * whoever is to refuse them reads as `crl`. Without either the list is written as it is, with all of its time again.
   *
   * @param lifetimeMs of the list: nobody who reads it is let in after that
   * @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_READ, ERR_CERTS_WRITE
   */
  async revoke(
    names: readonly string[],
    lifetimeMs: number,
    serials: readonly string[] = [],
  ): Promise<RevocationFile> {
    const own = names.map((name) => this.#files.certificate(name).serialNumber);
    return this.#revocations.add([...own, ...serials], lifetimeMs);
  }

  /** A new CA, trusted beside the old one, which goes on issuing. @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async beginAuthority(lifetimeMs?: number): Promise<CertificateFiles> {
    return this.#rotation.begin(lifetimeMs);
  }

  /** The new CA issues: everything anew. @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async switchAuthority(): Promise<RotationResult & { readonly authority: CertificateFiles }> {
    const authority = await this.#rotation.switch();
    return { authority, ...(await this.rotate([], true)) };
  }

  /** The old CA is trusted no more. @param isForced although it issued certificates that are there @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async finishAuthority(isForced = false): Promise<CertificateFiles> {
    return this.#rotation.finish(isForced);
  }
}
