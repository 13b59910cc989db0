import test from 'ava';
import { UserSignals } from '../../src/diagnostics/hooks/user-signals.ts';

test('a signal that throws or answers with something else is told once, and costs the others nothing', (t) => {
  const about = { unit: 'count', description: 'd' } as const;
  let isBroken = true;
  const signals = new UserSignals([
    {
      ...about,
      name: 'broken',
      read: () => {
        if (isBroken) throw new Error('of undefined');
        return 3;
      },
    },
    { ...about, name: 'wrong', read: () => 'seven' as unknown as number },
    { ...about, name: 'unknown', read: () => undefined },
    { ...about, name: 'queue', read: () => 7 },
  ]);
  const first = signals.read();
  t.deepEqual(first.user, { queue: 7 });
  t.is(first.failures.length, 2);
  t.regex(first.failures[0] ?? '', /signal "broken" could not be read: .*undefined/);
  t.regex(first.failures[1] ?? '', /signal "wrong" could not be read: seven is no number/);
  t.deepEqual(signals.read().failures, []);
  isBroken = false;
  t.deepEqual(signals.read().user, { broken: 3, queue: 7 });
});
