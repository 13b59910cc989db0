import type { HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';

/**
 * Fields that Connection may not take away: a client could otherwise hide from the next hop who it is, what it may do
 * or how the message is framed (the X-Forwarded-For and Authorization stripping attacks of 2022).
 */
const kept: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'authorization',
  'cookie',
  'set-cookie',
  'origin',
  'forwarded',
  'via',
  'date',
  'cache-control',
  'expect',
  'traceparent',
  'tracestate',
  'baggage',
]);
const keptPrefixes = [
  'x-forwarded-',
  'x-real-ip',
  'x-client-',
  'x-request-id',
  'x-heddle-',
  'x-envoy-',
  'x-b3-',
  'x-api-',
  'x-auth',
  'sec-',
] as const;

/** Removes the fields that Connection names (RFC 9110 §7.6.1), except those of `kept`. */
export function stripNominated(head: HeadView): void {
  for (const name of nominated(head)) {
    if (!kept.has(name) && !keptPrefixes.some((prefix) => name.startsWith(prefix))) head.remove(name);
  }
}

/** The scanner has removed Connection itself already; its bytes still stand there. */
function nominated(head: HeadView): Set<string> {
  const names = new Set<string>();
  for (let n = 0; n < head.count * 4; n += 4) {
    const start = head.fields[n] as number;
    if (start >= 0 || (head.fields[n + 1] as number) - ~start !== 10) continue;
    if (latin1(head.buf, ~start, head.fields[n + 1] as number).toLowerCase() !== 'connection') continue;
    const value = latin1(head.buf, head.fields[n + 2] as number, head.fields[n + 3] as number);
    for (const token of value.split(/[,\t ]+/)) if (token !== '') names.add(token.toLowerCase());
  }
  return names;
}
