import {
  bytesField,
  int32Field,
  intField,
  mapField,
  stringField,
} from '../../../src/transport/codecs/tars/jce.ts';
import type { FuzzRandom } from './fuzz.ts';

const text = (random: FuzzRandom): Buffer => {
  const length = random.chance(0.05) ? 300 : random.below(12);
  return Buffer.from('context'.repeat(50).slice(0, length));
};

/** One packet of Tars, a request or an answer. */
export function tarsFrame(random: FuzzRandom): Buffer {
  const map = (tag: number): Buffer =>
    mapField(
      tag,
      Array.from({ length: random.below(4) * 2 }, () => text(random)),
    );
  const id = random.below(100_000);
  const idField = (tag: number): Buffer => (random.chance(0.5) ? intField(tag, id) : int32Field(tag, id));
  const body = random.bytes(random.below(40));
  const isRequest = random.chance(0.6);
  const fields = isRequest
    ? [
        intField(3, 0),
        idField(4),
        stringField(5, text(random)),
        stringField(6, text(random)),
        bytesField(7, body),
        intField(8, random.below(10_000)),
        map(9),
        map(10),
      ]
    : [
        idField(3),
        intField(4, 0),
        intField(5, random.pick([0, 0, -3, -9, -99])),
        bytesField(6, body),
        map(7),
        stringField(8, text(random)),
        map(9),
      ];
  const all = Buffer.concat([Buffer.alloc(4), intField(1, 1), intField(2, random.below(2)), ...fields]);
  all.writeUInt32BE(all.length, 0);
  return all;
}
