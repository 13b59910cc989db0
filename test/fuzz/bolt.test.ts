import test from 'ava';
import { target } from './bolt.ts';
import { fuzz } from './kit/fuzz.ts';

test('20,000 sequences of Bolt frames, half of them damaged: whole frames leave, each call has one answer', (t) => {
  t.notThrows(() => fuzz(target, 20_000, 1));
});
