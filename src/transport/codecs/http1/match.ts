import { tokenByte } from '../../../core/base/header-field.ts';
import { Match } from '../../../core/contract/codec.ts';

const longestMethod = 20;
/** The connection preface of HTTP/2 looks like a request of the method PRI (RFC 9113 §3.4). */
const preface = 'PRI * HTTP/2';

/** An upper-case method, a space and the beginning of a target. */
export function match(buf: Buffer, start: number, end: number): Match {
  let at = start;
  while (at < end && at - start < 2 && (buf[at] === 13 || buf[at] === 10)) at++;
  const first = at;
  while (at < end && at - first <= longestMethod && isMethodByte(buf[at] as number)) at++;
  if (at === end) return at - first > longestMethod ? Match.no : Match.more;
  if (at === first || buf[at] !== 32 || at - first > longestMethod) return Match.no;
  if (at + 1 === end) return Match.more;
  const target = buf[at + 1] as number;
  if (target <= 32 || target >= 127) return Match.no;
  return matchPreface(buf, first, end);
}

function isMethodByte(byte: number): boolean {
  return tokenByte[byte] === 1 && (byte < 97 || byte > 122);
}

function matchPreface(buf: Buffer, start: number, end: number): Match {
  for (let i = 0; i < preface.length; i++) {
    if (start + i === end) return Match.more;
    if (buf[start + i] !== preface.charCodeAt(i)) return Match.yes;
  }
  return Match.no;
}
