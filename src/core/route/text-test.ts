import { compilePattern } from '../base/pattern.ts';
import type { HeaderMatchConfig } from '../contract/config.ts';

/** A condition on a text that may be missing. */
export interface TextTest {
  holds(value: string | null): boolean;
}

type TextMatch = Omit<Partial<HeaderMatchConfig>, 'name'>;

/** @throws HeddleError ERR_PATTERN_INVALID */
export function compileTextTest(config: TextMatch): TextTest {
  const isMatch = compileText(config);
  const invert = config.invert ?? false;
  const wanted = (config.present ?? true) !== invert;
  if (isMatch === null) return { holds: (value) => (value !== null) === wanted };
  return { holds: (value) => (value !== null && isMatch(value)) !== invert };
}

/** The test of a value, or null where only presence counts. */
function compileText(config: TextMatch): ((value: string) => boolean) | null {
  const { exact, prefix, suffix, contains, regex } = config;
  if (exact !== undefined) return (value) => value === exact;
  if (prefix !== undefined) return (value) => value.startsWith(prefix);
  if (suffix !== undefined) return (value) => value.endsWith(suffix);
  if (contains !== undefined) return (value) => value.includes(contains);
  if (regex === undefined) return null;
  const pattern = compilePattern(regex);
  return (value) => pattern.matches(value);
}
