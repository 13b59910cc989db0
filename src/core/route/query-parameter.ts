/**
 * The first value of a query parameter of a request path, percent- and plus-decoded as HTML forms are (WHATWG URL
 * §5.1); null when absent, "" when it has no "=". Malformed escapes stay as they are.
 */
export function queryParameter(path: string, name: string): string | null {
  let at = path.indexOf('?') + 1;
  while (at > 0 && at <= path.length) {
    const next = path.indexOf('&', at);
    const end = next < 0 ? path.length : next;
    const equals = path.indexOf('=', at);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (decodeQueryText(path.slice(at, nameEnd)) === name)
      return nameEnd === end ? '' : decodeQueryText(path.slice(nameEnd + 1, end));
    if (next < 0) return null;
    at = next + 1;
  }
  return null;
}

/** Percent- and plus-decoded; malformed escapes stay as they are. */
export function decodeQueryText(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
