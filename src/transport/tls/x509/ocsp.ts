/** Stapled answers on the revocation of a certificate: reads and verifies an OCSPResponse (RFC 6960 §4.2). */
import { createHash, verify, X509Certificate } from 'node:crypto';
import { type DerValue, decodeAll, inside, readTime, Tag } from './der.ts';

/** What a staple says of a certificate; what is not good or revoked says why it counts for nothing. */
export type StapleVerdict =
  | { readonly status: 'good'; readonly untilMs: number }
  | { readonly status: 'revoked' }
  | { readonly status: 'unusable'; readonly reason: string };

/** Without nextUpdate newer answers are always there (§4.2.2.1): one of yesterday is none. */
const longestMs = 86_400_000;
const skewMs = 300_000;
const basicResponse = '2b0601050507300101';
const ocspSigning = '1.3.6.1.5.5.7.3.9';
const hashNames: Readonly<Record<string, string>> = { '2b0e03021a': 'sha1', '608648016503040201': 'sha256' };
/** ECDSA and RSA with SHA-2; SHA-1 signatures are forged too cheaply. */
const signatureHashes: Readonly<Record<string, string>> = {
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
};

const unusable = (reason: string): StapleVerdict => ({ status: 'unusable', reason });

/** @param issuer of `certificate`, which the caller has verified */
export function judgeStaple(
  der: Buffer,
  certificate: X509Certificate,
  issuer: X509Certificate,
  nowMs: number,
): StapleVerdict {
  const basic = basicOf(der);
  if (basic === null) return unusable('it is no successful OCSP response');
  const [data, algorithm, signature, certificates] = basic;
  if (data === undefined || signature?.tag !== Tag.bitString) return unusable('it is not well formed');
  const signer = signerOf(certificates, issuer, nowMs);
  const hash = signatureHashes[inside(algorithm)[0]?.body.toString('hex') ?? ''];
  if (hash === undefined) return unusable('its signature is of a kind that is not taken');
  if (!verify(hash, data.whole, signer.publicKey, signature.body.subarray(1))) {
    return unusable('its signature is not that of the issuer');
  }
  for (const single of singlesOf(data)) {
    const [id, status, from, next] = inside(single);
    if (id === undefined || status === undefined || from === undefined) continue;
    if (isAbout(id, certificate, issuer)) return judge(status, from, next, nowMs);
  }
  return unusable('it is about another certificate');
}

/** The parts of BasicOCSPResponse; null: another kind, or an error of the responder. */
function basicOf(der: Buffer): readonly DerValue[] | null {
  const [status, wrapped] = inside(decodeAll(der)?.[0]);
  if (status?.tag !== Tag.enumerated || status.body[0] !== 0) return null;
  const [type, octets] = inside(inside(wrapped)[0]);
  if (type?.body.toString('hex') !== basicResponse || octets === undefined) return null;
  return inside(decodeAll(octets.body)?.[0]);
}

/** SEQUENCE OF SingleResponse: behind an optional version, the responder's id and the time of production. */
function singlesOf(data: DerValue): readonly DerValue[] {
  return inside(inside(data).find((each, index) => index > 0 && each.tag === Tag.sequence));
}

/** The issuer, or whom the issuer named for this in a certificate of their own (§4.2.2.2). */
function signerOf(
  certificates: DerValue | undefined,
  issuer: X509Certificate,
  nowMs: number,
): X509Certificate {
  for (const { whole } of inside(inside(certificates)[0])) {
    const delegate = readCertificate(whole);
    if (delegate === null || !delegate.keyUsage?.includes(ocspSigning)) continue;
    const isInTime = delegate.validFromDate.getTime() <= nowMs && nowMs < delegate.validToDate.getTime();
    if (isInTime && delegate.checkIssued(issuer) && delegate.verify(issuer.publicKey)) return delegate;
  }
  return issuer;
}

function readCertificate(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

/** CertID: hash of the issuer's name and key, and the serial number. */
function isAbout(id: DerValue, certificate: X509Certificate, issuer: X509Certificate): boolean {
  const [algorithm, nameHash, keyHash, serial] = inside(id);
  const hash = hashNames[inside(algorithm)[0]?.body.toString('hex') ?? ''];
  if (hash === undefined || serial === undefined) return false;
  const digest = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();
  const { name, key, serialNumber } = { ...partsOf(issuer), serialNumber: certificate.serialNumber };
  return (
    digest(name).equals(nameHash?.body ?? Buffer.alloc(0)) &&
    digest(key).equals(keyHash?.body ?? Buffer.alloc(0)) &&
    BigInt(`0x${serial.body.toString('hex') || '0'}`) === BigInt(`0x${serialNumber}`)
  );
}

/** The subject as it stands in the certificate, and the bits of its key. */
export function partsOf(certificate: X509Certificate): { name: Buffer; key: Buffer } {
  const [toBeSigned] = inside(decodeAll(certificate.raw)?.[0]);
  // Version [0] (absent in X.509 v1), serial, algorithm, issuer, validity, subject, key.
  const all = inside(toBeSigned);
  const subject = all[0]?.tag === 0xa0 ? 5 : 4;
  const key = inside(all[subject + 1])[1]?.body.subarray(1);
  return { name: all[subject]?.whole ?? Buffer.alloc(0), key: key ?? Buffer.alloc(0) };
}

function judge(status: DerValue, from: DerValue, next: DerValue | undefined, nowMs: number): StapleVerdict {
  const fromMs = readTime(from);
  const [nextTime] = next?.tag === 0xa0 ? inside(next) : [];
  const untilMs = nextTime === undefined ? (fromMs ?? 0) + longestMs : readTime(nextTime);
  if (fromMs === null || untilMs === null || fromMs > nowMs + skewMs) return unusable('its times are wrong');
  // CertStatus: good [0], revoked [1], unknown [2]. What was revoked once stays so.
  if (status.tag === 0xa1) return { status: 'revoked' };
  if (untilMs <= nowMs) return unusable(`it was good until ${new Date(untilMs).toISOString()}`);
  return status.tag === 0x80
    ? { status: 'good', untilMs }
    : unusable('the issuer does not know the certificate');
}
