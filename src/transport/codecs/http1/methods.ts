import { latin1 } from '../../../core/base/latin1.ts';

/** RFC 9110 §9.3 and PATCH: made once, so that a request costs no method string and `===` compares pointers. */
const standard = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'TRACE', 'DELETE', 'OPTIONS', 'CONNECT'] as const;

/** Candidates by length; at most two share length and first letter. */
const byLength: readonly (readonly string[])[] = Array.from({ length: 8 }, (_, length) =>
  standard.filter((name) => name.length === length),
);
const standardNames: ReadonlySet<string> = new Set(standard);

/**
 * The method as a string, shared for the standard ones; "" when it is a standard name in other case: methods are
 * case-sensitive, so `get` is an unknown method that servers behind us might take for GET.
 */
export function internMethod(buf: Buffer, start: number, end: number): string {
  for (const name of byLength[end - start] ?? []) if (isSame(buf, start, name)) return name;
  const text = latin1(buf, start, end);
  return standardNames.has(text.toUpperCase()) ? '' : text;
}

function isSame(buf: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (buf[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
