import { crc32 } from 'node:zlib';
import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { bolt, boltProtocol } from '../../../../src/transport/codecs/bolt/index.ts';
import { FramedRelay } from '../framed/relay.ts';
import { type BoltVector, bytesOf, frame, vectors } from './frames.ts';

/** sofa-bolt-node appends a checksum wherever `switch` says so; by Java's rule these four bytes are no frame. */
const misread = 'v2 ver1=1 with switch=1: sofa-bolt-node appends crc, Java does not';

const idAt = (bytes: Buffer): number => (bytes[0] === 1 ? 5 : 6);

/** The same frame with the id 1, its checksum right: what leaves on a connection's first call. */
function withId(bytes: Buffer, id: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(id, idAt(copy));
  if (copy[0] === 2 && copy[1] === 2 && ((copy[11] as number) & 1) === 1) {
    copy.writeUInt32BE(crc32(copy.subarray(0, -4)), copy.length - 4);
  }
  return copy;
}

const of = (kind: string): readonly BoltVector[] =>
  vectors.filter((vector) => vector.kind === kind && vector.name !== misread);

function splits(bytes: Buffer): (number | undefined)[] {
  const sizes =
    bytes.length < 2000 ? Array.from({ length: bytes.length }, (_, i) => i + 1) : [1, 7, 1000, 16_384];
  return [undefined, ...sizes];
}

test('every request of the vectors leaves as it came but for its id, however it is split', (t) => {
  const requests = vectors.filter(({ kind, name }) => /request|oneway/.test(kind) && name !== misread);
  t.is(requests.length, 17);
  for (const vector of requests) {
    const bytes = bytesOf(vector);
    for (const size of splits(bytes)) {
      const relay = new FramedRelay(bolt);
      const sent = relay.forward(bytes, size);
      t.true(sent.equals(withId(bytes, 1)), `${vector.name} in pieces of ${size}`);
    }
    // Cut in two at every byte.
    for (let at = 1; at < Math.min(bytes.length, 600); at++) {
      const relay = new FramedRelay(bolt);
      relay.down.ownsReads = at % 2 === 0;
      relay.forward(bytes.subarray(0, at));
      t.true(relay.forward(bytes.subarray(at)).equals(withId(bytes, 1)), `${vector.name} cut at ${at}`);
    }
  }
});

test('every response of the vectors comes back with the id that the client chose', (t) => {
  const responses = of('response');
  t.is(responses.length, 16);
  const asked = frame({ id: 0xfffffff0, headers: { service: 'a' } });
  for (const vector of responses) {
    const bytes = bytesOf(vector);
    for (const size of splits(bytes)) {
      const relay = new FramedRelay(bolt);
      relay.forward(asked);
      const got = relay.answer(withId(bytes, 1), size);
      t.true(got.equals(withId(bytes, 0xfffffff0)), `${vector.name} in pieces of ${size}`);
    }
  }
});

test('all frames in one read are taken apart', (t) => {
  const requests = of('request').map(bytesOf);
  const relay = new FramedRelay(bolt);
  const sent = relay.forward(Buffer.concat(requests));
  t.true(sent.equals(Buffer.concat(requests.map((bytes, i) => withId(bytes, i + 1)))));
});

test('service and method are found where each client writes them', (t) => {
  for (const vector of vectors.filter(({ kind }) => kind === 'request')) {
    if (vector.name === misread) continue;
    const relay = new FramedRelay(bolt);
    relay.forward(bytesOf(vector));
    const [seen] = relay.seen;
    const service = vector.decoded.headerMap?.['service'] ?? '';
    t.is(seen?.service, service, vector.name);
    const method = vector.decoded.headerMap?.['sofa_head_method_name'] ?? 'sayHello';
    t.is(seen?.method, method, vector.name);
    t.is(seen?.path, `/${service}/${method}`, vector.name);
  }
});

test('a one-way request is not answered and its place is free at once', (t) => {
  const oneWays = vectors.filter(({ decoded }) => decoded.type === 2);
  t.is(oneWays.length, 2);
  for (const vector of oneWays) {
    const relay = new FramedRelay(bolt);
    relay.forward(bytesOf(vector));
    t.true(relay.seen[0]?.oneWay);
    t.is(relay.client.active + relay.server.active, 0);
    t.is(relay.down.writes.length, 0);
  }
});

test('heartbeats are answered here, in their own version', (t) => {
  const acks = of('heartbeat_ack').map(bytesOf);
  for (const [i, vector] of of('heartbeat').entries()) {
    const bytes = bytesOf(vector);
    const relay = new FramedRelay(bolt);
    relay.down.send(bytes);
    relay.context.flush();
    const answer = Buffer.concat(relay.down.writes);
    t.is(relay.up.writes.length, 0, 'it goes no further');
    t.is(answer.readUInt32BE(idAt(answer)), bytes.readUInt32BE(idAt(bytes)));
    t.is(boltProtocol.kindOf(answer, 0, answer.length), 5, vector.name);
    const theirs = acks[i] as Buffer;
    t.deepEqual([answer[0], boltProtocol.sizeOf(answer, 0, answer.length)], [theirs[0], answer.length]);
  }
  for (const ack of acks) {
    const relay = new FramedRelay(bolt);
    relay.up.send(ack);
    t.is(relay.up.destroyedWith, -1);
    t.is(relay.client.lastReadMs, relay.time.clock.now());
  }
});

test('a checksum where Java has none is refused as bytes that are no frame', (t) => {
  const vector = vectors.find(({ name }) => name === misread) as BoltVector;
  const relay = new FramedRelay(bolt);
  relay.forward(bytesOf(vector));
  t.is(relay.seen.length, 1, 'the frame itself is one');
  const more = new FramedRelay(bolt);
  more.forward(Buffer.concat([bytesOf(vector), bytesOf(vector)]));
  t.is(more.down.destroyedWith, Code.downstreamProtocol);
});
