import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureJob } from '../captures/job.ts';
import { heapTrend } from '../verdict/heap-trend.ts';

/** A process that has lived so long after the end of its heap was seen coming, without a sign, gives none. */
const patienceMs = 20_000;

/** What a second page needs that the first one knew. */
export interface FirstLook {
  readonly job: CaptureJob;
  /** Below this the heap has been freed: there is nothing left to explain. */
  readonly freedBelowBytes: number;
}

/**
 * A heap that is about to end is captured at once, while nobody can tell a leak from one that is merely being filled.
 * Where the process lives on, the samples of the next seconds tell; the evidence is then judged again with them. The
 * application, which has trouble enough, is not asked for anything.
 */
export class SecondLook {
  #first: FirstLook | undefined;

  watch(first: FirstLook): void {
    this.#first = heapTrend(first.job.samples).state === 'unknown' ? first : undefined;
  }

  /** The job for the second page once the samples tell; call it with each new one. */
  due(samples: readonly SignalSample[]): CaptureJob | undefined {
    const newest = samples.at(-1);
    if (this.#first === undefined || newest === undefined) return undefined;
    const { job, freedBelowBytes } = this.#first;
    const { atMs, values } = newest;
    const sinceMs = atMs - job.trigger.atMs;
    const isFreed = (values['heapAfterGcBytes'] ?? freedBelowBytes) < freedBelowBytes;
    if (isFreed || sinceMs > patienceMs) this.#first = undefined;
    if (this.#first === undefined || heapTrend(samples).state === 'unknown') return undefined;
    this.#first = undefined;
    const trigger = {
      ...job.trigger,
      reason: `${job.trigger.reason}; looked at again ${(sinceMs / 1000).toFixed(1)} s later`,
      current: values[job.trigger.signal] ?? job.trigger.current,
      atMs,
    };
    return { ...job, trigger, samples, startMs: atMs, endMs: atMs };
  }
}
