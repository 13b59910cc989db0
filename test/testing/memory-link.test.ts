import test from 'ava';
import { Code } from '../../src/core/base/codes.ts';
import type { ByteEngine } from '../../src/core/contract/wire.ts';
import { MemoryLink, MemoryWire } from '../../src/testing/index.ts';

class Log implements ByteEngine {
  readonly events: string[] = [];

  onConnect(): void {
    this.events.push('connect');
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.events.push(buf.toString('latin1', start, end));
  }

  onDrain(): void {
    this.events.push('drain');
  }

  onEnd(): void {
    this.events.push('end');
  }

  onClose(code: number): void {
    this.events.push(`close ${code}`);
  }
}

function joined(link: MemoryLink): { near: Log; far: Log; say: (text: string) => boolean } {
  const near = new Log();
  const far = new Log();
  link.dialled.attach(near);
  link.accepted.attach(far);
  return { near, far, say: (text) => link.dialled.write(Buffer.from(text), 0, text.length) };
}

test('nothing is delivered but by turns, in the sizes asked for', (t) => {
  const link = new MemoryLink({ split: [1, 2, 3] });
  const { far, say } = joined(link);
  say('abcdefghi');
  t.deepEqual(far.events, []);
  t.true(link.turn());
  t.deepEqual(far.events, ['a']);
  link.settle();
  t.deepEqual(far.events, ['a', 'bc', 'def', 'ghi']);
  t.false(link.turn());
  t.is(link.sentBy('dialled').toString(), 'abcdefghi');
});

test('a small capacity holds the writer until the reader has read', (t) => {
  const link = new MemoryLink({ capacityBytes: 4, highWaterBytes: 4 });
  const { near, far, say } = joined(link);
  t.true(say('abcdefgh'), '4 bytes taken, 4 pending: at the mark');
  t.is(link.dialled.pending, 4);
  t.false(say('ij'));
  link.accepted.pause();
  link.settle();
  t.deepEqual(far.events, []);
  link.accepted.resume();
  link.settle();
  t.is(far.events.join(''), 'abcdefghij');
  t.deepEqual(near.events, ['drain']);
  t.is(link.dialled.pending, 0);
});

test('bytes that a writer changes while they are pending arrive changed', (t) => {
  const link = new MemoryLink({ capacityBytes: 2 });
  const { far } = joined(link);
  const buf = Buffer.from('abcd');
  link.dialled.write(buf, 0, 4);
  buf.fill('x');
  link.settle();
  t.is(far.events.join(''), 'abxx');
});

test('borrowed reads are poisoned', (t) => {
  const link = new MemoryLink({ ownsReads: false });
  let kept: Buffer = Buffer.alloc(0);
  link.accepted.attach({
    onBytes: (buf, start, end) => {
      kept = buf.subarray(start, end);
      t.is(kept.toString(), 'hello');
    },
    onDrain: () => {},
    onEnd: () => {},
    onClose: () => {},
  });
  link.dialled.write(Buffer.from('hello'), 0, 5);
  link.settle();
  t.deepEqual([...new Set(kept)], [0xdd]);
});

test('half-close, close, reset and refusal each reach the other end once', (t) => {
  const half = new MemoryLink();
  const one = joined(half);
  one.say('last');
  half.dialled.end();
  half.settle();
  t.deepEqual(one.far.events, ['last', 'end']);
  half.accepted.write(Buffer.from('answer'), 0, 6);
  half.accepted.end();
  half.settle();
  t.deepEqual(one.near.events, ['answer', 'end', `close ${Code.upstreamClosed}`]);
  t.deepEqual(one.far.events, ['last', 'end', `close ${Code.downstreamClosed}`]);

  const broken = new MemoryLink();
  const two = joined(broken);
  two.say('lost');
  broken.reset();
  broken.settle();
  t.deepEqual(two.far.events, [`close ${Code.downstreamClosed}`]);
  t.deepEqual(two.near.events, [`close ${Code.upstreamReset}`]);

  const refused = new MemoryLink({ isConnecting: true });
  const three = joined(refused);
  three.say('never');
  t.is(refused.dialled.pending, 5);
  refused.refuse();
  refused.settle();
  t.deepEqual(three.near.events, [`close ${Code.connectFailure}`]);
  t.is(refused.sentBy('dialled').length, 0);

  const destroyed = new MemoryLink();
  const four = joined(destroyed);
  destroyed.accepted.destroy(Code.draining);
  destroyed.settle();
  t.deepEqual(four.far.events, [`close ${Code.draining}`]);
  t.deepEqual(four.near.events, ['end']);
  four.say('into the void');
  destroyed.settle();
  t.deepEqual(four.near.events, ['end', `close ${Code.upstreamReset}`]);
});

test('a moved end goes on with what was not delivered', (t) => {
  const link = new MemoryLink();
  const { far, say } = joined(link);
  say('before');
  link.settle();
  say('between');
  const { wire, unread } = link.move('accepted');
  t.is(unread.toString(), 'between');
  t.true(wire instanceof MemoryWire);
  const next = new Log();
  wire.attach(next);
  wire.port.putBack(unread);
  say(' after');
  link.settle();
  t.deepEqual(far.events, ['before']);
  t.is(next.events.join(''), 'between after');
});
