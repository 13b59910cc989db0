import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureJob } from '../captures/job.ts';
import { type HeapTrend, heapTrend, muchCollectorPercent } from '../verdict/heap-trend.ts';

/** A process that has lived so long after the end of its heap was seen coming, without a sign, gives none. */
const patienceMs = 20_000;

/** What a second page needs that the first one knew. */
export interface FirstLook {
  readonly job: CaptureJob;
  /** Below this the heap has been freed: there is nothing left to explain. */
  readonly freedBelowBytes: number;
}

/** What the samples say of the heap, as far as it changes the page. */
type Told = HeapTrend['state'] | 'thrash';

/**
 * A heap that is about to end is captured at once, while nobody can tell a leak from one that is merely being filled.
 * Where the process lives on, the samples of the next seconds tell; the evidence is then judged again with them, and
 * once more if the collector takes over later. The application, which has trouble enough, is not asked for anything.
 */
export class SecondLook {
  #first: FirstLook | undefined;
  #told: Told = 'unknown';

  watch(first: FirstLook): void {
    this.#told = tellOf(first.job.samples);
    this.#first = this.#told === 'unknown' ? first : undefined;
  }

  /** The job for the next page once the samples tell; call it with each new one. */
  due(samples: readonly SignalSample[]): CaptureJob | undefined {
    const newest = samples.at(-1);
    if (this.#first === undefined || newest === undefined) return undefined;
    const { job, freedBelowBytes } = this.#first;
    const sinceMs = newest.atMs - job.trigger.atMs;
    const isFreed = (newest.values['heapAfterGcBytes'] ?? freedBelowBytes) < freedBelowBytes;
    if (isFreed || sinceMs > patienceMs) this.#first = undefined;
    const told = tellOf(samples);
    const isNews = this.#told === 'unknown' ? told !== 'unknown' : told === 'thrash';
    if (this.#first === undefined || !isNews) return undefined;
    this.#told = told;
    if (told === 'thrash') this.#first = undefined;
    return nextJob(job, samples, newest, sinceMs);
  }
}

function tellOf(samples: readonly SignalSample[]): Told {
  const { state, collectorPercent } = heapTrend(samples);
  return state === 'flat' && collectorPercent >= muchCollectorPercent ? 'thrash' : state;
}

function nextJob(
  job: CaptureJob,
  samples: readonly SignalSample[],
  { atMs, values }: SignalSample,
  sinceMs: number,
): CaptureJob {
  const trigger = {
    ...job.trigger,
    reason: `${job.trigger.reason}; looked at again ${(sinceMs / 1000).toFixed(1)} s later`,
    current: values[job.trigger.signal] ?? job.trigger.current,
    atMs,
  };
  return { ...job, trigger, samples, startMs: atMs, endMs: atMs };
}
