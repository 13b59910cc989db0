/** The result of a suite: one JSON object for programs, a page for people. */
import { type GoalResult, judgeAll } from './goals.ts';
import type { Machine } from './machine.ts';
import type { Row, Suite, SuiteResult } from './suite.ts';
import { formatTable } from './table.ts';

export interface Report {
  readonly suite: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalResult[];
  /** What voids the run. */
  readonly failures: readonly string[];
}

export interface Facts {
  readonly name: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
}

/** @param reason why there is no result, when there is none. */
export function makeReport(
  facts: Facts,
  suite: Pick<Suite, 'goals'>,
  result: SuiteResult | null,
  reason = 'not measured',
): Report {
  return {
    suite: facts.name,
    machine: facts.machine,
    versions: facts.versions,
    rows: result?.rows ?? [{ name: facts.name, reason }],
    goals: judgeAll(suite.goals, result?.measures ?? [], reason),
    failures: result?.failures ?? [],
  };
}

/** 1 for a void run; with `strict` also for a goal that is not met. */
export function exitCodeOf(report: Report, strict: boolean): 0 | 1 {
  if (report.failures.length > 0) return 1;
  return strict && report.goals.some((goal) => !goal.met) ? 1 : 0;
}

export function formatReport(report: Report): string {
  const { machine } = report;
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `${report.suite}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`,
    versions.join(', '),
    formatTable(report.rows.map(withoutReason)),
    ...report.rows.filter((row) => typeof row.reason === 'string').map((row) => `${row.name}: ${row.reason}`),
    ...(report.goals.length === 0 ? [] : [formatTable(report.goals.map(goalLine))]),
    ...report.failures.map((failure) => `FAILED ${failure}`),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Reasons and problems are sentences: they stand below the table, not in it. */
function withoutReason(row: Row): Row {
  const { reason: _reason, problems: _problems, ...rest } = row;
  return { ...rest, name: row.name };
}

function goalLine(goal: GoalResult): Row {
  const verdict = goal.met ? (reachesAim(goal) ? 'aim reached' : 'met') : 'MISSED';
  return {
    name: goal.id,
    value: goal.value,
    limit: goal.limit,
    aim: goal.aim,
    verdict: goal.skipped === undefined ? verdict : `${verdict}: ${goal.skipped}`,
  };
}

function reachesAim(goal: GoalResult): boolean {
  if (goal.aim === null || goal.value === null) return false;
  return goal.better === 'lower' ? goal.value <= goal.aim : goal.value >= goal.aim;
}
