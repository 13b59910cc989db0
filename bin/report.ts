import { styleText } from 'node:util';
import { HeddleError } from '../src/index.ts';

/** Documented in `heddle --help`; scripts may rely on them. */
export const exitCodes = {
  success: 0,
  'runtime failure, or differences (diff)': 1,
  'bad configuration or usage': 2,
  'lost calls (demo)': 3,
} as const;

/** Prints what was thrown, without a stack where the reader can do nothing with it; returns the exit code. */
export function report(thrown: unknown): number {
  if (isCommanderExit(thrown)) return thrown.exitCode === 0 ? 0 : 2;
  if (thrown instanceof HeddleError) {
    console.error(styleText('red', thrown.message));
    return thrown.source === 'config' || thrown.code === 'ERR_OPTION_INVALID' ? 2 : 1;
  }
  console.error(thrown);
  return 1;
}

/** Commander has printed its own message by then. */
function isCommanderExit(thrown: unknown): thrown is { exitCode: number } {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('commander.');
}
