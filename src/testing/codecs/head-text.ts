import type { HeadView } from '../../core/base/head-view.ts';

const lineFeed = 10;
const maxFields = 100;

/**
 * Heads of the test codecs: a first line of words, then `name: value` lines, each ended by LF.
 *
 *   GET /a users\nx-one: 1\n        200\nx-two: 2\n        (trailers have an empty first line)
 */
export function writeHeadText(head: HeadView, words: readonly (string | number)[]): Buffer {
  let text = `${words.join(' ')}\n`;
  head.forEach((name, value) => {
    text += `${name}: ${value}\n`;
  });
  return Buffer.from(text, 'latin1');
}

/**
 * Reads fields and first line of `buf[start, end)` into `head`, as offsets.
 * @returns the words of the first line, or null when it is malformed
 */
export function readHeadText(head: HeadView, buf: Buffer, start: number, end: number): string[] | null {
  const firstEnd = buf.indexOf(lineFeed, start);
  if (firstEnd < 0 || firstEnd >= end) return null;
  head.buf = buf;
  head.start = start;
  head.firstEnd = firstEnd + 1;
  head.end = end;
  let at = firstEnd + 1;
  while (at < end) {
    const lineEnd = buf.indexOf(lineFeed, at);
    if (lineEnd < 0 || lineEnd >= end || head.count === maxFields) return null;
    const colon = buf.indexOf(58, at);
    if (colon <= at || colon + 2 > lineEnd || buf[colon + 1] !== 32) return null;
    head.fields.splice(head.count * 4, 4, at, colon, colon + 2, lineEnd);
    head.count++;
    at = lineEnd + 1;
  }
  return buf.toString('latin1', start, firstEnd).split(' ');
}

/** @returns false when the words are no request line */
export function readRequest(head: HeadView, buf: Buffer, start: number, end: number): boolean {
  const words = readHeadText(head, buf, start, end);
  if (words === null || words.length !== 3 || words.includes('')) return false;
  head.methodText = words[0] as string;
  head.pathText = words[1] as string;
  head.authorityText = words[2] as string;
  return true;
}

export function readResponse(head: HeadView, buf: Buffer, start: number, end: number): boolean {
  const words = readHeadText(head, buf, start, end);
  if (words === null || words.length !== 1 || !/^\d{3}$/.test(words[0] as string)) return false;
  head.status = Number(words[0]);
  return true;
}
