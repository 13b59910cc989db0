import { Secret } from '../base/secret.ts';
import { rawOf } from './raw-config.ts';

/** Whether a value is made of JSON's types, `undefined` and secrets only. */
export function isPlainData(value: unknown): boolean {
  if (value === null || value === undefined || value instanceof Secret) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean';
  if (Array.isArray(value)) return value.every(isPlainData);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  return Object.values(value).every(isPlainData);
}

/**
 * JSON with sorted keys and without undefined: equal text means equal configuration. Secrets are in it as a digest-free
 * plain text, so it is for comparing only, never for printing.
 */
export function canonicalJson(value: unknown): string {
  if (value instanceof Secret) return `secret:${JSON.stringify(value.reveal())}`;
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const item = rawOf(value, key);
    if (item !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(item)}`);
  }
  return `{${parts.join(',')}}`;
}
