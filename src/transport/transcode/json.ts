/**
 * Values of RPC as JSON: dates in ISO 8601, bytes in base64, longs beyond 2^53 as strings of digits, maps as objects.
 *
 * @throws TypeError for values that contain themselves
 */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value ?? null, function replace(this: Record<string, unknown>, key, shown) {
    // A Buffer has shown itself in its own way already.
    const given = this[key];
    if (Buffer.isBuffer(given)) return given.toString('base64');
    if (typeof given === 'bigint') return given.toString();
    return given instanceof Map ? Object.fromEntries(given) : shown;
  });
}

/** How an exception or a refusal reads in JSON. */
export interface JsonError {
  readonly error: {
    readonly code: string;
    /** Java class of an exception. */
    readonly class?: string;
    /** The protocol's own status in words. */
    readonly status?: string;
    readonly message: string;
  };
}

/** The error in a JSON answer of ours, or of anybody who uses the same form; null: it has another. */
export function errorIn(value: unknown): { className: string; message: string } | null {
  const error = (value as Partial<JsonError> | null)?.error;
  if (typeof error !== 'object' || error === null || typeof error.class !== 'string') return null;
  return { className: error.class, message: typeof error.message === 'string' ? error.message : '' };
}

/** Undefined: it is no JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
