import { Secret } from '../base/secret.ts';
import type { EffectiveConfig } from '../contract/config.ts';
import type { MeshConfig } from './input.ts';
import { rawOf } from './raw-config.ts';

export interface DumpOptions {
  /**
   * What becomes of secrets: `redact` puts "[redacted]" in their place, for people; `reveal` keeps them, for a file
   * that is to run again.
   * @default 'redact'
   */
  readonly secrets?: 'redact' | 'reveal';
}

/**
 * The effective configuration as plain data that may be written as JSON or YAML. Loading it gives the same effective
 * configuration, but for secrets that were redacted.
 */
export function dumpConfig(config: EffectiveConfig, options: DumpOptions = {}): MeshConfig {
  return plain(config, options.secrets === 'reveal') as MeshConfig;
}

/** A part of a configuration with its secrets as texts, for whoever needs them. */
export const revealed = (part: object): unknown => plain(part, true);

function plain(value: unknown, reveals: boolean): unknown {
  if (value instanceof Secret) return reveals ? value.reveal() : value.toJSON();
  if (Array.isArray(value)) return value.map((item) => plain(item ?? null, reveals));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = plain(rawOf(value, key), reveals);
    if (item !== undefined) copy[key] = item;
  }
  return copy;
}
