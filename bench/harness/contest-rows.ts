/** Turns the books of a contest into the rows of a report and into ratios between contenders. */

import type { GoalId, Measure } from './goals.ts';
import type { ContenderResult, RoundResult } from './results.ts';
import { counted, median, pairedRatio, rounded, smallest } from './stats.ts';
import type { Row } from './suite.ts';

const column = (result: ContenderResult, key: keyof RoundResult): (number | null)[] =>
  result.rounds.map((round) => round?.[key] ?? null);

const middle = (result: ContenderResult, key: keyof RoundResult, digits = 4): number | null =>
  rounded(median(counted(column(result, key))), digits);

/** A row for each contender; `reference` is who the ratio column compares with. */
export function contestRows(results: readonly ContenderResult[], reference: string): Row[] {
  const base = results.find((result) => result.name === reference);
  return results.map((result) => {
    if (result.reason !== null) return { name: result.name, reason: result.reason };
    const cpu = column(result, 'cpuUs');
    return {
      name: result.name,
      cpuUs: rounded(median(counted(cpu))),
      minUs: rounded(smallest(counted(cpu))),
      ratio: base === undefined ? null : rounded(pairedRatio(cpu, column(base, 'cpuUs')), 3),
      userUs: middle(result, 'userUs', 3),
      systemUs: middle(result, 'systemUs', 3),
      rps: rounded(median(counted(column(result, 'rps'))), 5),
      p50Us: middle(result, 'p50Us'),
      p99Us: middle(result, 'p99Us'),
      utilisation: middle(result, 'utilisation', 2),
      otherLoad: middle(result, 'otherLoad', 2),
      saturated: isSaturated(result),
      residentMiB: rounded(result.residentMiB, 3),
      roundsUs: cpu.map((value) => rounded(value, 3)),
      ...(result.problems.length > 0 && { problems: result.problems.join('; ') }),
    };
  });
}

/**
 * True when in half of the rounds or more the load core was full while the contender's was not: CPU per request still
 * counts then, requests a second and times do not.
 */
export function isSaturated(result: ContenderResult): boolean {
  const rounds = result.rounds.filter((round) => round !== null);
  const full = rounds.filter((round) => round.loadUtilisation > 0.95 && round.utilisation < 0.9);
  return rounds.length > 0 && full.length * 2 >= rounds.length;
}

/** CPU per request of `mine` over that of `theirs`, as the median of the rounds' ratios; or why there is none. */
export function ratioMeasure(
  id: GoalId,
  results: readonly ContenderResult[],
  mine: string,
  theirs: string,
): Measure {
  const pair = [mine, theirs].map((name) => results.find((result) => result.name === name));
  const [left, right] = pair;
  for (const [index, name] of [mine, theirs].entries()) {
    const why = whyNoFigure(pair[index]);
    if (why !== null) return { id, value: null, reason: `${name}: ${why}` };
  }
  if (left === undefined || right === undefined) return { id, value: null };
  const ratio = pairedRatio(column(left, 'cpuUs'), column(right, 'cpuUs'));
  return { id, value: rounded(ratio), reason: 'no round counts for both' };
}

function whyNoFigure(result: ContenderResult | undefined): string | null {
  if (result === undefined) return 'not part of this run';
  if (result.reason !== null) return result.reason;
  if (counted(column(result, 'cpuUs')).length === 0) return result.problems[0] ?? 'no round counts';
  return null;
}

/** Of several contenders the one with the smallest median CPU per request; null when none has a figure. */
export function bestOf(results: readonly ContenderResult[], names: readonly string[]): string | null {
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const result of results) {
    const value = names.includes(result.name) ? median(counted(column(result, 'cpuUs'))) : null;
    if (value !== null && value < least) {
      least = value;
      best = result.name;
    }
  }
  return best;
}

/** What went wrong with contenders that took part; an absent one only shows in its row. */
export function contestFailures(results: readonly ContenderResult[]): string[] {
  return results.flatMap((result) => result.problems.map((problem) => `${result.name}: ${problem}`));
}
