import type { SignalSample } from '../../core/contract/signal.ts';

/**
 * What collections leave alive: `grows` after each of them, `flat` where it has stopped growing, `unknown` where too
 * few collections or samples have been seen.
 */
export interface HeapTrend {
  readonly state: 'grows' | 'flat' | 'unknown';
  /** Lowest level in the first and in the second half of the samples judged, bytes. */
  readonly fromBytes: number;
  readonly toBytes: number;
  /** How long the heap has been at about this level. */
  readonly spanMs: number;
  /** Major collections in that time. */
  readonly collections: number;
  /** Share of that time that the collector took, percent. */
  readonly collectorPercent: number;
}

/** From here on the collector, not the application, decides how fast things go. */
export const muchCollectorPercent = 30;

/** Samples below this share of the newest level belong to the rise before it. */
const sameLevel = 0.85;
const minSamples = 4;
const minCollections = 3;
/** A heap that rises evenly from 85 to 100 % rises by 7 % from one half of that time to the other. */
const growthRatio = 0.03;

/**
 * Judges the time since the heap came to about its present level. A heap that was filled in a moment and then stays
 * is flat, however steep that moment was; one that has crept there for minutes grows, however slow it is. Between
 * collections the heap holds garbage, so only the lowest level of each half counts.
 *
 * @param samples regular samples, oldest first.
 */
export function heapTrend(samples: readonly SignalSample[]): HeapTrend {
  const levels = samples.map(levelOf);
  const newest = levels.at(-1) ?? 0;
  let start = levels.length;
  while (start > 0 && (levels[start - 1] as number) >= newest * sameLevel) start--;
  // The first one is on the way up still.
  const span = samples.slice(start + 1);
  const own = levels.slice(start + 1);
  const half = own.length >> 1;
  const fromBytes = lowest(own.slice(0, half));
  const toBytes = lowest(own.slice(half));
  const count = (sample: SignalSample | undefined): number => sample?.values['majorGcCount'] ?? 0;
  const collections = count(span.at(-1)) - count(samples[start]);
  const spanMs = (span.at(-1)?.atMs ?? 0) - (samples[start]?.atMs ?? 0);
  const collectorPercent = collectorShare(samples[start], span) * 100;
  const facts = { fromBytes, toBytes, spanMs: Math.max(0, spanMs), collections, collectorPercent };
  if (own.length < minSamples || collections < minCollections) return { state: 'unknown', ...facts };
  return { state: toBytes > fromBytes * (1 + growthRatio) ? 'grows' : 'flat', ...facts };
}

/** From the total where there is one: a tick that is told of more than fits into it says 100 %. */
function collectorShare(before: SignalSample | undefined, span: readonly SignalSample[]): number {
  const last = span.at(-1);
  if (before === undefined || last === undefined) return 0;
  const [from, to] = [before.values['gcPauseMs'], last.values['gcPauseMs']];
  if (from !== undefined && to !== undefined)
    return Math.min(1, (to - from) / Math.max(1, last.atMs - before.atMs));
  const shares = span.map(({ values }) => (values['gcTimePercent'] ?? 0) / 100);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** What is told of the last collection may hold what was allocated right after it: the lower of the two is nearer. */
function levelOf({ values }: SignalSample): number {
  const used = values['heapUsedBytes'] ?? 0;
  return Math.min(used, values['heapAfterGcBytes'] ?? used);
}

const lowest = (levels: readonly number[]): number => Math.min(...levels);
