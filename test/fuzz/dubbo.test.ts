import test from 'ava';
import { target } from './dubbo.ts';
import { fuzz } from './kit/fuzz.ts';

test('20,000 inputs of Dubbo frames: the same whatever the pieces, edits are read back, nothing throws', (t) => {
  t.notThrows(() => fuzz(target, 20_000, 1));
});
