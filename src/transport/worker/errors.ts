import {
  type ErrorCode,
  type ErrorSource,
  errorCodes,
  type RetryAdvice,
} from '../../core/base/error-codes.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';

/** An error as plain data. */
export interface PackedError {
  readonly code: string;
  /** What the catalogue does not say. */
  readonly detail: string;
  readonly source: ErrorSource;
  readonly retry: RetryAdvice;
  readonly context: unknown;
  readonly cause: { readonly message: string; readonly code: unknown } | null;
}

/** Anything that can be thrown, ready to cross a thread. */
export function packError(thrown: unknown): PackedError {
  const error = HeddleError.from(thrown, 'ERR_BUG');
  const { code, message, source, retry, context, cause } = error;
  const known = errorCodes[code];
  const start = `[${code}] ${known.what}: `.length;
  const end = message.length - ` — ${known.solve}`.length;
  return {
    code,
    detail: message.slice(start, end),
    source,
    retry,
    context: plainContext(context),
    cause:
      cause === undefined
        ? null
        : { message: messageOf(cause), code: (cause as { code?: unknown } | null)?.code },
  };
}

/** The same error on this side: code, message, source, retry and context; of its cause message and code. */
export function unpackError(packed: PackedError): HeddleError {
  const { source, retry, cause } = packed;
  const context = packed.context as Record<string, unknown>;
  const options = { source, retry, context };
  const code = packed.code as ErrorCode;
  if (cause === null) return new HeddleError(code, packed.detail, options);
  const rebuilt = Object.assign(
    new Error(cause.message),
    cause.code === undefined ? {} : { code: cause.code },
  );
  return new HeddleError(code, packed.detail, { ...options, cause: rebuilt });
}

/** What cannot be copied is left out. */
function plainContext(context: Readonly<Record<string, unknown>>): unknown {
  try {
    return structuredClone(context);
  } catch {
    return {};
  }
}
