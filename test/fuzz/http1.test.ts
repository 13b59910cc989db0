import test from 'ava';
import { fuzz } from './fuzz.ts';
import { target } from './http1.target.ts';

test('20,000 damaged messages: no throw, no hang, the same whatever the pieces, nothing smuggled upstream', (t) => {
  t.notThrows(() => fuzz(target, 20_000, 1));
});
