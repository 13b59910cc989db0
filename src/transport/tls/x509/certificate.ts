/** Certificates and revocation lists of RFC 5280, signed with ECDSA and SHA-256. */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bits,
  context,
  encode,
  explicit,
  isTrue,
  octets,
  oid,
  sequence,
  Tag,
  time,
  unsigned,
  utf8,
} from './der.ts';

const id = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  organizationName: '2.5.4.10',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  crlNumber: '2.5.29.20',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** RFC 5280 §4.2.1.3: bits from the left. */
const digitalSignature = bits(Buffer.from([0x80]), 7);
const keyCertSignAndCrlSign = bits(Buffer.from([0x06]), 1);

export interface CertificateFields {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly isAuthority: boolean;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** A distinguished name of two parts. */
export function distinguishedName(organization: string, commonName: string): Buffer {
  const part = (type: string, value: string): Buffer => encode(Tag.set, sequence(oid(type), utf8(value)));
  return sequence(part(id.organizationName, organization), part(id.commonName, commonName));
}

/** A certificate as PEM; the serial number is 16 random bytes. */
export function createCertificate(fields: CertificateFields): string {
  const { issuer, subject, publicKey, issuerKey, fromMs, untilMs } = fields;
  const serial = randomBytes(16);
  // Positive and never shorter than it seems.
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const toBeSigned = sequence(
    encode(explicit(0), unsigned(Buffer.from([2]))),
    unsigned(serial),
    sequence(oid(id.ecdsaWithSha256)),
    issuer,
    sequence(time(fromMs), time(untilMs)),
    subject,
    spki(publicKey),
    encode(explicit(3), sequence(...extensionsOf(fields))),
  );
  return toPem('CERTIFICATE', signed(toBeSigned, issuerKey));
}

function extensionsOf({ publicKey, issuerKey, isAuthority, ...names }: CertificateFields): Buffer[] {
  // pathLenConstraint 0: it issues for workloads, never for another CA.
  const constraints = isAuthority ? sequence(isTrue, unsigned(Buffer.from([0]))) : sequence();
  const altNames = namesOf(names);
  return [
    extension(id.basicConstraints, constraints, true),
    extension(id.keyUsage, isAuthority ? keyCertSignAndCrlSign : digitalSignature, true),
    ...(isAuthority
      ? []
      : [extension(id.extendedKeyUsage, sequence(oid(id.serverAuth), oid(id.clientAuth)), false)]),
    extension(id.subjectKeyIdentifier, octets(keyIdentifier(publicKey)), false),
    authorityKey(issuerKey),
    ...(altNames.length === 0 ? [] : [extension(id.subjectAltName, sequence(...altNames), false)]),
  ];
}

function authorityKey(issuerKey: KeyObject): Buffer {
  const identifier = keyIdentifier(createPublicKey(issuerKey));
  return extension(id.authorityKeyIdentifier, sequence(encode(context(0), identifier)), false);
}

/** RFC 5280 §4.2.1.6: GeneralName. */
function namesOf({
  uris,
  dnsNames,
  ipAddresses,
}: Pick<CertificateFields, 'uris' | 'dnsNames' | 'ipAddresses'>): Buffer[] {
  return [
    ...uris.map((uri) => encode(context(6), Buffer.from(uri, 'latin1'))),
    ...dnsNames.map((name) => encode(context(2), Buffer.from(name, 'latin1'))),
    ...ipAddresses.map((address) => encode(context(7), addressBytes(address))),
  ];
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes an IPv6 address in one way: groups in hexadecimal, one "::".
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16));
  const [before, after] = [groups(left), right === undefined ? [] : groups(right)];
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

export interface CrlFields {
  readonly issuer: Buffer;
  readonly issuerKey: KeyObject;
  readonly number: number;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Serial numbers as big-endian bytes. */
  readonly revoked: readonly { readonly serial: Buffer; readonly atMs: number }[];
}

/** A revocation list (RFC 5280 §5) as PEM. */
export function createCrl({ issuer, issuerKey, number, fromMs, untilMs, revoked }: CrlFields): string {
  const entries = revoked.map(({ serial, atMs }) => sequence(unsigned(serial), time(atMs)));
  const count = Buffer.alloc(4);
  count.writeUInt32BE(number);
  const toBeSigned = sequence(
    unsigned(Buffer.from([1])),
    sequence(oid(id.ecdsaWithSha256)),
    issuer,
    time(fromMs),
    time(untilMs),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    encode(explicit(0), sequence(authorityKey(issuerKey), extension(id.crlNumber, unsigned(count), false))),
  );
  return toPem('X509 CRL', signed(toBeSigned, issuerKey));
}

function extension(type: string, value: Buffer, isCritical: boolean): Buffer {
  return sequence(oid(type), ...(isCritical ? [isTrue] : []), octets(value));
}

function signed(toBeSigned: Buffer, key: KeyObject): Buffer {
  const signature = sign('sha256', toBeSigned, { key, dsaEncoding: 'der' });
  return sequence(toBeSigned, sequence(oid(id.ecdsaWithSha256)), bits(signature));
}

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** RFC 5280 §4.2.1.2 (1): SHA-1 of the key's bits, which for P-256 are the last 65 bytes of its SPKI. */
export const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha1').update(spki(key).subarray(-65)).digest();

function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
