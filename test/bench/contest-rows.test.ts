import test from 'ava';
import {
  bestOf,
  contestFailures,
  contestRows,
  isSaturated,
  ratioMeasure,
} from '../../bench/harness/contest-rows.ts';
import type { ContenderResult, RoundResult } from '../../bench/harness/results.ts';

const round = (cpuUs: number, more: Partial<RoundResult> = {}): RoundResult => ({
  cpuUs,
  userUs: 1,
  systemUs: 2,
  rps: 1000,
  p50Us: 10,
  p99Us: 20,
  utilisation: 0.99,
  loadUtilisation: 0.7,
  otherLoad: 0,
  stolen: 0,
  ...more,
});

const result = (
  name: string,
  rounds: ContenderResult['rounds'],
  more: Partial<ContenderResult> = {},
): ContenderResult => ({
  name,
  version: '1',
  reason: null,
  rounds,
  residentMiB: 10,
  problems: [],
  ...more,
});

const mine = result('mine', [round(20), null, round(24)]);
const theirs = result('theirs', [round(10), round(1), round(8)]);

test('a row compares with the reference round by round and shows void rounds as null', (t) => {
  t.like(contestRows([theirs, mine], 'theirs')[1], {
    name: 'mine',
    cpuUs: 22,
    minUs: 20,
    ratio: 2.5,
    roundsUs: [20, null, 24],
    saturated: false,
  });
});

test('an absent contender has a row with its reason and no figures', (t) => {
  const absent = result('MOSN', [], { version: null, reason: 'not built' });
  t.deepEqual(contestRows([absent], 'theirs'), [{ name: 'MOSN', reason: 'not built' }]);
  t.deepEqual(ratioMeasure('http1.vsMosn', [mine, absent], 'mine', 'MOSN'), {
    id: 'http1.vsMosn',
    value: null,
    reason: 'MOSN: not built',
  });
});

test('a contender of which every round is void gives no ratio', (t) => {
  const broken = result('theirs', [null], { problems: ['round 1 is void: 3 errors'] });
  t.is(
    ratioMeasure('http1.vsMosn', [mine, broken], 'mine', 'theirs').reason,
    'theirs: round 1 is void: 3 errors',
  );
});

test('a ratio between two that both ran is the median of the paired rounds', (t) => {
  t.is(ratioMeasure('http1.vsMosn', [mine, theirs], 'mine', 'theirs').value, 2.5);
});

test('the load core is the limit when it is full and the contender is not', (t) => {
  const full = round(1, { loadUtilisation: 0.99, utilisation: 0.6 });
  t.true(isSaturated(result('a', [full, round(1)])));
  t.false(isSaturated(result('a', [full, round(1), round(1)])));
  t.false(isSaturated(result('a', [round(1, { loadUtilisation: 0.99, utilisation: 0.98 })])));
  t.false(isSaturated(result('a', [])));
});

test('the best of several is the one with the smallest median among those that have one', (t) => {
  const none = result('none', [null]);
  t.is(bestOf([mine, theirs, none], ['mine', 'theirs', 'none']), 'theirs');
  t.is(bestOf([mine, theirs], ['mine']), 'mine');
  t.is(bestOf([none], ['none']), null);
});

test('problems of a contender that took part fail the run', (t) => {
  const lazy = result('heddle', [round(1)], { problems: ['cors did nothing'] });
  t.deepEqual(contestFailures([mine, lazy]), ['heddle: cors did nothing']);
});
