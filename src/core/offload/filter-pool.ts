import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { siblingUrl } from '../base/sibling.ts';
import type { FilterJob, PooledAnswer } from './filter-job.ts';
import { createOffload, type Offload } from './pool.ts';

/** An idle thread ends after this. */
const idleTimeoutMs = 10_000;

export interface FilterPoolOptions {
  readonly clock: Clock;
  /** From being handed over to the answer, the wait for a thread included. */
  readonly timeoutMs: number;
  readonly maxThreads: number;
  readonly maxQueue: number;
  readonly maxHeapMb: number;
}

/** Why a job has no answer. */
export type PoolFailure = 'timeout' | 'queue' | 'crash' | 'failed';

export class PoolError extends Error {
  readonly failure: PoolFailure;

  constructor(failure: PoolFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** The threads of one pooled filter: a job that takes too long, or too much memory, costs its thread and its own answer. */
export class FilterPool {
  readonly #options: FilterPoolOptions;
  readonly #offload: Offload<FilterJob, PooledAnswer | null>;
  #running = 0;

  constructor(options: FilterPoolOptions) {
    const { maxThreads, maxQueue, maxHeapMb } = options;
    this.#options = options;
    this.#offload = createOffload(siblingUrl('./pooled-filter.worker', import.meta.url), {
      maxThreads,
      maxQueue,
      maxHeapMb,
      idleTimeoutMs,
    });
  }

  /** @throws PoolError */
  async run(job: FilterJob): Promise<PooledAnswer | null> {
    const { clock, timeoutMs, maxThreads, maxQueue } = this.#options;
    // piscina's own bound does not count jobs that can be aborted.
    if (this.#running >= maxThreads + maxQueue) {
      throw new PoolError('queue', `${this.#running} messages are in its pool already`);
    }
    this.#running++;
    const abort = new AbortController();
    // The pool ends the thread of a job that is aborted: nothing else stops a loop that does not end.
    const timer = clock.setTimer(timeoutMs, () => abort.abort());
    try {
      return await this.#offload.run(job, abort.signal);
    } catch (thrown) {
      throw failureOf(thrown, abort.signal.aborted, timeoutMs);
    } finally {
      this.#running--;
      timer.cancel();
    }
  }

  close(): Promise<void> {
    return this.#offload.close();
  }
}

function failureOf(thrown: unknown, isLate: boolean, timeoutMs: number): PoolError {
  const text = messageOf(thrown);
  if (isLate) return new PoolError('timeout', `no answer within ${timeoutMs} ms`);
  const code = (thrown as { code?: unknown } | null)?.code;
  if (text.includes('queue is at limit') || text.includes('No task queue'))
    return new PoolError('queue', text);
  if (typeof code === 'string' && code.startsWith('ERR_WORKER'))
    return new PoolError('crash', `${code}: ${text}`);
  if (text.includes('stopped with exit code') || text.includes('worker exited'))
    return new PoolError('crash', text);
  return new PoolError('failed', text);
}
