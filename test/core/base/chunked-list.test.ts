import test from 'ava';
import fc from 'fast-check';
import { ChunkedList } from '../../../src/core/base/chunked-list.ts';

test('a list behaves as an array does, and copies never change', (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ kind: fc.constant('pop' as const), count: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ kind: fc.constant('set' as const), count: fc.nat() }),
    fc.record({ kind: fc.constant('copy' as const), count: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const list = new ChunkedList<number>();
      const model: number[] = [];
      const copies: [ChunkedList<number>, number[]][] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        if (kind === 'copy') copies.push([list.copy(), model.slice()]);
        else if (kind === 'set') {
          if (model.length === 0) continue;
          list.set(count % model.length, next);
          model[count % model.length] = next++;
        } else {
          for (let i = 0; i < count; i++) {
            if (kind === 'push') {
              list.push(next);
              model.push(next++);
            } else if (kind === 'pop' && model.length > 0 && list.pop() !== model.pop()) return false;
          }
        }
      }
      copies.push([list, model]);
      return copies.every(([copy, expected]) => same(copy, expected));
    }),
    { seed: 23, numRuns: 150 },
  );
  t.pass();
});

function same(list: ChunkedList<number>, expected: readonly number[]): boolean {
  const array = list.toArray();
  if (list.length !== expected.length || array.length !== expected.length) return false;
  let at = 0;
  for (const item of list) if (item !== expected[at] || array[at++] !== item) return false;
  return expected.every((item, index) => list.get(index) === item);
}

test('a copy of 50,000 entries shares all but the chunk that is written', (t) => {
  const list = ChunkedList.from(Array.from({ length: 50_000 }, (_, i) => i));
  const copy = list.copy();
  list.set(7, -1);
  t.is(copy.get(7), 7);
  t.is(list.get(7), -1);
  t.is(list.get(49_999), 49_999);
});
