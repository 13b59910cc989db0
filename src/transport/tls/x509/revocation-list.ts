/** Reads a revocation list (RFC 5280 §5). */
import { HeddleError } from '../../../core/base/errors.ts';
import { type DerValue, decodeAll, inside, readTime, Tag } from './der.ts';

export interface RevokedCertificate {
  /** Serial number as big-endian bytes. */
  readonly serial: Buffer;
  readonly atMs: number;
}

export interface RevocationList {
  /** Of the key that signed it, as hexadecimal digits. */
  readonly keyId: string;
  readonly number: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly revoked: readonly RevokedCertificate[];
}

const crlNumber = '551d14';
const authorityKeyIdentifier = '551d23';

/** The signature is not looked at: whoever reads it for another reason than to go on with it lets OpenSSL do that. @throws HeddleError ERR_CERTS_READ */
export function readRevocationList(pem: string, path: string): RevocationList {
  const base64 = pem.replace(/-----(BEGIN|END) X509 CRL-----/g, '');
  const [toBeSigned] = inside(decodeAll(Buffer.from(base64, 'base64'))?.[0]);
  // Version, algorithm, issuer, thisUpdate, nextUpdate, [revokedCertificates], [0] extensions.
  const [, , , from, until, ...rest] = inside(toBeSigned);
  const fromMs = from === undefined ? null : readTime(from);
  const untilMs = until === undefined ? null : readTime(until);
  const extensions = inside(inside(rest.find(({ tag }) => tag === 0xa0))[0]);
  const number = contentOf(extensions, crlNumber);
  const [keyId] = inside(contentOf(extensions, authorityKeyIdentifier));
  if (fromMs === null || untilMs === null || number === undefined || keyId === undefined) {
    throw new HeddleError('ERR_CERTS_READ', `${path} (it is no revocation list that was made here)`);
  }
  return {
    keyId: keyId.body.toString('hex'),
    number: Number(BigInt(`0x${number.body.toString('hex') || '0'}`)),
    fromMs,
    untilMs,
    revoked: entriesOf(rest.find(({ tag }) => tag === Tag.sequence)),
  };
}

function entriesOf(list: DerValue | undefined): RevokedCertificate[] {
  return inside(list).flatMap((entry) => {
    const [serial, at] = inside(entry);
    if (serial === undefined || at === undefined) return [];
    return [{ serial: serial.body, atMs: readTime(at) ?? 0 }];
  });
}

/** What an extension holds: one value inside its OCTET STRING. */
function contentOf(extensions: readonly DerValue[], type: string): DerValue | undefined {
  for (const extension of extensions) {
    const parts = inside(extension);
    if (parts[0]?.body.toString('hex') === type) return inside(parts.at(-1))[0];
  }
  return undefined;
}
