import test from 'ava';
import { hashBytes, hashText, mix32, pairHash } from '../../src/sharding/hash.ts';
import { Xxh64 } from '../../src/sharding/xxh64.ts';

test('MurmurHash3 gives the published values', (t) => {
  t.is(hashText(''), 0);
  t.is(hashText('', 1), 0x514e28b7);
  t.is(hashText('test'), 0xba6bd213);
  t.is(hashText('test', 0x9747b28c), 0x704b81dc);
  t.is(hashText('Hello, world!'), 0xc0363e43);
  t.is(hashText('The quick brown fox jumps over the lazy dog'), 0x2e4ff723);
});

test('text and its UTF-8 bytes have one hash', (t) => {
  for (const text of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'grüße', 'ab\u{1f600}', '中文字符']) {
    t.is(hashText(text), hashBytes(Buffer.from(text)), text);
  }
});

test('XXH64 gives the published values', (t) => {
  const hash = new Xxh64();
  const hex = (text: string, seed = 0): string => {
    hash.hashText(text, seed);
    return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0');
  };
  t.is(hex(''), 'ef46db3751d8e999');
  t.is(hex('a'), 'd24ec4f1a98c6e5b');
  t.is(hex('abc'), '44bc2cf5ad770999');
  t.is(hex('Nobody inspects the spammish repetition'), 'fbcea83c8a378bf1');
  t.is(hex('xxhash', 20141025), 'b559b98d844e0635');
});

/** The specification, literally, with BigInt. */
function xxh64(bytes: Buffer, seed: bigint): bigint {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ] as const;
  const cut = (x: bigint): bigint => BigInt.asUintN(64, x);
  const rotate = (x: bigint, bits: bigint): bigint => cut((x << bits) | (x >> (64n - bits)));
  const round = (lane: bigint, word: bigint): bigint => cut(rotate(cut(lane + word * p2), 31n) * p1);
  let at = 0;
  let h = cut(seed + p5);
  if (bytes.length >= 32) {
    const lanes = [cut(seed + p1 + p2), cut(seed + p2), seed, cut(seed - p1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i] as bigint, bytes.readBigUInt64LE(at + i * 8));
    }
    h = cut([1n, 7n, 12n, 18n].reduce((sum, bits, i) => sum + rotate(lanes[i] as bigint, bits), 0n));
    for (const lane of lanes) h = cut((h ^ round(0n, lane)) * p1 + p4);
  }
  h = cut(h + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    h = cut(rotate(h ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4);
  }
  if (at + 4 <= bytes.length) {
    h = cut(rotate(h ^ cut(BigInt(bytes.readUInt32LE(at)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at++) h = cut(rotate(h ^ cut(BigInt(bytes[at] as number) * p5), 11n) * p1);
  h = cut((h ^ (h >> 33n)) * p2);
  h = cut((h ^ (h >> 29n)) * p3);
  return h ^ (h >> 32n);
}

test('XXH64 equals the specification for every length up to 200, and its remainders are right', (t) => {
  const hash = new Xxh64();
  const bytes = Buffer.from(Array.from({ length: 200 }, (_, i) => mix32(i) & 255));
  for (let length = 0; length <= 200; length++) {
    const seed = mix32(length);
    const expected = xxh64(bytes.subarray(0, length), BigInt(seed));
    hash.hash(bytes.subarray(0, length), seed);
    t.is((BigInt(hash.high) << 32n) | BigInt(hash.low), expected);
    for (const divisor of [2, 7, 65_536, 65_537, 655_373])
      t.is(hash.modulo(divisor), Number(expected % BigInt(divisor)));
    t.is(hash.order, Number(expected >> 11n));
  }
});

test('the hash of a pair depends on its order and spreads evenly', (t) => {
  t.not(pairHash(1, 2), pairHash(2, 1));
  const buckets = new Array<number>(256).fill(0);
  for (let client = 0; client < 256; client++) {
    for (let server = 0; server < 256; server++) {
      const at = pairHash(client, server) >>> 24;
      buckets[at] = (buckets[at] as number) + 1;
    }
  }
  const statistic = buckets.reduce((sum, count) => sum + (count - 256) ** 2 / 256, 0);
  t.true(statistic < 370, `${statistic}`);
});
