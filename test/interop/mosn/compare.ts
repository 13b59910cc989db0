import type { Answered } from './ask.ts';

/** Headers that belong to a connection or to the time of day. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'date',
  'x-seen',
]);

/** Where two answers to one request differ, as "what: MOSN's | ours"; "-" where one has nothing. */
export function differencesOf(mosn: Answered, ours: Answered): string[] {
  const found: string[] = [];
  const look = (what: string, theirs: unknown, own: unknown): void => {
    if (theirs !== own) found.push(`${what}: ${text(theirs)} | ${text(own)}`);
  };
  look('status', mosn.status, ours.status);
  look('upstream', mosn.seen?.upstream, ours.seen?.upstream);
  look('body', mosn.body, ours.body);
  lookAtHeaders('answer', mosn.headers, ours.headers, look);
  if (mosn.seen === null || ours.seen === null) return found;
  look('method upstream', mosn.seen.method, ours.seen.method);
  look('url upstream', mosn.seen.url, ours.seen.url);
  look('body upstream', mosn.seen.body, ours.seen.body);
  lookAtHeaders('upstream', mosn.seen.headers, ours.seen.headers, look);
  return found;
}

type Headers = Readonly<Record<string, string>>;

function lookAtHeaders(
  where: string,
  theirs: Headers,
  own: Headers,
  look: (what: string, theirs: unknown, own: unknown) => void,
): void {
  for (const name of [...new Set([...Object.keys(theirs), ...Object.keys(own)])].toSorted()) {
    if (hopHeaders.has(name)) continue;
    look(`${where} header ${name}`, list(theirs[name]), list(own[name]));
  }
}

/** A list with or without blanks behind its commas is the same list (RFC 9110 §5.6.1). */
const list = (value: string | undefined): string | undefined => value?.replace(/\s*,\s*/g, ',');

const text = (value: unknown): string => {
  const shown = value === undefined ? '-' : String(value);
  return shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
};
