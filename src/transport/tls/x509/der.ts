/** Distinguished Encoding Rules (ITU-T X.690), as far as certificates, revocation lists and OCSP answers need them. */

/** Tags of X.690 §8.1.2; [n] of a context is `context(n)`, or `explicit(n)` where it wraps a value. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export const context = (number: number): number => 0x80 | number;
export const explicit = (number: number): number => 0xa0 | number;

export function encode(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(sizeBytes: number): Buffer {
  if (sizeBytes < 0x80) return Buffer.from([sizeBytes]);
  const digits: number[] = [];
  for (let rest = sizeBytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.from([0x80 | digits.length, ...digits]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => encode(Tag.sequence, ...parts);
export const octets = (bytes: Uint8Array): Buffer => encode(Tag.octetString, bytes);
export const utf8 = (text: string): Buffer => encode(Tag.utf8String, Buffer.from(text));
export const isTrue = encode(Tag.boolean, Buffer.from([0xff]));

/** A number from 0 on, as big-endian bytes. */
export function unsigned(bytes: Uint8Array): Buffer {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const digits = bytes.subarray(at);
  const sign = ((digits[0] ?? 0) & 0x80) === 0 ? [] : [0];
  return encode(Tag.integer, Buffer.from(sign), digits);
}

/** @param unusedBits at the end of the last byte */
export const bits = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  encode(Tag.bitString, Buffer.from([unusedBits]), bytes);

/** @param dotted such as "2.5.29.17" */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return encode(Tag.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return text < '2050'
    ? encode(Tag.utcTime, Buffer.from(text.slice(2)))
    : encode(Tag.generalizedTime, Buffer.from(text));
}

/** One value of DER bytes: what its tag is, where its content lies. */
export interface DerValue {
  readonly tag: number;
  /** Tag and length included. */
  readonly whole: Buffer;
  readonly body: Buffer;
}

/** The values in `buf`, one behind the other; null: not well formed. */
export function decodeAll(buf: Buffer): DerValue[] | null {
  const values: DerValue[] = [];
  for (let at = 0; at < buf.length; ) {
    const from = bodyStart(buf, at);
    if (from === null) return null;
    const until = from.start + from.sizeBytes;
    if (until > buf.length) return null;
    values.push({
      tag: buf[at] as number,
      whole: buf.subarray(at, until),
      body: buf.subarray(from.start, until),
    });
    at = until;
  }
  return values;
}

/** The values inside `value`, [] when it is not made of values. */
export const inside = (value: DerValue | undefined): readonly DerValue[] =>
  value === undefined ? [] : (decodeAll(value.body) ?? []);

function bodyStart(buf: Buffer, at: number): { start: number; sizeBytes: number } | null {
  const first = buf[at + 1];
  if (first === undefined) return null;
  if (first < 0x80) return { start: at + 2, sizeBytes: first };
  const digits = first & 0x7f;
  // Nothing that is read here is longer than 16 MiB; 0x80 is BER's open length.
  if (digits === 0 || digits > 3 || at + 2 + digits > buf.length) return null;
  return { start: at + 2 + digits, sizeBytes: buf.readUIntBE(at + 2, digits) };
}

/** Ms since 1970 of a UTCTime or GeneralizedTime in UTC; null: neither. */
export function readTime({ tag, body }: DerValue): number | null {
  const text = body.toString('latin1');
  const century = tag === Tag.utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') : '';
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(century + text);
  if (parts === null || (tag !== Tag.utcTime && tag !== Tag.generalizedTime)) return null;
  const [, year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
