import { HeddleError } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';

/** Stands for a `Secret` on its way between two threads of one process. */
const secretKey = '$heddle-secret';
const maxDepth = 100;

/**
 * A configuration as plain data that can cross a thread; secrets are packed, and `unpackValues` makes them again.
 *
 * @throws HeddleError ERR_WORKER_VALUE for functions, symbols and what refers to itself
 */
export function packValues(value: unknown, path = 'config', depth = 0): unknown {
  if (value instanceof Secret) return { [secretKey]: value.reveal() };
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new HeddleError('ERR_WORKER_VALUE', `${path} is a ${typeof value}`);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) throw new HeddleError('ERR_WORKER_VALUE', `${path} is nested too deeply`);
  if (Array.isArray(value)) return value.map((each, i) => packValues(each, `${path}[${i}]`, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return mapped(value as Record<string, unknown>, (each, key) =>
    packValues(each, `${path}.${key}`, depth + 1),
  );
}

/** What `packValues` packed. */
export function unpackValues(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unpackValues);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const record = value as Record<string, unknown>;
  if (typeof record[secretKey] === 'string') return new Secret(record[secretKey]);
  return mapped(record, unpackValues);
}

function mapped(
  record: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  const entries = Object.entries(record).map(([key, value]) => [key, change(value, key)] as const);
  return Object.fromEntries(entries);
}
