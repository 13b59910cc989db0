import test from 'ava';
import { describeFrame, placeOf } from '../../../src/diagnostics/pprof/frame-names.ts';

test('a place has its line where it is known, and what has no file has none', (t) => {
  const frame = { name: 'serve', url: 'file:///app/a%20b.ts', line: 7, column: 1 };
  t.is(placeOf(frame), '/app/a b.ts:7');
  t.is(describeFrame(frame), 'serve (/app/a b.ts:7)');
  t.is(placeOf({ ...frame, line: 0 }), '/app/a b.ts');
  t.is(placeOf({ ...frame, url: '', line: 0 }), '');
  t.is(describeFrame({ ...frame, name: '(program)', url: '', line: 0 }), '(program)');
});
