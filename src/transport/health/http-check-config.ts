import * as v from 'valibot';
import { authority, headerValue, token } from '../../core/config/schema/values.ts';

const rangeText = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

/** "200" or "200-299". */
const statusRange = v.pipe(
  v.union([v.pipe(v.number(), v.integer(), v.minValue(200), v.maxValue(599)), v.string()]),
  v.transform(String),
  v.check((text) => {
    const [from, to] = boundsOf(text);
    return from >= 200 && from <= to;
  }, 'a status such as 200 or a range such as "200-299", from 200 on'),
);

/** The head of the request that is sent; nothing in it can break out of its line. */
export const httpCheckConfig = v.strictObject({
  /** Path and query. */
  path: v.optional(
    v.pipe(v.string(), v.regex(/^\/[\u0021-\u007e]*$/, 'a path that begins with "/", without blanks')),
    '/',
  ),
  method: v.optional(v.picklist(['GET', 'HEAD', 'OPTIONS']), 'GET'),
  /** Authority of the request; "" = the endpoint's hostname, else the name of the cluster. */
  host: v.optional(v.union([authority, v.literal('')]), ''),
  /** Further headers by name. */
  headers: v.optional(v.record(token, headerValue), {}),
  /** Instead of the host's own port; 0 = that. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0),
  /** Statuses and ranges that mean "healthy". Any other says at once, without a threshold, that the host is not. */
  expectedStatuses: v.optional(v.pipe(v.array(statusRange), v.minLength(1)), ['200-299']),
  /** Statuses and ranges that count as one failure towards the threshold instead. */
  retriableStatuses: v.optional(v.array(statusRange), []),
});
export type HttpCheckConfig = v.InferOutput<typeof httpCheckConfig>;

/** One bit a status; 1 where it is in one of the ranges. */
export function statusSet(ranges: readonly string[]): Uint8Array {
  const set = new Uint8Array(1000);
  for (const range of ranges) {
    const [from, to] = boundsOf(range);
    set.fill(1, from, to + 1);
  }
  return set;
}

/** The whole request as bytes. */
export function requestOf(config: HttpCheckConfig, authority: string, keeps: boolean): Buffer {
  const given = Object.entries(config.headers).filter(([name]) => name.toLowerCase() !== 'host');
  const isNamed = given.some(([name]) => name.toLowerCase() === 'user-agent');
  const lines = [
    `${config.method} ${config.path} HTTP/1.1`,
    `host: ${fieldText(authority)}`,
    ...(isNamed ? [] : ['user-agent: heddle-health-check']),
    ...given.map(([name, value]) => `${name}: ${value}`),
    ...(keeps ? [] : ['connection: close']),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Hostnames come from registries: strangers. */
function fieldText(text: string): string {
  return text.replaceAll(/[^\u0021-\u007e]/g, '_');
}

function boundsOf(range: string): [from: number, to: number] {
  const match = rangeText.exec(range);
  if (match === null) return [0, -1];
  const from = Number(match[1]);
  return [from, match[2] === undefined ? from : Number(match[2])];
}
