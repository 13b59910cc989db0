import test from 'ava';
import fc from 'fast-check';
import { SubsetIndex } from '../../src/sharding/index.ts';

const keys = ['v', 'z'];

test('after any order of changes a subset holds the slots that a scan finds', (t) => {
  const change = fc.record({
    slot: fc.nat(70),
    v: fc.option(fc.nat(3)),
    z: fc.option(fc.nat(300)),
    isRemoved: fc.boolean(),
    looks: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const index = new SubsetIndex(keys);
      const plain = new Map<number, Record<string, string>>();
      const kept = index.find(['1', null]);
      for (const { slot, v, z, isRemoved, looks } of changes) {
        if (isRemoved) {
          index.remove(slot);
          plain.delete(slot);
        } else {
          const metadata: Record<string, string> = {};
          if (v !== null) metadata['v'] = String(v);
          if (z !== null) metadata['z'] = String(z);
          index.put(slot, metadata);
          plain.set(slot, metadata);
        }
        // Values without a slot are forgotten, and their numbers given to others.
        if (looks) for (const key of keys) index.valuesOf(key);
      }
      for (const [a, b] of [
        ['1', null],
        [null, '7'],
        ['2', '7'],
        ['3', '8'],
      ] as const) {
        const found = index.find([a, b]);
        const expected = [...plain]
          .filter(([, m]) => (a === null || m['v'] === a) && (b === null || m['z'] === b))
          .map(([slot]) => slot)
          .sort((x, y) => x - y);
        const slots = found === null ? [] : [...found.slots];
        if (slots.join() !== expected.join()) throw new Error(`${a} ${b}: ${slots} instead of ${expected}`);
        if (found !== null && found.slots.count !== expected.length) throw new Error('the count differs');
        for (let n = 0; n < slots.length; n++)
          if (found?.slots.select(n) !== slots[n]) throw new Error('select');
      }
      return kept === null;
    }),
    { numRuns: 200 },
  );
  t.pass();
});
