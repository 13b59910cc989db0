/** What one proxy hop adds to the time of a call: 2,000 calls a second over 200 connections, so that nothing queues. */
import { type Entry, enter, isAbsent, leave } from '../harness/entry.ts';
import type { Measure } from '../harness/goals.ts';
import { type Backend, type LoadPlace, type LoadReport, runLoad, startBackend } from '../harness/load.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';
import { haproxy, haproxyFull } from '../peers/haproxy.ts';
import { heddle, heddleFull } from '../peers/heddle.ts';
import { nginx } from '../peers/nginx.ts';

const contenders = [heddleFull, heddle, haproxy, haproxyFull, nginx];
const load = { connections: 200, rate: 2000 };

/** The reports of one target, round by round; null where the round is void. */
interface Line {
  readonly name: string;
  readonly port: number;
  readonly reports: (LoadReport | null)[];
  readonly failures: string[];
}

export const suite: Suite = {
  about: 'what one proxy hop adds to the time of a call',
  goals: ['hop.addedP50Us'],
  rounds: 7,
  seconds: 3,
  async run(bench) {
    const tools = await compileTools();
    const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
    const backend = await startBackend(place);
    const entrants = [];
    const wanted = contenders.filter(({ name }) => bench.only?.includes(name) ?? true);
    for (const contender of wanted) entrants.push(await enter(bench, contender, backend.port));
    const entries = entrants.filter((entrant): entrant is Entry => !isAbsent(entrant));
    const lines = await playRounds(bench, place, backend, entries);
    const rows: HopRow[] = lines.map((line) => toRow(line, lines[0]));
    for (const absent of entrants.filter(isAbsent)) {
      rows.push({ name: absent.contender.name, reason: absent.reason });
    }
    const failures = lines.flatMap((line) => line.failures);
    for (const entry of entries) failures.push(...(await leave(bench, entry)));
    return { rows, measures: [toMeasure(rows)], failures };
  },
};

async function playRounds(
  bench: Bench,
  place: LoadPlace,
  backend: Backend,
  entries: readonly Entry[],
): Promise<Line[]> {
  const targets = entries.map((entry) => ({ name: entry.contender.name, port: entry.place.port }));
  const lines = [{ name: 'direct', port: backend.port }, ...targets].map(
    (target): Line => ({ ...target, reports: [], failures: [] }),
  );
  for (const line of lines) {
    bench.progress(`warming up ${line.name}`);
    await runLoad(place, { ...load, port: line.port, seconds: Math.min(1, bench.seconds) });
  }
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const line of lines) {
      const report = await runLoad(place, { ...load, port: line.port, seconds: bench.seconds });
      bench.progress(`round ${round + 1} ${line.name}: p50 ${report.p50Us} us`);
      line.reports[round] = report.errors === 0 && report.answered > 0 ? report : null;
      if (report.errors > 0) line.failures.push(`${line.name}: round ${round + 1}: ${report.firstError}`);
    }
  }
  return lines;
}

interface HopRow extends Row {
  readonly addedP50Us?: number | null;
}

type Time = 'p50Us' | 'p90Us' | 'p99Us';

function toRow(line: Line, direct: Line | undefined): HopRow {
  const middle = (time: Time): number | null =>
    rounded(median(line.reports.filter((report) => report !== null).map((report) => report[time])));
  const late = line.reports.reduce((sum, report) => sum + (report?.lateStarts ?? 0), 0);
  return {
    name: line.name,
    p50Us: middle('p50Us'),
    p90Us: middle('p90Us'),
    p99Us: middle('p99Us'),
    addedP50Us: added(line, direct, 'p50Us'),
    addedP99Us: added(line, direct, 'p99Us'),
    lateStarts: late,
  };
}

/** The difference in the same round, then the middle of the rounds. */
function added(line: Line, direct: Line | undefined, time: Time): number | null {
  const differences: number[] = [];
  for (const [round, report] of line.reports.entries()) {
    const base = direct?.reports[round] ?? null;
    if (report !== null && base !== null) differences.push(report[time] - base[time]);
  }
  return rounded(median(differences), 3);
}

function toMeasure(rows: readonly HopRow[]): Measure {
  const row = rows.find(({ name }) => name === heddleFull.name);
  const value = row?.addedP50Us;
  if (typeof value === 'number') return { id: 'hop.addedP50Us', value };
  return {
    id: 'hop.addedP50Us',
    value: null,
    reason: `${heddleFull.name}: ${row?.reason ?? 'not part of this run'}`,
  };
}
