import { blocked } from './cause-blocked.ts';
import { busy } from './cause-cpu.ts';
import { thrash } from './cause-full-heap.ts';
import { limits } from './cause-limits.ts';
import { buffers, memory } from './cause-memory.ts';
import { resources, waits } from './cause-waiting.ts';
import { at, cause, type Evidence, type Finder, percent } from './evidence.ts';
import type { Cause } from './verdict-types.ts';

const requested: Finder = ({ trigger, profiles }) => {
  if (trigger.rule !== 'manual') return undefined;
  const guilty = profiles
    .filter(({ window }) => window !== 'quiet')
    .flatMap(({ functions }) => functions)
    .find(({ place }) => place !== '');
  return cause(
    'requested',
    'The capture was asked for; no rule fired.',
    guilty,
    [],
    'Read the profiles.',
    'medium',
  );
};

/** In this order: the first that explains the trigger wins. */
const finders: readonly Finder[] = [
  requested,
  blocked,
  busy,
  thrash,
  buffers,
  memory,
  resources,
  waits,
  limits,
];

/** The likely cause, or `not-known` with what is there. */
export function likelyCause(evidence: Evidence): Cause {
  for (const find of finders) {
    const found = find(evidence);
    if (found !== undefined) return found;
  }
  const busiest = evidence.cpu?.functions.find(({ place }) => place !== '');
  const text = 'Not known: the evidence fits no cause that this monitor recognises.';
  const facts =
    busiest === undefined
      ? []
      : [`the busiest function was ${at(busiest)}, with ${percent(busiest.share)} of the CPU time`];
  return {
    name: 'not-known',
    text,
    confidence: 'none',
    guilty: busiest,
    evidence: facts,
    advice: 'Read the profiles beside this page.',
  };
}
