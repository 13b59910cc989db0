import test from 'ava';
import { SeededRandom } from '../../src/core/base/random.ts';
import { hashText, mix32 } from '../../src/sharding/hash.ts';
import { ketamaRing, pointRing } from '../../src/sharding/hash-ring.ts';
import { type MaglevTable, maglevTable } from '../../src/sharding/maglev.ts';
import { lowest, rendezvousFirst, rendezvousScores } from '../../src/sharding/rendezvous.ts';
import { circleDistance, vanDerCorput } from '../../src/sharding/slots.ts';

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:8080`);
const hashes = (count: number): Uint32Array => Uint32Array.from(names(count), (name) => hashText(name));
const key = (i: number): number => mix32(i + 12_345);

test('quickselect finds the lowest, whatever the order and however many are equal', (t) => {
  const random = new SeededRandom(3);
  for (let round = 0; round < 300; round++) {
    const size = 1 + Math.floor(random.next() * 60);
    const scores = Float64Array.from({ length: size }, () => Math.floor(random.next() * 20));
    const count = Math.floor(random.next() * (size + 3));
    const chosen = [...lowest(scores, count)].map((i) => scores[i] as number).sort((a, b) => a - b);
    t.deepEqual(chosen, [...scores].sort((a, b) => a - b).slice(0, count));
  }
});

test('rendezvous: first place follows the weights, and a removal moves only its own keys', (t) => {
  const weights = Float64Array.of(1, 2, 3, 4);
  const servers = hashes(4);
  const seen = [0, 0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    const at = rendezvousFirst(key(i), servers, weights);
    seen[at] = (seen[at] as number) + 1;
  }
  const statistic = seen.reduce(
    (sum, count, i) => sum + (count - (i + 1) * 10_000) ** 2 / ((i + 1) * 10_000),
    0,
  );
  t.true(statistic < 21.1, `${seen}`);

  const all = hashes(50);
  const fewer = all.slice(0, 49);
  for (let i = 0; i < 5000; i++) {
    const before = rendezvousFirst(key(i), all, null);
    if (before !== 49) t.is(rendezvousFirst(key(i), fewer, null), before);
  }
  t.is(rendezvousFirst(1, new Uint32Array(0), null), -1);
});

test('rendezvous: equal weights give the same order as no weights', (t) => {
  const servers = hashes(40);
  const ones = new Float64Array(40).fill(1);
  const into = (): Float64Array => new Float64Array(40);
  for (let i = 0; i < 200; i++) {
    const plain = lowest(rendezvousScores(key(i), servers, null, into()), 7);
    const weighted = lowest(rendezvousScores(key(i), servers, ones, into()), 7);
    t.deepEqual([...plain].sort(), [...weighted].sort());
  }
});

test('ring: walks meet each server once and start at the key', (t) => {
  const ring = pointRing(hashes(20), 40);
  t.is(ring.size, 800);
  for (let i = 0; i < 200; i++) {
    const walk = ring.walk(key(i), 50);
    t.is(new Set(walk).size, 20);
    t.is(walk[0], ring.ownerAt(ring.find(key(i))));
    t.deepEqual(ring.walk(key(i), 3), walk.slice(0, 3));
  }
  t.deepEqual(pointRing(hashes(0), 40).walk(5, 3), []);
});

test('ketama: size follows gRPC A42, shares follow the weights', (t) => {
  const equal = ketamaRing(names(10), new Array(10).fill(1), { minSize: 1024, maxSize: 8_388_608 });
  t.is(equal.size, 1030);
  const capped = ketamaRing(names(10), [1, 1, 1, 1, 1, 1, 1, 1, 1, 91], { minSize: 1024, maxSize: 2000 });
  t.is(capped.size, 1100);
  const few = ketamaRing(names(3), [1, 1, 2], { minSize: 4000, maxSize: 5000 });
  const seen = [0, 0, 0];
  for (let i = 0; i < 100_000; i++) {
    const owner = few.ownerAt(few.find(key(i)));
    seen[owner] = (seen[owner] as number) + 1;
  }
  for (const [i, share] of [0.25, 0.25, 0.5].entries()) {
    t.true(Math.abs((seen[i] as number) / 100_000 - share) < 0.03, `${seen}`);
  }
});

test('maglev: shares differ by less than a per cent, follow weights, and every server stands in the table', (t) => {
  const count = (table: MaglevTable, servers: number): number[] => {
    const seen = new Array<number>(servers).fill(0);
    for (let i = 0; i < table.size; i++) {
      const at = table.lookUp(i);
      seen[at] = (seen[at] as number) + 1;
    }
    return seen;
  };
  const equal = count(maglevTable(names(100), new Array(100).fill(1)), 100);
  t.true(Math.max(...equal) - Math.min(...equal) <= 1, 'each turn gives everyone one place');
  const weighted = count(maglevTable(names(3), [1, 2, 5]), 3);
  for (const [i, weight] of [1, 2, 5].entries()) {
    t.true(Math.abs((weighted[i] as number) / 65_537 - weight / 8) < 0.001, `${weighted}`);
  }
  t.is(new Set(maglevTable(names(500), new Array(500).fill(1)).walk(77, 500)).size, 500);
  t.deepEqual(maglevTable([], []).walk(3, 5), []);
});

test('maglev: a removal moves few keys beside its own', (t) => {
  const before = maglevTable(names(100), new Array(100).fill(1));
  const after = maglevTable(names(99), new Array(99).fill(1));
  let moved = 0;
  for (let i = 0; i < 65_537; i++)
    if (before.lookUp(i) !== 99 && before.lookUp(i) !== after.lookUp(i)) moved++;
  t.true(moved / 65_537 < 0.06, `${moved}`);
});

test('van der Corput positions fill the circle evenly at every length', (t) => {
  t.deepEqual([0, 1, 2, 3, 4].map(vanDerCorput), [0, 0.5, 0.25, 0.75, 0.125]);
  const first = Array.from({ length: 64 }, (_, i) => vanDerCorput(i)).sort((a, b) => a - b);
  t.deepEqual(
    first,
    Array.from({ length: 64 }, (_, i) => i / 64),
  );
  t.is(circleDistance(0.75, 0.25), 0.5);
  t.is(circleDistance(0.25, 0.75), 0.5);
});
