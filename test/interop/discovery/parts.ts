import assert from 'node:assert/strict';
import { messageOf } from '../../../src/core/base/errors.ts';
import { runProgram } from '../../fixtures/run-program.ts';

/** A part of a check by what it shows; it may add a word to that. */
export type Part = readonly [what: string, run: () => Promise<string>];

/** One after the other; the first that fails is named. @returns what was shown */
export async function runParts(parts: readonly Part[]): Promise<string> {
  const done: string[] = [];
  for (const [what, run] of parts) {
    try {
      done.push(`${what}${await run()}`);
    } catch (thrown) {
      throw new Error(`${what}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }
  return done.join('; ');
}

/** Runs an example against a server. */
export async function exampleAnswers(
  file: string,
  env: Readonly<Record<string, string>>,
  line: RegExp,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram([`examples/${file}`], { env });
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
  assert.match(stdout, line);
  return '';
}
