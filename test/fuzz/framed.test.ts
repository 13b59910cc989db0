import test from 'ava';
import { fuzz } from './kit/fuzz.ts';
import { target as tars } from './tars.ts';
import { target as thrift } from './thrift.ts';

for (const target of [tars, thrift]) {
  test(`10,000 inputs of ${target.name}: the same whatever the pieces, written again they say the same`, (t) => {
    t.notThrows(() => fuzz(target, 10_000, 1));
  });
}
