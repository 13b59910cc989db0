import { HeddleError } from '../../../core/base/errors.ts';
import { Secret } from '../../../core/base/secret.ts';
import { backdatedMs, createAuthority } from './authority.ts';
import type { CertificateFiles, FolderFiles } from './folder-files.ts';
import type { Revocations } from './revocations.ts';

/**
 * A CA takes another's place without a moment in which somebody is not trusted:
 *
 *   begin    a new CA; ca.pem = old + new, the old one issues
 *   switch   the new one issues; ca.pem = new + old; whoever has a certificate gets one of the new CA
 *   finish   ca.pem = new
 *
 * Between two steps every workload has to have read ca.pem, or its own new certificate.
 */
export class AuthorityRotation {
  readonly #files: FolderFiles;
  readonly #revocations: Revocations;
  readonly #nowMs: () => number;

  constructor(files: FolderFiles, revocations: Revocations, nowMs: () => number) {
    this.#files = files;
    this.#revocations = revocations;
    this.#nowMs = nowMs;
  }

  /** @param lifetimeMs of the new CA; undefined: that of the old one @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async begin(lifetimeMs?: number): Promise<CertificateFiles> {
    const files = this.#files;
    if (files.has('ca-next')) throw wrongStep('a new CA is there already, "switch" is next');
    if (files.has('ca-former')) throw wrongStep('the last change of the CA is not over, "finish" is next');
    const { certificate, trustDomain } = files.authority();
    const { validFromDate, validToDate } = certificate;
    const before = validToDate.getTime() - validFromDate.getTime() - backdatedMs;
    const made = createAuthority({ trustDomain, nowMs: this.#nowMs(), lifetimeMs: lifetimeMs ?? before });
    const written = await files.write('ca-next', made, true);
    // Its list is there before anybody trusts it: certificates of a CA without one are refused.
    await this.#revocations.keepTo(files.authorities());
    await files.writeText('ca', 'pem', certificate.toString() + made.cert);
    return written;
  }

  /** A switch that was cut short is gone on with. @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async switch(): Promise<CertificateFiles> {
    const files = this.#files;
    if (!files.has('ca-next')) throw wrongStep('there is no new CA, "begin" is first');
    if (!files.has('ca-former', 'pem')) {
      const cert = files.certificate('ca').toString();
      await files.write('ca-former', { cert, key: new Secret(files.read('ca', 'key')) }, true);
    }
    const cert = files.certificate('ca-next').toString();
    const key = new Secret(files.read('ca-next', 'key'));
    const written = await files.write(
      'ca',
      { cert: cert + files.certificate('ca-former').toString(), key },
      true,
    );
    files.remove('ca-next');
    await this.#revocations.keepTo(files.authorities());
    return written;
  }

  /** @param isForced although certificates of the old CA are left @throws HeddleError ERR_CERTS_READ, ERR_CERTS_STEP, ERR_CERTS_WRITE */
  async finish(isForced: boolean): Promise<CertificateFiles> {
    const files = this.#files;
    if (files.has('ca-next')) throw wrongStep('the new CA does not issue yet, "switch" is next');
    if (!files.has('ca-former')) throw wrongStep('there is no old CA, "begin" is first');
    const { certificate: former } = files.authority('ca-former');
    const left = files.names().filter((name) => {
      const certificate = files.certificate(name);
      return certificate.verify(former.publicKey) && !this.#revocations.isRevoked(certificate);
    });
    if (left.length > 0 && !isForced) {
      throw wrongStep(`${left.join(', ')}: of the old CA; "rotate --force" issues them anew`);
    }
    const current = files.authority();
    const key = new Secret(files.read('ca', 'key'));
    const written = await files.write('ca', { cert: current.certificate.toString(), key }, true);
    await this.#revocations.keepTo([current]);
    files.remove('ca-former');
    return written;
  }
}

const wrongStep = (reason: string): HeddleError => new HeddleError('ERR_CERTS_STEP', reason);
