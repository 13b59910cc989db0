import test from 'ava';
import { parseGoDuration } from '../../../../src/core/config/mosn/go-duration.ts';

test('durations read as Go reads them', (t) => {
  const known: [string, number][] = [
    ['0', 0],
    ['1s', 1000],
    ['300ms', 300],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['+2m', 120_000],
    ['1h1m1s1ms', 3_661_001],
    ['2000us', 2],
    ['2000µs', 2],
    ['0.1s', 100],
    ['1.1s', 1100],
  ];
  for (const [text, ms] of known) t.is(parseGoDuration(text), ms, text);
});

test('a part of a millisecond never becomes none', (t) => {
  for (const text of ['1ns', '1us', '999us']) t.is(parseGoDuration(text), 1, text);
});

test('what Go refuses is refused', (t) => {
  for (const text of ['', '1', '1 s', 's', '-1s', '1d', '1s2', 'x1s', '1.s.', '1S', '1e3s']) {
    t.is(parseGoDuration(text), null, text);
  }
});
