import test from 'ava';
import { compare, target } from './http2.ts';
import { fuzz } from './kit/fuzz.ts';

test('4,000 frame sequences: no throw, no hang, the same whatever the pieces', (t) => {
  t.notThrows(() => fuzz(target, 4000, 1));
});

test('4,000 frame sequences, some 20,000 frames: node:http2 says the same, or there is a reason', async (t) => {
  const said = await compare(4000, 1);
  const [, same] = /the same verdict for (\d+)/.exec(said) ?? [];
  t.true(Number(same) > 3700, said);
});
