import type { Locate } from './problems.ts';

/** What checking needs beside the configuration and the extensions. */
export interface CheckOptions {
  /** File that problems name (none). */
  readonly file?: string;
  /** Line of a path in that file. */
  readonly locate?: Locate;
  /**
   * Why a text with `%OPERATORS%` cannot be compiled, or null. The access log's compiler, given by the composition
   * root; left out, such texts are not checked here.
   */
  readonly valueProblem?: (text: string) => string | null;
}
