import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';

const certificateBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Whether a setting is the PEM text itself and no path of a file. */
export const isPem = (given: string): boolean => given.includes('-----BEGIN');

/** The text of a PEM text or file. @param what of whom, for the message @throws HeddleError ERR_TLS_CONFIG */
export function readPem(given: string | Secret, what: string): string {
  const text = given instanceof Secret ? given.reveal() : given;
  return isPem(text) ? text : readFile(text, what).toString('utf8');
}

/** @throws HeddleError ERR_TLS_CONFIG */
export function readFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new HeddleError('ERR_TLS_CONFIG', `${what} (${messageOf(cause)})`, { cause });
  }
}

/**
 * The certificates of a PEM text, in order. A file that somebody is writing ends anywhere: OpenSSL takes the whole
 * blocks of a list of roots and says nothing of the rest, so blocks are counted here.
 *
 * @throws HeddleError ERR_TLS_CONFIG for a text that is cut, malformed or holds none
 */
export function readCertificates(pem: string, what: string): X509Certificate[] {
  const blocks = pem.match(certificateBlock) ?? [];
  const begun = pem.split(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/).length - 1;
  if (blocks.length === 0 || blocks.length !== begun || endsAmidLine(pem)) {
    const seen = blocks.length === 0 ? 'holds no whole certificate' : 'ends in the middle of a certificate';
    throw new HeddleError('ERR_TLS_CONFIG', `${what} (it ${seen})`);
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw new HeddleError('ERR_TLS_CONFIG', `${what} (${messageOf(cause)})`, { cause });
  }
}

/**
 * The revocation lists of a PEM text, each as a text of its own: OpenSSL reads one of each that it is given.
 *
 * @throws HeddleError with `code` for a text that is cut or holds none
 */
export function readRevocationLists(
  pem: string,
  what: string,
  code: 'ERR_TLS_CONFIG' | 'ERR_CERTS_READ' = 'ERR_TLS_CONFIG',
): string[] {
  const blocks = pem.match(/-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----\n?/g) ?? [];
  const begun = pem.split('-----BEGIN X509 CRL-----').length - 1;
  if (blocks.length === 0 || blocks.length !== begun || endsAmidLine(pem)) {
    const seen = blocks.length === 0 ? 'holds no whole revocation list' : 'ends in the middle of a list';
    throw new HeddleError(code, `${what} (it ${seen})`);
  }
  return blocks;
}

/** "-----BEG" at the end. */
function endsAmidLine(pem: string): boolean {
  const lines = pem.trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  return last.startsWith('-') && !last.startsWith('-----END');
}
