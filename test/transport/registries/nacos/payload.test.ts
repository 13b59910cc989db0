import test from 'ava';
import fc from 'fast-check';
import { decodePayload, encodePayload } from '../../../../src/transport/registries/nacos/wire/payload.ts';

test('the bytes are those of the protobuf definition', (t) => {
  const bytes = encodePayload({ type: 'T', headers: { a: 'b' }, body: Buffer.from('{}') });
  // 12 metadata { 1a type "T", 3a header { 0a "a", 12 "b" } }, 1a body { 12 value "{}" }
  t.is(bytes.toString('hex'), '120b1a01543a060a01611201621a0412027b7d');
});

test('fields that nobody here knows are passed over, of every kind', (t) => {
  const known = encodePayload({ type: 'T', headers: {}, body: Buffer.from('{}') });
  // Field 1: a varint; 4: 64 bits; 5: 32 bits; 9: bytes.
  const others = Buffer.from('08960121000000000000000025000000004a0161', 'hex');
  t.like(decodePayload(Buffer.concat([others, known, others])), { type: 'T' });
  // Metadata's clientIp, and a type_url before Any's value.
  const withMore = Buffer.from('12061a01544201311a060a016112017b', 'hex');
  t.is(decodePayload(withMore).type, 'T');
  t.is(decodePayload(withMore).body.toString(), '{');
});

test('whatever goes in comes out', (t) => {
  const payload = fc.record({
    type: fc.string(),
    headers: fc.dictionary(fc.string(), fc.string()),
    body: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(payload, (given) => {
      const read = decodePayload(encodePayload(given));
      t.is(read.type, given.type.toWellFormed());
      t.deepEqual(read.body, given.body);
      t.is(
        Object.keys(read.headers).length,
        new Set(Object.keys(given.headers).map((key) => key.toWellFormed())).size,
      );
    }),
  );
});

test('bytes that are no message are refused, none hangs or throws anything else', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodePayload(Buffer.from(bytes));
      } catch (thrown) {
        t.true(thrown instanceof RangeError);
      }
    }),
    { numRuns: 2000 },
  );
  t.throws(() => decodePayload(Buffer.from('12ff', 'hex')), { instanceOf: RangeError });
  t.throws(() => decodePayload(Buffer.from('1205', 'hex')), { instanceOf: RangeError });
  t.throws(() => decodePayload(Buffer.from('13', 'hex')), { instanceOf: RangeError });
});
