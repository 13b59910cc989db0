import { HeddleError } from '../base/errors.ts';
import { type PathTemplate, parsePathTemplate } from '../base/path-template.ts';
import { compilePattern, type Pattern } from '../base/pattern.ts';
import type { RouteMatchConfig } from '../contract/config.ts';
import { literalPrefix } from './literal-prefix.ts';
import type { LiteralKind } from './path-trie.ts';

/** What of a route's match is about the path: a literal for the trie, and a pattern where that is not all. */
export interface PathMatch {
  readonly kind: LiteralKind;
  /** Path bytes as characters U+0000 to U+00FF, in lower case when `ignoresCase`. */
  readonly literal: string;
  readonly ignoresCase: boolean;
  readonly pattern: Pattern | null;
  /** Names of the pattern's groups, of a template. */
  readonly names: readonly string[];
}

/** @throws HeddleError ERR_PATTERN_INVALID */
export function compilePath(match: RouteMatchConfig): PathMatch {
  const ignoresCase = !match.caseSensitive;
  const literal = (kind: LiteralKind, text: string): PathMatch => ({
    kind,
    literal: bytesOf(ignoresCase ? lowerAscii(text) : text),
    ignoresCase,
    pattern: null,
    names: [],
  });
  if (match.path !== undefined) return literal('exact', match.path);
  if (match.segmentPrefix !== undefined) return literal('segment', match.segmentPrefix.replace(/\/$/, ''));
  const template = match.template === undefined ? null : readTemplate(match.template);
  const regex = template?.regex ?? match.regex;
  if (regex === undefined) {
    // "/" is every path: "*" of OPTIONS and the authority of CONNECT, too.
    return literal('prefix', match.prefix === undefined || match.prefix === '/' ? '' : match.prefix);
  }
  const pattern = compilePattern(ignoresCase ? `(?i)${regex}` : regex);
  return { ...literal('prefix', literalPrefix(regex)), pattern, names: template?.names ?? [] };
}

function readTemplate(text: string): PathTemplate {
  const template = parsePathTemplate(text);
  if (typeof template === 'string') throw new HeddleError('ERR_PATTERN_INVALID', `${text}: ${template}`);
  return template;
}

const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** A path from a file may hold characters that travel as several UTF-8 bytes. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
