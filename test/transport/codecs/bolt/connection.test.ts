import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import type { ClientCodec } from '../../../../src/core/contract/codec.ts';
import { bolt, boltProtocol } from '../../../../src/transport/codecs/bolt/index.ts';
import { SentTable } from '../../../../src/transport/codecs/framed/in-flight.ts';
import { FramedRelay } from '../framed/relay.ts';
import { frame, headerMap } from './frames.ts';

const service = 'demo.Hello:1.0';
const ask = (id: number, more = {}): Buffer => frame({ id, headers: { service }, ...more });
const isGoAway = (bytes: Buffer): boolean => bytes.length > 4 && bytes.readUInt16BE(2) === 100;

test('ordinary clients are never sent GOAWAY; mesh peers that said so are', (t) => {
  const ordinary = new FramedRelay(bolt);
  ordinary.forward(ask(1));
  ordinary.answer(frame({ type: 0, id: 1 }));
  ordinary.down.writes.length = 0;
  ordinary.server.drain();
  ordinary.context.flush();
  t.is(ordinary.down.writes.length, 0);
  t.true(ordinary.down.isEnded);

  const mesh = new FramedRelay(bolt);
  mesh.down.send(frame({ command: 0, id: 1, headers: { 'heddle-idle-limit-ms': '300000' } }));
  mesh.context.flush();
  const answer = mesh.down.writes.pop() as Buffer;
  t.true(answer.includes('heddle-idle-limit-ms'), 'it answers in kind');
  mesh.forward(ask(2));
  mesh.server.drain();
  mesh.context.flush();
  t.true(isGoAway(mesh.down.writes.at(-1) as Buffer));
  t.false(mesh.down.isEnded, 'a call is in progress');
  mesh.answer(frame({ type: 0, id: 1 }));
  t.true(mesh.down.isEnded);
});

test('a client that announces itself learns how much silence its peer bears', (t) => {
  const relay = new FramedRelay(bolt, { announce: true });
  relay.client.onConnect?.();
  relay.context.flush();
  const hello = Buffer.concat(relay.up.writes);
  t.is(boltProtocol.kindOf(hello, 0, hello.length), 4);
  t.true(hello.includes('heddle-idle-limit-ms'));
  t.is((relay.client as ClientCodec).peerIdleLimitMs, 0);
  relay.up.send(frame({ type: 0, command: 0, headers: { 'heddle-idle-limit-ms': '240000' } }));
  t.is(relay.client.peerIdleLimitMs, 240_000);
  const plain = new FramedRelay(bolt);
  plain.client.onConnect?.();
  t.false(plain.context.flush(), 'unless told so it says nothing');
});

test('a heartbeat with nonsense in its header map is an ordinary heartbeat', (t) => {
  for (const headers of [
    Buffer.of(1, 2, 3),
    headerMap({ 'heddle-idle-limit-ms': '-5' }),
    headerMap({ a: 'b' }),
  ]) {
    const relay = new FramedRelay(bolt);
    relay.down.send(frame({ command: 0, id: 3, headers }));
    relay.context.flush();
    t.is(Buffer.concat(relay.down.writes).length, 20);
  }
});

test('a client with too many calls in progress is not read until half of them are answered', (t) => {
  const relay = new FramedRelay(bolt, { maxConcurrent: 4 });
  for (let id = 1; id <= 4; id++) relay.forward(ask(id));
  t.true(relay.down.isPaused);
  relay.answer(frame({ type: 0, id: 1 }));
  t.true(relay.down.isPaused);
  relay.answer(frame({ type: 0, id: 2 }));
  t.false(relay.down.isPaused);
});

test('a reader that leaves too much waiting loses its connection', (t) => {
  const relay = new FramedRelay(bolt, { maxQueuedBytes: 65_536 });
  relay.down.isStuck = true;
  for (let id = 1; id <= 3; id++) {
    relay.forward(ask(id));
    relay.answer(frame({ type: 0, id, content: Buffer.alloc(40_000) }));
  }
  t.is(relay.down.destroyedWith, Code.bufferOverflow);
  t.is(relay.serverOwner.protocolErrors.length, 1);
});

test('a silent client is closed after its limit, one with a call in progress or heartbeats is not', (t) => {
  const relay = new FramedRelay(bolt);
  relay.time.clock.advance(80_000);
  relay.down.send(frame({ command: 0 }));
  relay.time.clock.advance(80_000);
  t.false(relay.down.isEnded, 'a heartbeat is a sign of life');
  relay.forward(ask(1));
  relay.time.clock.advance(300_000);
  t.false(relay.down.isEnded, 'a call is in progress');
  relay.answer(frame({ type: 0, id: 1 }));
  relay.time.clock.advance(200_000);
  t.true(relay.down.isEnded);
  t.true(relay.down.destroyedWith >= 0, 'a client that does not close in return is dropped');
});

test('half a frame is waited for no longer than the limit, however it trickles', (t) => {
  const relay = new FramedRelay(bolt, { frameTimeoutMs: 5000 });
  const bytes = ask(1);
  relay.down.send(bytes.subarray(0, 10));
  for (let at = 10; at < 20; at++) {
    relay.time.clock.advance(400);
    relay.down.send(bytes.subarray(at, at + 1));
  }
  t.is(relay.down.destroyedWith, -1);
  relay.time.clock.advance(2000);
  t.is(relay.down.destroyedWith, Code.downstreamProtocol);
  const whole = new FramedRelay(bolt, { frameTimeoutMs: 5000 });
  whole.forward(bytes.subarray(0, 10));
  whole.forward(bytes.subarray(10));
  whole.time.clock.advance(20_000);
  t.is(whole.down.destroyedWith, -1);
});

test('ids that are still in use are passed over when the counter comes round', (t) => {
  const table = new SentTable();
  const relay = new FramedRelay(bolt);
  const first = relay.acquire();
  const second = relay.acquire();
  t.is(table.add(first), 1);
  table.lastId = 0x7ffffffe;
  t.is(table.add(second), 0x7fffffff);
  const third = relay.acquire();
  const id = table.add(third);
  t.not(id, 1);
  t.is(table.take(1), first);
  t.is(table.take(0x7fffffff), second);
  t.is(table.take(id), third);
  t.is(table.size, 0);
});

test('many calls in progress are told apart, answered in any order', (t) => {
  const relay = new FramedRelay(bolt);
  for (let id = 0; id < 500; id++) relay.forward(ask(10_000 + id));
  for (let i = 499; i >= 0; i--) {
    const got = relay.answer(frame({ type: 0, id: i + 1, content: String(i) }));
    t.is(boltProtocol.idOf(got, 0, got.length), 10_000 + i);
  }
  t.is(relay.client.active + relay.server.active, 0);
});

test('unfinished frames count against what the mesh may hold, and a large one goes when that is used up', (t) => {
  const relay = new FramedRelay(bolt);
  const { budget } = relay.context;
  const large = ask(1, { content: Buffer.alloc(1_000_000) });
  relay.down.send(large.subarray(0, 100_000));
  t.is(budget.heldBytes, 100_000);
  relay.down.send(large.subarray(100_000));
  t.is(budget.heldBytes, 0, 'it is complete');
  budget.limitBytes = 150_000;
  relay.down.send(ask(2, { content: Buffer.alloc(1_000_000) }).subarray(0, 140_000));
  t.is(relay.down.destroyedWith, -1);
  const other = new FramedRelay(bolt);
  other.context.budget.limitBytes = 50_000;
  other.down.send(large.subarray(0, 90_000));
  t.is(other.down.destroyedWith, Code.bufferOverflow);
  other.server.onClose(Code.bufferOverflow);
  t.is(other.context.budget.heldBytes, 0);
});
