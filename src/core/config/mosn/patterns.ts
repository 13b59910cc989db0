/** MOSN's patterns match anywhere in a text, native ones all of it: the same pattern in the other manner. */
export function wholePattern(pattern: string): string {
  // With an alternative on the outer level an anchor belongs to one branch only.
  if (pattern.includes('|')) return `(?s:.*)(?:${pattern})(?s:.*)`;
  const begins = pattern.startsWith('^');
  const ends = /(^|[^\\])(\\\\)*\$$/.test(pattern);
  const inner = pattern.slice(begins ? 1 : 0, ends ? -1 : undefined);
  return `${begins ? '' : '(?s:.*)'}${inner}${ends ? '' : '(?s:.*)'}`;
}

/** A pattern that matches this text only. */
export function quotePattern(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

/** A replacement of Go's ("$1", "${1}", "$$") in the form of RE2 ("\\1"); null where it names a group by a word. */
export function re2Substitution(text: string): string | null {
  let isSayable = true;
  const made = text.replace(
    /\\|\$(?:(\$)|\{(\w+)\}|(\w+))?/g,
    (all, dollar: string, braced: string, bare: string) => {
      if (all === '\\') return '\\\\';
      const group = braced ?? bare;
      if (group === undefined) return dollar ?? all;
      if (!/^\d$/.test(group)) isSayable = false;
      return `\\${group}`;
    },
  );
  return isSayable ? made : null;
}
