import test from 'ava';
import {
  decodePprof,
  diffFunctions,
  diffProfiles,
  encodePprof,
  ProfileBuilder,
  toFolded,
} from '../../../src/diagnostics/pprof/index.ts';
import type { Profile } from '../../../src/diagnostics/profile-model.ts';

const profileOf = (
  stacks: Record<string, number>,
  durationMs: number,
  type = 'cpu',
  unit = 'nanoseconds',
): Profile => {
  const builder = new ProfileBuilder([{ type, unit }]);
  for (const [stack, value] of Object.entries(stacks)) {
    const frames = stack.split(';').map((name) => builder.frame({ name, url: '/a.js', line: 1, column: 1 }));
    builder.add(builder.path(frames), [value]);
  }
  return builder.build({ kind: 'cpu', durationMs });
};

test('time is compared at equal duration: what grew is positive, what shrank negative', (t) => {
  const base = profileOf({ 'a;b': 100, 'a;c': 50 }, 1000);
  const diff = diffProfiles(base, profileOf({ 'a;b': 200, 'a;d': 70 }, 2000));
  t.is(toFolded(diff), 'a;d 70\na;c -100\n');
});

test('bytes are compared as they are', (t) => {
  const base = profileOf({ a: 100 }, 10, 'inuse_space', 'bytes');
  t.is(toFolded(diffProfiles(base, profileOf({ a: 150 }, 1000, 'inuse_space', 'bytes'))), 'a 50\n');
});

test('shares are compared on demand', (t) => {
  const base = profileOf({ a: 10, b: 10 }, 0);
  t.is(toFolded(diffProfiles(base, profileOf({ a: 300, b: 100 }, 0), { scale: 'share' })), 'a 100\nb -100\n');
});

test('a difference survives pprof, negative values included', (t) => {
  const diff = diffProfiles(profileOf({ a: 5_000_000_000 }, 0), profileOf({ b: 7 }, 0));
  t.is(toFolded(decodePprof(encodePprof(diff))), toFolded(diff));
});

test('profiles without a common sample type are refused', (t) => {
  t.throws(() => diffProfiles(profileOf({ a: 1 }, 0), profileOf({ a: 1 }, 0, 'inuse_space', 'bytes')), {
    code: 'ERR_PROFILE_INVALID',
    message: /one has cpu\/nanoseconds, the other inuse_space\/bytes/,
  });
});

test('functions are ranked by how much their share moved', (t) => {
  const changes = diffFunctions(profileOf({ a: 90, b: 10 }, 0), profileOf({ a: 100, 'a;c': 100 }, 0));
  t.deepEqual(
    changes.map(({ name, delta }) => [name, delta]),
    [
      ['c', 100],
      ['a', 10],
      ['b', -10],
    ],
  );
});
