const special = /[\\^$.|?*+()[\]{}]/;

/**
 * The characters that every match of an anchored RE2 pattern begins with; "" when none are certain. With it a regex
 * route is a prefix in the trie, so that the engine runs only for paths that can match.
 */
export function literalPrefix(pattern: string): string {
  let literal = '';
  let at = pattern.startsWith('^') ? 1 : 0;
  for (; at < pattern.length; at++) {
    let char = pattern[at] as string;
    if (char === '\\') {
      // An escaped punctuation character is itself; \d, \pL, \x41, \Q and the like are not read here.
      char = pattern[++at] ?? '';
      if (!/^[!-/:-@[-`{-~]$/.test(char)) break;
    } else if (special.test(char)) break;
    if (char > '\u007e') break;
    literal += char;
  }
  const stop = pattern[at];
  if (hasAlternative(pattern)) return '';
  // A quantifier that allows zero takes the character before it away.
  return stop === '?' || stop === '*' || stop === '{' ? literal.slice(0, -1) : literal;
}

/** Whether a "|" stands outside all groups; errs on the side of true. */
function hasAlternative(pattern: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '\\') {
      if (pattern[i + 1] === 'Q') return true;
      i++;
    } else if (inClass) inClass = char !== ']';
    else if (char === '[') {
      inClass = true;
      // A "]" right after the bracket is a member of the class.
      if (pattern[i + 1] === '^') i++;
      if (pattern[i + 1] === ']') i++;
    } else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}
