import test from 'ava';
import fc from 'fast-check';
import { FrameFault, frameMessage, MessageReader } from '../../../src/transport/grpc/framing.ts';

const limitBytes = 300_000;

/** Reads `body` in slices of the given sizes, over and over. */
function readAll(body: Buffer, sizes: readonly number[], isOwned: boolean) {
  const messages: Buffer[] = [];
  const reader = new MessageReader(limitBytes, { message: (bytes) => messages.push(bytes) });
  let fault: number = FrameFault.none;
  for (let at = 0, i = 0; at < body.length && fault === FrameFault.none; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    // Bytes that are not owned are overwritten once `read` returns.
    const slice = isOwned ? body : Buffer.from(body);
    const end = Math.min(body.length, at + size);
    fault = reader.read(slice, at, end, isOwned);
    if (!isOwned) slice.fill(0xee);
    at = end;
  }
  return { messages, fault, reader };
}

const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 });

test('any messages, cut anywhere, come out as they went in', (t) => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 200_000 }).map((length) => new Uint8Array(length).fill(length & 255)),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), sizes, fc.boolean(), (messages, cuts, isOwned) => {
      const body = Buffer.concat(messages.map(frameMessage));
      const got = readAll(body, cuts, isOwned);
      t.is(got.fault, FrameFault.none);
      t.is(got.messages.length, messages.length);
      messages.forEach((each, i) => {
        t.true((got.messages[i] as Buffer).equals(each));
      });
      t.false(got.reader.isPartial);
    }),
    { numRuns: 200 },
  );
});

test('any bytes at all end in messages within the limit or in a fault, however they are cut', (t) => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 30 }).map(frameMessage),
        fc
          .tuple(fc.constantFrom(0, 1, 2, 255), fc.integer({ min: 0, max: 0xffffffff }))
          .map(([flag, length]) => {
            const prefix = Buffer.alloc(5, flag);
            prefix.writeUInt32BE(length, 1);
            return prefix;
          }),
      ),
      { maxLength: 6 },
    )
    .map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(hostile, sizes, (body, cuts) => {
      const whole = readAll(body, [body.length], true);
      const cut = readAll(body, cuts, false);
      t.is(cut.fault, whole.fault);
      t.deepEqual(cut.messages, whole.messages);
      t.true(whole.messages.every((each) => each.length <= limitBytes));
    }),
    { numRuns: 2000 },
  );
});

test('a promise of a large message takes no room before its bytes come', (t) => {
  const reader = new MessageReader(0xffffffff, { message: () => t.fail() });
  const before = process.memoryUsage().arrayBuffers;
  t.is(reader.read(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]), 0, 6, true), FrameFault.none);
  t.true(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
});
