import type { RouteMatchConfig } from '../contract/config.ts';

/** What of the path a prefix rewrite or redirect replaces: the matched prefix, or all of it when `length` is -1. */
export interface MatchedPrefix {
  readonly text: string;
  readonly length: number;
}

export function matchedPrefix(match: RouteMatchConfig): MatchedPrefix {
  const text = match.prefix ?? match.segmentPrefix;
  return text === undefined ? { text: '', length: -1 } : { text, length: text.length };
}

/**
 * Replaces the matched prefix of `path` (without query). Exactly one "/" stands where the two meet, whichever of them
 * brought it: "/api" -> "/" makes "/api/x" into "/x", "/" -> "/v1" makes "/x" into "/v1/x".
 * @returns null when the path does not begin with the prefix (a filter changed it after matching)
 */
export function replacePrefix(path: string, matched: MatchedPrefix, replacement: string): string | null {
  if (matched.length < 0) return replacement;
  if (!path.startsWith(matched.text)) {
    return `${path}/` === matched.text ? replacement : null;
  }
  const rest = path.slice(matched.length);
  const endsOpen = replacement.endsWith('/');
  if (endsOpen && rest.startsWith('/')) return replacement + rest.slice(1);
  if (!endsOpen && rest !== '' && !rest.startsWith('/') && matched.text.endsWith('/'))
    return `${replacement}/${rest}`;
  return replacement + rest;
}
