import { HeddleError } from '../base/errors.ts';
import { parseTemplateRewrite } from '../base/path-template.ts';
import { compilePattern, parseSubstitution } from '../base/pattern.ts';
import type { RewriteConfig, RouteMatchConfig } from '../contract/config.ts';
import type { Rewrite } from '../contract/route.ts';
import type { Stream } from '../contract/stream.ts';
import type { PathMatch } from './path-match.ts';
import { splitQuery } from './path-text.ts';
import { matchedPrefix, replacePrefix } from './rewrite.ts';

/** From the path without its query to the new one; null: it stays. */
type RewritePath = (path: string) => string | null;

/** @throws HeddleError ERR_PATTERN_INVALID */
export function compileRewrite(
  config: RewriteConfig | undefined,
  match: RouteMatchConfig,
  matched: PathMatch,
): Rewrite | null {
  if (config === undefined) return null;
  const rewritePath = compilePathRewrite(config, match, matched);
  return {
    path(s) {
      if (rewritePath === null) return null;
      const [before, query] = splitQuery(s.req.path);
      const changed = rewritePath(before);
      return changed === null ? null : changed + query;
    },
    authority: compileAuthority(config),
    usesEndpoint: config.hostFromEndpoint ?? false,
  };
}

function compilePathRewrite(
  config: RewriteConfig,
  match: RouteMatchConfig,
  matched: PathMatch,
): RewritePath | null {
  const { path, prefix, regex, template } = config;
  if (path !== undefined) return () => path;
  if (prefix !== undefined) {
    const part = matchedPrefix(match);
    return (before) => replacePrefix(before, part, prefix);
  }
  if (regex !== undefined) {
    const pattern = compilePattern(regex.pattern);
    const substitution = partsOf(parseSubstitution(regex.substitution, pattern.groupCount));
    return (before) => inPathForm(pattern.replace(before, substitution));
  }
  if (template === undefined) return null;
  const parts = partsOf(parseTemplateRewrite(template, matched.names));
  return (before) => {
    // A filter may have changed the path since it matched.
    const captured = matched.pattern?.capture(before) ?? null;
    if (captured === null) return null;
    return parts.map((part) => (typeof part === 'string' ? part : captured[part])).join('');
  };
}

function partsOf<T>(parsed: T | string): T {
  if (typeof parsed === 'string') throw new HeddleError('ERR_PATTERN_INVALID', parsed);
  return parsed;
}

/** A replacement may eat the slash that a path begins with, or put in what ends a request line. */
function inPathForm(path: string): string {
  const safe = path.replace(/[^!"$->@-~\u0080-\u00ff]/g, (char) => encodeURIComponent(char));
  return safe.startsWith('/') ? safe : `/${safe}`;
}

const authorityForm = /^(\[[0-9a-fA-F:.]+\]|[\w.-]{1,253})(:\d{1,5})?$/;

function compileAuthority(config: RewriteConfig): (s: Stream) => string | null {
  const { host = null, hostFromHeader } = config;
  if (hostFromHeader === undefined) return () => host;
  const lowerName = hostFromHeader.toLowerCase();
  return (s) => {
    const value = s.req.get(lowerName);
    return value !== null && authorityForm.test(value) ? value : null;
  };
}
