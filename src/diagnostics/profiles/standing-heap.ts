import type { InspectorSession } from '../../core/contract/profile-kind.ts';

/** The heap sampling that runs all the time. V8 has one sampler: who needs it for something else stops this meanwhile. */
export interface StandingHeap {
  /** 0 when heap sampling is off. */
  readonly intervalBytes: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** By the inspector: one stack per `intervalBytes` allocated, at most 0.2 % at 512 KB and 100 MB/s. */
export function inspectedHeap(session: InspectorSession, intervalBytes: number): StandingHeap {
  return {
    intervalBytes,
    start: async () => {
      await session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes });
    },
    stop: async () => {
      await session.post('HeapProfiler.stopSampling');
    },
  };
}

/** By a native sampler on the application's thread. */
export function nativeHeap(
  hook: (method: string, argument?: unknown) => Promise<unknown>,
  intervalBytes: number,
): StandingHeap {
  return {
    intervalBytes,
    start: async () => {
      await hook('startNativeHeap', intervalBytes);
    },
    stop: async () => {
      await hook('stopNativeHeap');
    },
  };
}
