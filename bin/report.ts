import { styleText } from 'node:util';
import { errorCodes, formatProblems, HeddleError, type Problem } from '../src/index.ts';

/** Documented in `heddle --help`; scripts may rely on them. */
export const exitCodes = {
  success: 0,
  'runtime failure, or differences (diff)': 1,
  'bad configuration or usage': 2,
  'lost calls (demo)': 3,
} as const;

/**
 * Prints what was thrown, without a stack where the reader can do nothing with it; returns the exit code.
 * @param isJson `{ error: { code, message, problems? } }` on stdout instead of text on stderr
 */
export function report(thrown: unknown, isJson = false): number {
  if (isCommanderExit(thrown)) return thrown.exitCode === 0 ? 0 : 2;
  if (!(thrown instanceof HeddleError)) {
    console.error(thrown);
    return 1;
  }
  if (isJson) console.log(JSON.stringify({ error: plainError(thrown) }));
  else console.error(styleText('red', errorBlock(thrown)));
  return thrown.source === 'config' || thrown.code === 'ERR_OPTION_INVALID' ? 2 : 1;
}

function problemsOf({ context }: HeddleError): readonly Problem[] {
  const problems: unknown = context['problems'];
  // The monitor's are sentences, and its message holds them already.
  const isList = Array.isArray(problems) && problems.every((problem) => typeof problem === 'object');
  return isList ? (problems as Problem[]) : [];
}

function plainError(error: HeddleError): object {
  const problems = problemsOf(error);
  if (problems.length === 0) return { code: error.code, message: error.message };
  return { code: error.code, message: errorCodes[error.code].what, problems };
}

/** Problems one a line between what happened and what to do. */
function errorBlock(error: HeddleError): string {
  const problems = problemsOf(error);
  if (problems.length === 0) return error.message;
  const { what, solve } = errorCodes[error.code];
  return `[${error.code}] ${what}:\n${formatProblems(problems).replace(/^/gm, '  ')}\n${solve}`;
}

/** Commander has printed its own message by then. */
function isCommanderExit(thrown: unknown): thrown is { exitCode: number } {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('commander.');
}
