import test from 'ava';
import fc from 'fast-check';
import type { Flushable } from '../../../src/core/contract/codec.ts';
import { TurnWrites } from '../../../src/core/contract/turn-writes.ts';
import type { Wire } from '../../../src/core/contract/wire.ts';

/** Takes a write, or keeps it unsent until `drain`: the bytes are looked at when they leave, as the kernel does. */
class SlowWire {
  readonly highWaterBytes = 1000;
  pending = 0;
  isStuck = false;
  isPaused = false;
  text = '';
  #unsent: Buffer[] = [];

  write(buf: Buffer, start: number, end: number): boolean {
    const view = buf.subarray(start, end);
    if (!this.isStuck && this.pending === 0) {
      this.text += view.toString('latin1');
      return true;
    }
    this.#unsent.push(view);
    this.pending += view.length;
    return this.pending <= this.highWaterBytes;
  }

  drain(): void {
    for (const view of this.#unsent) this.text += view.toString('latin1');
    this.#unsent = [];
    this.pending = 0;
    this.isStuck = false;
  }

  pause(): void {
    this.isPaused = true;
  }

  get wire(): Wire {
    return this as unknown as Wire;
  }
}

function setup() {
  const dirty: Flushable[] = [];
  const writes = new TurnWrites((engine) => void dirty.push(engine));
  const turn = (): void => {
    for (const each of dirty.splice(0)) each.flush();
  };
  return { writes, turn, dirty };
}

/** Writes a text through the slab, as a codec does. */
function say(writes: TurnWrites, to: SlowWire, text: string): boolean {
  const start = writes.reserve(text.length);
  writes.slab.buf.write(text, start, 'latin1');
  return writes.commit(to.wire, start, start + text.length);
}

test('what is written in a turn leaves at its end, each wire in its own order', (t) => {
  const { writes, turn, dirty } = setup();
  const [a, b] = [new SlowWire(), new SlowWire()];
  t.true(say(writes, a, 'one '));
  t.true(say(writes, b, 'uno '));
  t.true(writes.write(a.wire, Buffer.from('-two-'), 1, 4));
  t.is(a.text + b.text, '');
  t.is(dirty.length, 1);
  turn();
  t.is(a.text, 'one two');
  t.is(b.text, 'uno ');
});

test('a slab whose bytes have all left serves the next turn; one with bytes on their way does not', (t) => {
  const { writes, turn } = setup();
  const [a, b] = [new SlowWire(), new SlowWire()];
  say(writes, a, 'first');
  turn();
  t.is(writes.slab.at, 0);
  b.isStuck = true;
  say(writes, a, 'second');
  say(writes, b, 'slow');
  turn();
  t.is(writes.slab.at, 10);
  say(writes, a, 'third');
  turn();
  b.drain();
  t.is(b.text, 'slow');
});

test('a wire that is behind gets its bytes at once, says that it is full and pauses who gave them', (t) => {
  const { writes } = setup();
  const [slow, reader] = [new SlowWire(), new SlowWire()];
  slow.isStuck = true;
  slow.write(Buffer.alloc(990), 0, 990);
  const text = Buffer.from('12345678901');
  t.false(writes.write(slow.wire, text, 0, 11, reader.wire));
  t.is(slow.pending, 1001);
  t.true(reader.isPaused);
});

test('more than a slab in one turn leaves in slabs, and no second one is made', (t) => {
  const { writes, turn } = setup();
  const a = new SlowWire();
  const text = 'x'.repeat(10_000);
  say(writes, a, text);
  const { buf } = writes.slab;
  for (let i = 1; i < 20; i++) say(writes, a, text);
  t.true(a.text.length >= 120_000);
  turn();
  t.is(a.text.length, 200_000);
  t.is(writes.slab.buf, buf);
});

test('on the loop of an application nothing is held', (t) => {
  const writes = new TurnWrites(null);
  const a = new SlowWire();
  say(writes, a, 'now');
  t.is(a.text, 'now');
  t.is(writes.slab.at, 0);
});

test('whatever leaves when, each wire gets the bytes that it was given', (t) => {
  const step = fc.record({
    to: fc.nat(2),
    size: fc.integer({ min: 1, max: 30_000 }),
    way: fc.constantFrom('slab', 'view', 'turn', 'stick', 'drain'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { writes, turn } = setup();
      const wires = [new SlowWire(), new SlowWire(), new SlowWire()];
      const expected = ['', '', ''];
      steps.forEach(({ to, size, way }, i) => {
        const wire = wires[to] as SlowWire;
        if (way === 'turn') turn();
        else if (way === 'drain') wire.drain();
        else if (way === 'stick') wire.isStuck = true;
        else {
          const text = String.fromCharCode(33 + i).repeat(size);
          expected[to] += text;
          if (way === 'slab') say(writes, wire, text);
          else writes.write(wire.wire, Buffer.from(text, 'latin1'), 0, size);
        }
      });
      turn();
      for (const wire of wires) wire.drain();
      return wires.every((wire, i) => wire.text === expected[i]);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
