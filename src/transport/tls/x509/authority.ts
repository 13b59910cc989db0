import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { HeddleError, messageOf } from '../../../core/base/errors.ts';
import { Secret } from '../../../core/base/secret.ts';
import { namesOf, trustDomainOf } from '../names.ts';
import { createCertificate, createCrl, distinguishedName, keyIdentifier } from './certificate.ts';
import { partsOf } from './ocsp.ts';
import type { RevokedCertificate } from './revocation-list.ts';

/** A certificate as PEM with its private key, which is PKCS#8 PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: Secret;
}

/** Clocks of a mesh differ a little: a new certificate is good from this long ago on. */
export const backdatedMs = 60_000;
const organization = 'heddle';

export interface AuthorityOptions {
  /** SPIFFE trust domain, the URI of the CA certificate. */
  readonly trustDomain: string;
  readonly nowMs: number;
  readonly lifetimeMs: number;
}

/** A new CA of one trust domain, P-256. @throws HeddleError ERR_CERTS_OPTION */
export function createAuthority({ trustDomain, nowMs, lifetimeMs }: AuthorityOptions): IssuedCertificate {
  if (!/^[a-z0-9._-]{1,255}$/.test(trustDomain)) {
    throw new HeddleError(
      'ERR_CERTS_OPTION',
      `trust domain ${JSON.stringify(trustDomain)}: a-z, 0-9, ".", "_", "-"`,
    );
  }
  const { privateKey, publicKey } = newKey();
  const name = distinguishedName(organization, `${trustDomain} CA`.slice(0, 64));
  const cert = createCertificate({
    subject: name,
    issuer: name,
    publicKey,
    issuerKey: privateKey,
    fromMs: nowMs - backdatedMs,
    untilMs: nowMs + lifetimeMs,
    isAuthority: true,
    uris: [`spiffe://${trustDomain}`],
    dnsNames: [],
    ipAddresses: [],
  });
  return { cert, key: toSecret(privateKey) };
}

/** Whom a certificate is for. */
export interface WorkloadNames {
  /** The common name. */
  readonly name: string;
  /** "spiffe://domain/path" of the authority's trust domain; null: none. */
  readonly spiffeId: string | null;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** Issues with the certificate and key of a CA that `createAuthority` made. */
export class Authority {
  readonly certificate: X509Certificate;
  readonly #key: KeyObject;
  readonly #name: Buffer;

  /** @throws HeddleError ERR_CERTS_READ for what is no CA or whose key is another's */
  constructor({ cert, key }: IssuedCertificate) {
    try {
      this.certificate = new X509Certificate(cert);
      this.#key = createPrivateKey(key.reveal());
    } catch (cause) {
      throw new HeddleError('ERR_CERTS_READ', `the CA (${messageOf(cause)})`, { cause });
    }
    if (!this.certificate.ca || this.#key.asymmetricKeyType !== 'ec') {
      throw new HeddleError('ERR_CERTS_READ', 'the CA is no CA certificate with an elliptic key');
    }
    if (!this.certificate.checkPrivateKey(this.#key)) {
      throw new HeddleError('ERR_CERTS_READ', 'the key of the CA is that of another certificate');
    }
    // The issuer of what it issues is its subject byte for byte.
    this.#name = Buffer.from(partsOf(this.certificate).name);
  }

  /** "" when the CA certificate names none. */
  get trustDomain(): string {
    const uri = namesOf(this.certificate.subjectAltName, 'URI').find((each) => each.startsWith('spiffe://'));
    return uri === undefined ? '' : trustDomainOf(uri);
  }

  /** A certificate with a new key; it ends with the CA's at the latest. @throws HeddleError ERR_CERTS_OPTION */
  issue(names: WorkloadNames, nowMs: number, lifetimeMs: number): IssuedCertificate {
    if (names.spiffeId !== null && trustDomainOf(names.spiffeId) !== this.trustDomain) {
      const own = JSON.stringify(this.trustDomain);
      throw new HeddleError(
        'ERR_CERTS_OPTION',
        `${names.spiffeId} is not of the trust domain ${own} of this CA`,
      );
    }
    const { privateKey, publicKey } = newKey();
    const cert = createCertificate({
      subject: distinguishedName(organization, names.name.slice(0, 64)),
      issuer: this.#name,
      publicKey,
      issuerKey: this.#key,
      fromMs: Math.max(nowMs - backdatedMs, this.certificate.validFromDate.getTime()),
      untilMs: Math.min(nowMs + lifetimeMs, this.certificate.validToDate.getTime()),
      isAuthority: false,
      uris: names.spiffeId === null ? [] : [names.spiffeId],
      dnsNames: names.dnsNames,
      ipAddresses: names.ipAddresses,
    });
    return { cert, key: toSecret(privateKey) };
  }

  /** Of its key, as hexadecimal digits. */
  get keyId(): string {
    return keyIdentifier(this.certificate.publicKey).toString('hex');
  }

  /** The list of what is revoked now, as PEM; one that is newer has a higher `number`. */
  revoke(
    certificates: readonly X509Certificate[],
    number: number,
    nowMs: number,
    lifetimeMs: number,
  ): string {
    const revoked = certificates.map(({ serialNumber: digits }) => ({
      serial: Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex'),
      atMs: nowMs,
    }));
    return this.listRevoked(revoked, number, nowMs, lifetimeMs);
  }

  /** The same with the time of each. */
  listRevoked(
    revoked: readonly RevokedCertificate[],
    number: number,
    nowMs: number,
    lifetimeMs: number,
  ): string {
    return createCrl({
      issuer: this.#name,
      issuerKey: this.#key,
      number,
      fromMs: nowMs - backdatedMs,
      untilMs: nowMs + lifetimeMs,
      revoked,
    });
  }
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

const toSecret = (key: KeyObject): Secret =>
  new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
