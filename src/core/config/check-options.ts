import type { Locate } from './problems.ts';

/** What checking needs beside the configuration and the extensions. */
export interface CheckOptions {
  /** File that problems name (none). */
  readonly file?: string;
  /** Line of a path in that file. */
  readonly locate?: Locate;
  /**
   * What is wrong with a text with `%OPERATORS%`: `checkValue` of the access log, given by the composition root. Left
   * out, such texts are not checked here.
   */
  readonly checkValue?: (text: string) => readonly string[];
}
