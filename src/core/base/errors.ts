import { type ErrorCode, type ErrorSource, errorCodes, type RetryAdvice } from './error-codes.ts';

const brand = Symbol.for('heddle.HeddleError');

export interface HeddleErrorOptions {
  /** Facts about this occurrence: plain data, never secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  readonly source?: ErrorSource;
  readonly retry?: RetryAdvice;
}

/**
 * The only error class that the public API throws. The message reads `[CODE] what happened: value — what to do`.
 * `source` says whose fault it is and `retry` whether sending again is safe (the model is pingora-error's).
 */
export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly retry: RetryAdvice;
  readonly context: Readonly<Record<string, unknown>>;

  /** @param detail the value or reason of this occurrence; the catalogue adds what happened and what to do. */
  constructor(code: ErrorCode, detail: string, options: HeddleErrorOptions = {}) {
    const known = errorCodes[code];
    const message = `[${code}] ${known.what}: ${detail} — ${known.solve}`;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.source = options.source ?? known.source;
    this.retry = options.retry ?? known.retry;
    this.context = options.context ?? {};
    Object.defineProperty(this, brand, { value: true });
  }

  /** Two copies of the package recognise each other's errors. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** Wraps whatever was thrown; a HeddleError passes through unchanged. */
  static from(thrown: unknown, code: ErrorCode, context: Record<string, unknown> = {}): HeddleError {
    if (thrown instanceof HeddleError) return thrown;
    return new HeddleError(code, messageOf(thrown), { cause: thrown, context });
  }
}

/** The text of anything that can be thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
