import test from 'ava';
import { target } from './http1.ts';
import { fuzz } from './kit/fuzz.ts';

test('20,000 damaged messages: no throw, no hang, the same whatever the pieces, nothing smuggled upstream', (t) => {
  t.notThrows(() => fuzz(target, 20_000, 1));
});
