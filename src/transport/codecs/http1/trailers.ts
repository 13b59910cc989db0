import type { HeadView } from '../../../core/base/head-view.ts';
import { latin1 } from '../../../core/base/latin1.ts';
import { scanFields } from './fields.ts';
import { type HeadLimits, Policy } from './limits.ts';
import { Refusal } from './refusals.ts';

/** A trailer that frames or routes could smuggle a request past whoever merges trailers into the head. */
const refused: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host']);
/** Fields that mean nothing or something dangerous after the body (RFC 9110 §6.5.1); they are dropped. */
const dropped: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'expires',
  'keep-alive',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'retry-after',
  'set-cookie',
  'te',
  'trailer',
  'upgrade',
  'vary',
  'warning',
  'www-authenticate',
]);

/**
 * Scans a trailer section up to its empty line into a clean head; `count` is 0 when nothing is left of it.
 * @returns the offset behind it, or a Refusal
 */
export function scanTrailers(
  trailers: HeadView,
  buf: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): number {
  trailers.buf = buf;
  trailers.start = trailers.firstEnd = start;
  trailers.lines = true;
  const flags = scanFields(trailers, buf, start, end, limits, Policy.trailers | Policy.allowObsText);
  if (flags < 0) return flags;
  if (trailers.end - start > limits.maxHeaderBytes) return Refusal.headersTooLarge;
  let live = 0;
  for (let n = 0; n < trailers.count * 4; n += 4) {
    const name = latin1(buf, trailers.fields[n] as number, trailers.fields[n + 1] as number).toLowerCase();
    if (refused.has(name)) return Refusal.trailer;
    if (dropped.has(name)) trailers.removeAt(n / 4);
    else live++;
  }
  if (live === 0) trailers.count = 0;
  return trailers.end;
}
