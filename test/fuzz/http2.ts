import { deepStrictEqual, ok } from 'node:assert/strict';
import type { FuzzRandom, FuzzTarget } from './kit/fuzz.ts';
import { compareWithNode } from './kit/http2-compare.ts';
import { frameSequence } from './kit/http2-inputs.ts';
import { ourVerdict } from './kit/http2-verdict.ts';

const mostCompared = 100_000;

/** Split anywhere, the same requests, resets and end come out. */
export const target: FuzzTarget = {
  name: 'http2',
  generate: (random) => frameSequence(random).bytes,
  check(input: Buffer, random: FuzzRandom) {
    const whole = ourVerdict(input, Number.POSITIVE_INFINITY, true);
    const pieces = ourVerdict(input, 1 + random.below(40), random.chance(0.5));
    deepStrictEqual(pieces.requests, whole.requests);
    ok(pieces.goAway === whole.goAway, `GOAWAY ${pieces.goAway} instead of ${whole.goAway}`);
  },
};

/** The same sequences beside node:http2: one line that says how often both agreed, and why not. */
export async function compare(count: number, seed: number): Promise<string> {
  const { sequences, same, reasons } = await compareWithNode(Math.min(count, mostCompared), seed);
  const lines = [...reasons].sort(([, a], [, b]) => b - a).map(([text, times]) => `  ${times} times ${text}`);
  return [`${sequences} sequences beside node:http2: the same verdict for ${same}`, ...lines].join('\n');
}
