import test from 'ava';
import { target } from './http2.ts';
import { fuzz } from './kit/fuzz.ts';
import { compareWithNode } from './kit/http2-compare.ts';

test('4,000 frame sequences: no throw, no hang, the same whatever the pieces', (t) => {
  t.notThrows(() => fuzz(target, 4000, 1));
});

test('4,000 frame sequences, some 20,000 frames: node:http2 says the same, or there is a reason', async (t) => {
  const { same } = await compareWithNode(4000, 1);
  t.true(same > 3700, `${same} agree`);
});
