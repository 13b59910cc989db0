import { createServer, type Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { Code } from '../../../src/core/base/codes.ts';
import { createDialer, DrivenWheel, SocketWire, SystemClock } from '../../../src/transport/index.ts';
import { Collector } from './collector.ts';

type Step =
  | { readonly kind: 'write'; readonly sizeBytes: number }
  | { readonly kind: 'pauseReader' | 'resumeReader' | 'holdReader' | 'releaseReader' | 'turn' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.nat(150_000).map((sizeBytes) => ({ kind: 'write' as const, sizeBytes })) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('pauseReader', 'resumeReader', 'holdReader', 'releaseReader', 'turn')
      .map((kind) => ({ kind }) as Step),
  },
);

/** Bytes that tell their own position. */
function pattern(from: number, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = ((from + i) * 2_654_435_761) >>> 24;
  return bytes;
}

test('whatever is written arrives once, in order, before the FIN, however the reader stops and goes', async (t) => {
  const clock = new SystemClock();
  const dial = createDialer(clock, new DrivenWheel(clock));
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as { port: number }).port;

  const run = async (steps: readonly Step[], isUpload: boolean): Promise<void> => {
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const near = new Collector(dial(`127.0.0.1:${port}`, 5000));
    const far = new Collector(new SocketWire(await accepted, 'tcp', 'accepted'));
    const [writer, reader] = isUpload ? [near, far] : [far, near];
    const wire = reader.wire as SocketWire;
    let written = 0;
    let refused = 0;
    for (const each of steps) {
      if (each.kind === 'write') {
        const isBelow = writer.wire.write(pattern(written, each.sizeBytes), 0, each.sizeBytes);
        if (isBelow !== writer.wire.pending <= writer.wire.highWaterBytes)
          throw new Error('the answer of write lies');
        if (!isBelow) refused++;
        written += each.sizeBytes;
      } else if (each.kind === 'pauseReader') wire.pause();
      else if (each.kind === 'resumeReader') wire.resume();
      else if (each.kind === 'holdReader') wire.hold();
      else if (each.kind === 'releaseReader') wire.release();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    const before = reader.sizeBytes;
    wire.hold();
    await new Promise((resolve) => setImmediate(resolve));
    if (reader.sizeBytes !== before) throw new Error('a held wire delivered bytes');
    wire.release();
    wire.resume();
    await reader.until(() => reader.sizeBytes === written);
    if (refused > 0) await writer.until(() => writer.drains > 0 && writer.wire.pending === 0);
    writer.wire.end();
    await reader.until(() => reader.ended);
    if (!reader.bytes.equals(pattern(0, written))) throw new Error('bytes differ');
    if (writer.wire.bytesWritten !== written || wire.bytesRead !== written)
      throw new Error('counters differ');
    for (const each of [near, far]) each.wire.destroy(Code.meshClosed);
    await Promise.all([near, far].map((each) => each.until(() => each.closeCodes.length > 0)));
    if (near.closeCodes.length !== 1 || far.closeCodes.length !== 1) throw new Error('closed more than once');
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), run), {
    numRuns: 40,
    seed: 7,
  });
  server.close();
  t.pass();
});
