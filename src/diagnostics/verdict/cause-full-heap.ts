import { at, cause, type Evidence, type Finder, leading, megabytes, percent, summary } from './evidence.ts';
import { muchCollectorPercent } from './heap-trend.ts';
import type { Cause, ProfileSummary, TopFrame } from './verdict-types.ts';

/** A rise that has lasted so long is no heap that is being filled: it is why the collector has so much to do. */
const longRiseMs = 8_000;
/** Fewer percent of the limit, and growth is not what keeps the collector busy. */
const nearlyFullPercent = 60;
/** Of the application's own CPU time, the share that one function must have to be called the one that allocates. */
const clearShare = 0.3;

const leakAdvice = 'Look at who keeps what this function makes: a cache, list or closure without bound.';

/** A collector that takes the time. */
export const thrash: Finder = (evidence) => {
  if (evidence.trigger.signal !== 'gcTimePercent') return undefined;
  const { heapTrend, latest } = evidence;
  const guilty = leading(summary(evidence, 'heap'));
  const isNearlyFull = (latest['heapOfLimitPercent'] ?? 0) >= nearlyFullPercent;
  if (guilty !== undefined && isNearlyFull && heapTrend.state === 'grows' && heapTrend.spanMs >= longRiseMs) {
    const text = `The heap grows and is nearly full, so the collector takes ${Math.round(latest['gcTimePercent'] ?? 0)} % of the time; what stays alive is allocated in ${at(guilty)}.`;
    return cause('heap-leak', text, guilty, trendFacts(evidence), leakAdvice);
  }
  return thrashing(evidence);
};

/**
 * The heap is about to end: does it grow after each collection, or is it full of what the application keeps anyway?
 *
 * @param guilty who allocated most of what is alive.
 */
export function fullHeap(evidence: Evidence, guilty: TopFrame, facts: readonly string[]): Cause {
  const { heapTrend, trigger } = evidence;
  const more = [...facts, ...trendFacts(evidence)];
  if (heapTrend.state === 'grows') {
    const text = `The heap grows after each collection and is about to run out of memory; what stays alive is allocated in ${at(guilty)}.`;
    return cause('heap-leak', text, guilty, more, leakAdvice);
  }
  if (heapTrend.state === 'unknown') {
    const text = `The heap fills up and may run out of memory; what stays alive is allocated in ${at(guilty)}. Too few collections were seen to tell whether it would go on growing.`;
    return cause('heap-leak', text, guilty, more, leakAdvice, 'medium');
  }
  if (heapTrend.collectorPercent >= muchCollectorPercent) return thrashing(evidence, more);
  const text = `The heap is at ${Math.round(trigger.current)} % of its limit and has stopped growing; most of what is alive is allocated in ${at(guilty)}.`;
  return cause('memory-limit', text, guilty, more, 'Keep less alive, or give the heap more room.', 'medium');
}

/** Much garbage beside much that is alive. */
export function thrashing(evidence: Evidence, facts: readonly string[] = []): Cause {
  const { latest, heapTrend, trigger } = evidence;
  const share =
    trigger.signal === 'gcTimePercent' ? (latest['gcTimePercent'] ?? 0) : heapTrend.collectorPercent;
  const { guilty, fact } = allocator(evidence);
  const text = `The collector took ${Math.round(share)} % of the time; most memory is allocated by ${guilty ? at(guilty) : 'a place that could not be sampled'}.`;
  const more = [...(fact === '' ? [] : [fact]), ...(facts.length > 0 ? facts : trendFacts(evidence))];
  return cause(
    'gc-thrash',
    text,
    guilty,
    more,
    'Allocate less there, keep less alive, or give the heap more room.',
  );
}

/** Who makes the garbage: a profile of the heap in use does not show it, one of allocations or of CPU time does. */
function allocator(evidence: Evidence): { guilty: TopFrame | undefined; fact: string } {
  const allocations = leading(summary(evidence, 'allocations'));
  if (allocations !== undefined) {
    const fact = `${percent(allocations.share)} of the sampled allocations are in ${at(allocations)}`;
    return { guilty: allocations, fact };
  }
  const busiest = evidence.cpu && busiestOf(evidence.cpu);
  if (busiest !== undefined) {
    const fact = `${percent(busiest.share)} of the CPU time outside the collector is spent in ${at(busiest)}`;
    return { guilty: busiest, fact };
  }
  const guilty = leading(summary(evidence, 'heap'));
  return { guilty, fact: guilty ? `${percent(guilty.share)} of the sampled heap is of ${at(guilty)}` : '' };
}

function busiestOf({ functions, collectorShare }: ProfileSummary): TopFrame | undefined {
  const busiest = functions.find(({ place }) => place !== '');
  const share = (busiest?.share ?? 0) / Math.max(0.01, 1 - collectorShare);
  return busiest === undefined || share < clearShare ? undefined : { ...busiest, share: Math.min(1, share) };
}

function trendFacts({ heapTrend }: Evidence): string[] {
  const { state, fromBytes, toBytes, spanMs, collections } = heapTrend;
  if (state === 'unknown') return [];
  const seconds = (spanMs / 1000).toFixed(1);
  const levels = `${megabytes(fromBytes)} to ${megabytes(toBytes)}`;
  return [
    `in ${seconds} s and ${collections} collections what they leave alive went from ${levels}: it ${state === 'grows' ? 'grows' : 'does not grow'}`,
  ];
}
