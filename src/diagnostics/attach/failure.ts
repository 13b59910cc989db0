import { type ErrorCode, errorCodes } from '../../core/base/error-codes.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';

/** An error on its way to another process, where a `HeddleError` is made of it again. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof HeddleError)) return { code: 'ERR_ATTACH_FAILED', detail: messageOf(thrown) };
  // The message is rebuilt at the other end from code and detail.
  const { what, solve } = errorCodes[thrown.code];
  const detail = thrown.message.replace(`[${thrown.code}] ${what}: `, '').replace(` — ${solve}`, '');
  return { code: thrown.code, detail };
}
