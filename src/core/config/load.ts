import { type CheckResult, checkConfig } from './check.ts';
import type { CheckOptions } from './check-options.ts';
import type { ExtensionSet } from './extensions.ts';
import { readConfigText } from './read-text.ts';

export interface TextSource {
  /** What problems call the text. */
  readonly path: string;
  /** @default by the name: json for "*.json", else yaml (which JSON is, too) */
  readonly format?: 'yaml' | 'json';
}

/** Reads YAML or JSON and checks it (`checkConfig`). Problems name file and line; none is thrown. */
export function loadConfigText(
  text: string,
  source: TextSource,
  extensions: ExtensionSet,
  options: Omit<CheckOptions, 'file' | 'locate'> = {},
): CheckResult {
  const { path } = source;
  const format = source.format ?? (path.toLowerCase().endsWith('.json') ? 'json' : 'yaml');
  const { value, locate, problems } = readConfigText(text, path, format);
  // A text that could not be read is no configuration, and an empty one is a configuration with defaults only.
  if (value === undefined) return { config: null, problems };
  const result = checkConfig(value ?? {}, extensions, { ...options, file: path, locate });
  return problems.length === 0 ? result : { config: null, problems: [...problems, ...result.problems] };
}
