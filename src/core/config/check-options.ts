import type { ConfigPath, Locate, Origin } from './problems.ts';

interface MonitorProblem {
  readonly path: ConfigPath;
  readonly detail: string;
}

/** What checking needs beside the configuration and the extensions. */
export interface CheckOptions {
  /** File that problems name (none). */
  readonly file?: string;
  /** Line of a path in that file. */
  readonly locate?: Locate;
  /** Place in the configuration that this one was made from, for problems to name instead (none). */
  readonly origin?: (path: ConfigPath) => Origin | null;
  /**
   * What is wrong with a text with `%OPERATORS%`: `checkValue` of the access log, given by the composition root. Left
   * out, such texts are not checked here.
   */
  readonly checkValue?: (text: string) => readonly string[];
  /** What is wrong with the settings of the monitor, each with its place in them; given by the composition root. */
  readonly checkMonitor?: (settings: unknown) => readonly MonitorProblem[];
  /** What is wrong with a CEL expression of a route, or null: `expressionProblem`, given by the composition root. */
  readonly checkExpression?: (text: string) => string | null;
}
