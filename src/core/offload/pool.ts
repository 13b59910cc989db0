import { Piscina } from 'piscina';

export interface OffloadOptions {
  /** @default 1 */
  readonly maxThreads?: number;
  /** Jobs that may wait; one more is refused. @default 32 */
  readonly maxQueue?: number;
  /** An idle thread ends after this long, so that an idle pool costs nothing. @default 1000 */
  readonly idleTimeoutMs?: number;
  /** Old-space limit of one thread. @default 512 */
  readonly maxHeapMb?: number;
}

/** CPU-heavy jobs off the event loop: a piscina pool that starts no thread before its first job. */
export interface Offload<Job, Result> {
  run(job: Job, signal?: AbortSignal): Promise<Result>;
  /** Threads of the pool that run now. */
  threadIds(): readonly number[];
  close(): Promise<void>;
}

/**
 * A pool that runs the default export of `workerUrl` (from `siblingUrl`) per job. A round trip costs 20 to 110 us:
 * for batches and heavy work, never per request. Rejects with piscina's own error when the queue is full.
 */
export function createOffload<Job, Result>(
  workerUrl: string,
  options: OffloadOptions = {},
): Offload<Job, Result> {
  let pool: Piscina<Job, Result> | undefined;
  let closed = false;
  const start = (): Piscina<Job, Result> =>
    new Piscina<Job, Result>({
      filename: workerUrl,
      minThreads: 0,
      maxThreads: options.maxThreads ?? 1,
      maxQueue: options.maxQueue ?? 32,
      idleTimeout: options.idleTimeoutMs ?? 1000,
      resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb ?? 512 },
      // The application's --inspect, --import and --cpu-prof are not meant for our threads.
      execArgv: [],
      recordTiming: false,
    });
  return {
    run: (job, signal) => {
      if (closed) return Promise.reject(new Error('the offload pool is closed'));
      pool ??= start();
      return pool.run(job, signal === undefined ? {} : { signal });
    },
    threadIds: () => pool?.threads.map((thread) => thread.threadId) ?? [],
    close: async () => {
      closed = true;
      await pool?.destroy();
      pool = undefined;
    },
  };
}
