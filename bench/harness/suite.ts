/**
 * A suite is one file, `bench/suites/NAME.ts`, that exports `suite`. `compare http1` is `bench/suites/compare/http1.ts`.
 *
 * @example
 * export const suite: Suite = {
 *   about: 'what it measures, in one line',
 *   goals: ['hop.addedP50Us'],
 *   rounds: 5,
 *   seconds: 2,
 *   async run(bench) {
 *     return { rows: [{ name: 'heddle', p50Us: 80 }], measures: [{ id: 'hop.addedP50Us', value: 80 }] };
 *   },
 * };
 */
import type { Children } from './children.ts';
import type { GoalId, Measure } from './goals.ts';
import type { Cores } from './machine.ts';

export interface Suite {
  readonly about: string;
  /** The goals it promises to measure; one it does not return counts as missed. */
  readonly goals: readonly GoalId[];
  /** Rounds when the command line names none. A whole suite should stay within three minutes. */
  readonly rounds: number;
  /** Seconds of one round of one contender, likewise. */
  readonly seconds: number;
  run(bench: Bench): Promise<SuiteResult>;
}

/** What a suite works with. */
export interface Bench {
  readonly rounds: number;
  readonly seconds: number;
  /** Names of contenders to run; null runs all. Goals that need another one are missed. */
  readonly only: readonly string[] | null;
  /** Write this run's figures as the committed ones, where a suite has such. */
  readonly update: boolean;
  readonly cores: Cores;
  /** Starts processes and sees to it that none outlives the run. */
  readonly children: Children;
  /** A temporary directory of this run. */
  readonly directory: string;
  /** One line for the reader, on stderr. */
  progress(line: string): void;
  /** Names a version that the report should carry. */
  version(name: string, version: string): void;
}

export interface SuiteResult {
  readonly rows: readonly Row[];
  readonly measures: readonly Measure[];
  /** What went wrong in a way that voids the run (a filter that did nothing, wrong answers): the exit code is 1. */
  readonly failures?: readonly string[];
}

export type Cell = string | number | boolean | null | readonly (number | null)[];

/** A line of the table; `reason` says why a contender could not run. */
export interface Row {
  readonly name: string;
  readonly reason?: string;
  readonly [column: string]: Cell | undefined;
}

/** Thrown where something that the machine lacks makes a measurement impossible; the message is the reason shown. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
