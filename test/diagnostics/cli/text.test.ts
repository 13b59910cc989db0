import test from 'ava';
import { formatTop } from '../../../bin/monitor/text.ts';
import { ProfileBuilder } from '../../../src/diagnostics/index.ts';

test('suspended async functions are shown as await chains, the most frequent first', (t) => {
  const builder = new ProfileBuilder([
    { type: 'await_chains', unit: 'count' },
    { type: 'coroutines', unit: 'count' },
  ]);
  const frame = (name: string, line: number): number =>
    builder.frame({ name, url: 'file:///app/x.ts', line, column: 1 });
  const [handle, call, retry] = [frame('handle', 5), frame('call', 4), frame('retry', 6)];
  builder.add(builder.path([retry as number]), [40, 40]);
  builder.add(builder.path([handle as number, call as number]), [700, 0]);
  builder.add(builder.path([handle as number]), [0, 700]);
  const comments = ['1440 pending coroutines in 9 heap objects'];
  const profile = builder.build({ kind: 'coroutines', defaultSampleType: 0, comments });
  t.is(
    formatTop(profile, { limit: 1, by: 'flat' }),
    [
      '1440 pending coroutines in 9 heap objects',
      'count  who waits < who awaits that',
      '700    call (/app/x.ts:4) < handle (/app/x.ts:5)',
      'and 1 more chains',
    ].join('\n'),
  );
});
