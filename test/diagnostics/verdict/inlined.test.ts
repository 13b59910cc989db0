import test from 'ava';
import { ProfileBuilder } from '../../../src/diagnostics/pprof/index.ts';
import type { Profile } from '../../../src/diagnostics/profile-model.ts';
import { countInlined } from '../../../src/diagnostics/verdict/inlined.ts';
import { summarise } from '../../../src/diagnostics/verdict/summary.ts';

/** Lines of one file: `handle` calls `fill`, which has a callback; `spread` is somebody else's function. */
const lines: Readonly<Record<string, number>> = { fill: 3, callback: 4, handle: 9, spread: 20, other: 30 };

function profileOf(kind: 'heap' | 'cpu', stacks: Readonly<Record<string, number>>): Profile {
  const type =
    kind === 'heap' ? { type: 'inuse_space', unit: 'bytes' } : { type: 'cpu', unit: 'nanoseconds' };
  const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }, type]);
  for (const [stack, samples] of Object.entries(stacks)) {
    const frames = stack.split(' > ').map((word) => {
      const name = word === 'callback' || word === 'other' ? '(anonymous)' : word;
      return builder.frame({ name, url: 'file:///app/x.js', line: lines[word] ?? 1, column: 2 });
    });
    builder.add(builder.path(frames), [samples, samples * 1000]);
  }
  return builder.build({ kind, startMs: 0 });
}

function guiltyOf(
  heapStacks: Readonly<Record<string, number>>,
  cpuStacks: Readonly<Record<string, number>>,
): string | undefined {
  const heap = profileOf('heap', heapStacks);
  const summary = summarise(heap, { threadId: 0, threadName: 'main', window: 'during' });
  const cpu = profileOf('cpu', cpuStacks);
  return countInlined(summary, heap, { cpu, growth: undefined, heap: undefined }).functions[0]?.name;
}

test('a caller that spends two thirds of its time in its callee has inlined it', (t) => {
  const heap = { handle: 60, 'handle > fill': 40 };
  t.is(guiltyOf(heap, { handle: 2, 'handle > fill': 4 }), 'fill');
  t.is(guiltyOf(heap, { handle: 3, 'handle > fill': 4 }), 'handle');
  t.is(guiltyOf(heap, { 'handle > fill': 2 }), 'handle', 'two samples prove nothing');
  t.is(guiltyOf({ handle: 60, fill: 40 }, { 'handle > fill': 9 }), 'handle', 'nobody was seen to call it');
});

test('what only the callee calls was allocated in the callee', (t) => {
  const heap = { 'handle > spread': 50, 'handle > fill > spread': 30, handle: 9 };
  const cpu = { handle: 5, 'handle > fill > spread': 4 };
  t.is(guiltyOf(heap, { ...cpu, spread: 1 }), 'spread', 'where the function itself is the largest it stays');
  const below = { 'handle > callback': 50, 'handle > fill > callback': 30, handle: 9 };
  const seen = { handle: 5, 'handle > fill > callback': 4 };
  t.is(guiltyOf(below, seen), 'fill');
  t.is(guiltyOf({ ...below, handle: 60 }, seen), 'handle', 'most of it is its own');
});

test('a callback that is written in the callee is the callee’s, whoever seems to call it', (t) => {
  const heap = (callback: string) => ({
    [`handle > ${callback}`]: 50,
    [`handle > fill > ${callback}`]: 30,
    handle: 9,
  });
  const both = (callback: string) => ({
    handle: 5,
    [`handle > ${callback}`]: 4,
    [`handle > fill > ${callback}`]: 4,
  });
  t.is(guiltyOf(heap('callback'), both('callback')), 'fill');
  t.is(guiltyOf(heap('other'), both('other')), 'handle', 'this one is written elsewhere, and both call it');
});

test('what has grown names the caller alone, and what is older shows the callee', (t) => {
  const growth = profileOf('heap', { 'handle > callback': 40, handle: 5 });
  const older = profileOf('heap', { 'handle > callback': 40, 'handle > fill > callback': 60, handle: 5 });
  const summary = summarise(growth, { threadId: 0, threadName: 'main', window: 'during' });
  const proof = { cpu: undefined, growth: undefined };
  const told = countInlined(summary, growth, { ...proof, heap: older });
  t.is(told.functions[0]?.name, 'fill');
  t.is(told.functions[0]?.value, 45_000, 'only what has grown counts');
  t.is(told.inlinedInto?.name, 'handle');
  t.is(countInlined(summary, growth, { ...proof, heap: undefined }).functions[0]?.name, 'handle');
});
