import test from 'ava';
import {
  cpuBetween,
  parseClocks,
  parseMachineStat,
  parseStat,
  parseStatm,
  processTree,
} from '../../bench/harness/proc.ts';

const stat =
  '4242 (nginx: (w) x) S 77 4242 4242 0 -1 4194560 10 20 0 0 150 250 3 4 20 0 5 0 9000 1000000 300 18446744073709551615';

test('a process name with blanks and brackets does not shift the fields of its stat line', (t) => {
  t.deepEqual(parseStat(stat), {
    parent: 77,
    userUs: 1_500_000,
    systemUs: 2_500_000,
    endedChildrenUs: 70_000,
  });
});

test('resident bytes are the second field of statm in pages', (t) => {
  t.is(parseStatm('25000 1234 900 1 0 800 0'), 1234 * 4096);
});

test('the time of a machine leaves out idle and waiting', (t) => {
  const text = 'cpu  10 20 30 1000 500 4 5 7 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n';
  t.deepEqual(parseMachineStat(text), { busyUs: 690_000, stolenUs: 70_000 });
});

test('a process tree holds children of children and nobody else', (t) => {
  const parents = new Map([
    [2, 1],
    [3, 2],
    [4, 3],
    [9, 1],
  ]);
  t.deepEqual(processTree(2, parents), [2, 3, 4]);
});

test('the lines of cpuclock become a map', (t) => {
  t.deepEqual(
    [...parseClocks('12 34000\n13 5\n')],
    [
      [12, 34_000],
      [13, 5],
    ],
  );
});

test('CPU between two samples counts new children whole and ended ones once', (t) => {
  const sample = (
    processes: [number, number][],
    endedChildrenUs: number,
  ): Parameters<typeof cpuBetween>[0] => ({
    userUs: 0,
    systemUs: 0,
    endedChildrenUs,
    processes: new Map(processes),
  });
  // Process 1 used 5 us; 2 had used 10 us, ended at 16 us; 3 is new and used 4 us.
  const before = sample(
    [
      [1, 1_000],
      [2, 10_000],
    ],
    0,
  );
  const after = sample(
    [
      [1, 6_000],
      [3, 4_000],
    ],
    16,
  );
  t.is(cpuBetween(before, after).totalUs, 5 + 6 + 4);
});
