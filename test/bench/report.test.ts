import test from 'ava';
import { exitCodeOf, formatReport, makeReport } from '../../bench/harness/report.ts';
import { formatTable } from '../../bench/harness/table.ts';

const facts = {
  name: 'hop',
  machine: { cpu: 'A chip', cores: 2, memoryGiB: 4, kernel: 'Linux 6', loadAverage: 0.1 },
  versions: { node: '24.0.0' },
};
const promise = { goals: ['hop.addedP50Us'] } as const;

test('a report is plain JSON with suite, machine, versions, rows and goals', (t) => {
  const rows = [{ name: 'heddle', addedP50Us: 80 }];
  const report = makeReport(facts, promise, { rows, measures: [{ id: 'hop.addedP50Us', value: 80 }] });
  t.deepEqual(JSON.parse(JSON.stringify(report)), {
    suite: 'hop',
    machine: facts.machine,
    versions: facts.versions,
    rows,
    goals: [{ id: 'hop.addedP50Us', value: 80, limit: 200, aim: 100, better: 'lower', met: true }],
    failures: [],
  });
});

test('a suite that could not run still reports its goals, each with the reason', (t) => {
  const report = makeReport(facts, promise, null, 'no gcc');
  t.deepEqual(report.rows, [{ name: 'hop', reason: 'no gcc' }]);
  t.like(report.goals[0], { value: null, met: false, skipped: 'no gcc' });
});

test('a missed goal fails the run only when strict, a void run always', (t) => {
  const missed = makeReport(facts, promise, { rows: [], measures: [] });
  t.is(exitCodeOf(missed, false), 0);
  t.is(exitCodeOf(missed, true), 1);
  const measures = [{ id: 'hop.addedP50Us', value: 1 }] as const;
  const broken = makeReport(facts, promise, { rows: [], measures, failures: ['cors: its counter stayed 0'] });
  t.is(exitCodeOf(broken, false), 1);
  t.is(exitCodeOf(makeReport(facts, promise, { rows: [], measures }), true), 0);
});

test('the page for people names missed goals, reached aims, absent peers and failures', (t) => {
  const page = formatReport(
    makeReport(facts, promise, {
      rows: [
        { name: 'direct', p50Us: 10 },
        { name: 'nginx', reason: 'no nginx' },
      ],
      measures: [{ id: 'hop.addedP50Us', value: 99 }],
      failures: ['it broke'],
    }),
  );
  for (const part of ['aim reached', 'nginx: no nginx', 'FAILED it broke', 'A chip'])
    t.true(page.includes(part));
  t.true(formatReport(makeReport(facts, promise, null, 'why')).includes('MISSED: why'));
});

test('a table aligns numbers to the right and shows a dash for what is missing', (t) => {
  const table = formatTable([
    { name: 'a', x: 1, list: [1, null] },
    { name: 'bcd', x: 100 },
  ]);
  t.is(table, ['name    x  list', 'a       1  1/-', 'bcd   100  -'].join('\n'));
});
