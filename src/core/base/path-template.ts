/** A path pattern in the meaning of Envoy's URI templates. */
export interface PathTemplate {
  /** The same in RE2 syntax, one group a name. */
  readonly regex: string;
  /** Names of the groups, in order. */
  readonly names: readonly string[];
}

const maxNames = 16;
const maxLength = 1024;
const literal = /^[A-Za-z0-9\-._~%!$&'()+,;:@=/]$/;
const nameSyntax = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;
const oneSegment = '[^/]+';
const anyRest = '.*';

/**
 * Reads a template. Operators are "*" (one or more characters other than "/"), "**" (anything, also nothing; the last
 * operator), {name} for {name=*} and {name=pattern} for a pattern that is captured; all else is taken as it stands.
 * @returns the template, or what is wrong with the text
 */
export function parsePathTemplate(text: string): PathTemplate | string {
  if (!text.startsWith('/')) return 'it begins with "/"';
  if (text.length > maxLength) return `at most ${maxLength} characters`;
  const reader = new TemplateReader();
  for (let at = 0; at < text.length; ) {
    if (text[at] === '{') {
      const end = text.indexOf('}', at);
      if (end < 0) return '"{" without "}"';
      const problem = reader.capture(text.slice(at + 1, end));
      if (problem !== null) return problem;
      at = end + 1;
      continue;
    }
    const length = text[at] === '*' ? (text[at + 1] === '*' ? 2 : 1) : 1;
    const problem = reader.plain(text.slice(at, at + length));
    if (problem !== null) return problem;
    at += length;
  }
  return { regex: reader.regex, names: reader.names };
}

class TemplateReader {
  regex = '';
  readonly names: string[] = [];
  #hasRest = false;

  /** A character, "*" or "**". @returns what is wrong with it, or null */
  plain(part: string): string | null {
    if (part === '*' || part === '**') {
      if (this.#hasRest) return '"**" is the last operator';
      this.#hasRest = part === '**';
      this.regex += part === '**' ? anyRest : oneSegment;
      return null;
    }
    if (!literal.test(part)) return `${JSON.stringify(part)} stands in a path percent-encoded`;
    this.regex += /[A-Za-z0-9/]/.test(part) ? part : `\\${part}`;
    return null;
  }

  /** What stands between braces. */
  capture(inside: string): string | null {
    const equals = inside.indexOf('=');
    const name = equals < 0 ? inside : inside.slice(0, equals);
    const pattern = equals < 0 ? '*' : inside.slice(equals + 1);
    if (!nameSyntax.test(name)) return `{${name}}: a name is a letter and up to 31 letters, digits and "_"`;
    if (this.names.includes(name)) return `{${name}} stands there twice`;
    if (this.names.length === maxNames) return `at most ${maxNames} names`;
    if (pattern === '') return `{${name}=}: nothing would match`;
    this.names.push(name);
    this.regex += '(';
    for (const part of pattern.match(/\*\*|./g) ?? []) {
      const problem = this.plain(part);
      if (problem !== null) return problem;
    }
    this.regex += ')';
    return null;
  }
}

/**
 * A text in which {name} stands for what a template captured.
 * @returns literal texts and positions in `names` in turn, or what is wrong with the text
 */
export function parseTemplateRewrite(
  text: string,
  names: readonly string[],
): readonly (string | number)[] | string {
  if (!text.startsWith('/')) return 'it begins with "/"';
  const parts: (string | number)[] = [];
  for (const part of text.match(/\{[^}]*\}?|[^{]+/g) ?? []) {
    if (part.startsWith('{')) {
      const index = names.indexOf(part.slice(1, -1));
      if (index < 0 || !part.endsWith('}'))
        return `${part} is none of the names that match.template captures`;
      parts.push(index);
    } else if (!/^[\w\-.~%!$&'()+,;:@=/]*$/.test(part)) return 'a path without blanks, "?", "#", "*" or "}"';
    else parts.push(part);
  }
  return parts;
}
