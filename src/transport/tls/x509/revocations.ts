import type { X509Certificate } from 'node:crypto';
import { HeddleError } from '../../../core/base/errors.ts';
import { readRevocationLists } from '../pem.ts';
import type { Authority } from './authority.ts';
import type { FolderFiles } from './folder-files.ts';
import { type RevocationList, type RevokedCertificate, readRevocationList } from './revocation-list.ts';

/** What `ca.crl` says now. */
export interface RevocationFile {
  /** Absolute path. */
  readonly path: string;
  /** Serial numbers as hexadecimal digits. */
  readonly serials: readonly string[];
  /** ISO 8601: after this nobody who reads the file lets anybody in. */
  readonly expires: string;
}

/**
 * The revocation lists of a folder: `ca.crl` holds one for each CA of it, as a certificate whose issuer has no list is
 * refused. Absent until something is revoked.
 */
export class Revocations {
  readonly #files: FolderFiles;
  readonly #nowMs: () => number;

  constructor(files: FolderFiles, nowMs: () => number) {
    this.#files = files;
    this.#nowMs = nowMs;
  }

  get exists(): boolean {
    return this.#files.has('ca', 'crl');
  }

  isRevoked({ serialNumber }: X509Certificate): boolean {
    const digits = digitsOf(serialNumber);
    return this.#lists().some(({ revoked }) => revoked.some(({ serial }) => digitsOf(serial) === digits));
  }

  /**
   * Adds serial numbers to the lists of all CAs, and makes every list last `lifetimeMs` from now on.
   * @throws HeddleError ERR_CERTS_OPTION, ERR_CERTS_READ, ERR_CERTS_WRITE
   */
  async add(serials: readonly string[], lifetimeMs: number): Promise<RevocationFile> {
    const added = serials.map((text) => ({ serial: serialOf(text), atMs: this.#nowMs() }));
    return this.#write(this.#files.authorities(), added, lifetimeMs);
  }

  /** Where the lists have less than half of their time left, they get all of it again. Null: they have not, or are not there. */
  async renew(): Promise<RevocationFile | null> {
    const lists = this.#lists();
    if (lists.length === 0) return null;
    const until = Math.min(...lists.map(({ untilMs }) => untilMs));
    const lifetimeMs = lifetimeOf(lists);
    if (until - this.#nowMs() > lifetimeMs / 2) return null;
    return this.#write(this.#files.authorities(), [], lifetimeMs);
  }

  /** Writes the lists of exactly these CAs, if there are lists at all. */
  async keepTo(authorities: readonly Authority[]): Promise<void> {
    const lists = this.#lists();
    if (lists.length > 0) await this.#write(authorities, [], lifetimeOf(lists));
  }

  async #write(
    authorities: readonly Authority[],
    added: readonly RevokedCertificate[],
    lifetimeMs: number,
  ): Promise<RevocationFile> {
    const before = new Map(this.#lists().map((list) => [list.keyId, list]));
    const nowMs = this.#nowMs();
    const serials = new Set<string>();
    const texts = authorities.map((authority) => {
      const list = before.get(authority.keyId);
      const all = new Map<string, RevokedCertificate>();
      // The first time counts.
      for (const each of [...added, ...(list?.revoked ?? [])]) all.set(digitsOf(each.serial), each);
      for (const digits of all.keys()) serials.add(digits);
      return authority.listRevoked([...all.values()], (list?.number ?? 0) + 1, nowMs, lifetimeMs);
    });
    await this.#files.writeText('ca', 'crl', texts.join(''));
    const expires = new Date(nowMs + lifetimeMs).toISOString();
    return { path: this.#files.at('ca', 'crl'), serials: [...serials].toSorted(), expires };
  }

  #lists(): RevocationList[] {
    if (!this.exists) return [];
    const path = this.#files.at('ca', 'crl');
    const blocks = readRevocationLists(this.#files.read('ca', 'crl'), path, 'ERR_CERTS_READ');
    return blocks.map((pem) => readRevocationList(pem, path));
  }
}

const lifetimeOf = (lists: readonly RevocationList[]): number =>
  Math.max(...lists.map(({ fromMs, untilMs }) => untilMs - fromMs));

/** Lower case, without leading zeros. */
function digitsOf(serial: string | Buffer): string {
  const text = typeof serial === 'string' ? serial : serial.toString('hex');
  return text.toLowerCase().replace(/^0+(?=.)/, '');
}

/** @param text hexadecimal digits, as `openssl x509 -serial` and `X509Certificate.serialNumber` write them */
function serialOf(text: string): Buffer {
  const digits = text.replaceAll(':', '');
  if (!/^[0-9a-f]{1,40}$/i.test(digits)) {
    throw new HeddleError('ERR_CERTS_OPTION', `serial number ${JSON.stringify(text)}: hexadecimal digits`);
  }
  return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
}
