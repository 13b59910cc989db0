import { createHash, createPrivateKey, sign, type X509Certificate } from 'node:crypto';
import type { Secret } from '../../../src/core/base/secret.ts';
import {
  bits,
  context,
  encode,
  explicit,
  octets,
  oid,
  sequence,
  Tag,
  unsigned,
} from '../../../src/transport/tls/x509/der.ts';
import { partsOf } from '../../../src/transport/tls/x509/ocsp.ts';

export interface Staple {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  readonly key: Secret;
  readonly status: 'good' | 'revoked';
  readonly fromMs: number;
  readonly untilMs: number;
}

/** An OCSPResponse (RFC 6960 §4.2.1) as a responder would sign it. */
export function staple({ certificate, issuer, key, status, fromMs, untilMs }: Staple): Buffer {
  const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
  const { name, key: keyBits } = partsOf(issuer);
  const id = sequence(
    sequence(oid('1.3.14.3.2.26')),
    octets(sha1(name)),
    octets(sha1(keyBits)),
    unsigned(Buffer.from(certificate.serialNumber, 'hex')),
  );
  const said = status === 'good' ? encode(context(0)) : encode(explicit(1), general(fromMs));
  const single = sequence(id, said, general(fromMs), encode(explicit(0), general(untilMs)));
  const data = sequence(encode(explicit(2), octets(sha1(keyBits))), general(fromMs), sequence(single));
  const signature = sign('sha256', data, { key: createPrivateKey(key.reveal()), dsaEncoding: 'der' });
  const basic = sequence(data, sequence(oid('1.2.840.10045.4.3.2')), bits(signature));
  const type = oid('1.3.6.1.5.5.7.48.1.1');
  const ok = encode(Tag.enumerated, Buffer.from([0]));
  return sequence(ok, encode(explicit(0), sequence(type, octets(basic))));
}

function general(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return encode(Tag.generalizedTime, Buffer.from(text));
}
