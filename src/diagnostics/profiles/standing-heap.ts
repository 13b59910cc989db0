import type { InspectorSession } from '../../core/contract/profile-kind.ts';
import type { RawHeapProfile } from '../pprof/index.ts';
import { forgetOptimised } from '../worker/cpu-profiler.ts';
import type { KindContext } from './context.ts';

/** The heap sampling that runs all the time. V8 has one sampler: who needs it for something else stops this meanwhile. */
export interface StandingHeap {
  /** 0 when heap sampling is off. */
  readonly intervalBytes: number;
  /** The last sample before `mark` was called: those after it are what has grown since. Undefined without a mark. */
  readonly markedOrdinal: number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Growth is suspected: what is allocated from now on counts apart. A no-op where samples have no order. */
  mark(): Promise<void>;
  unmark(): void;
}

/** Stack frames kept of a sample, as by the native samplers; V8's own default is 128. */
const stackDepth = 64;

interface SamplingAnswer {
  readonly profile: RawHeapProfile;
}

/** By the inspector: one stack per `intervalBytes` allocated, at most 0.4 % of a core at 512 KB and 200 MB/s. */
export function inspectedHeap(
  session: InspectorSession,
  intervalBytes: number,
  connect: KindContext['connect'],
): StandingHeap {
  let marked: number | undefined;
  return {
    intervalBytes,
    get markedOrdinal() {
      return marked;
    },
    start: async () => {
      marked = undefined;
      await session.post('HeapProfiler.startSampling', { samplingInterval: intervalBytes, stackDepth });
    },
    stop: async () => {
      marked = undefined;
      await session.post('HeapProfiler.stopSampling');
    },
    mark: async () => {
      if (intervalBytes === 0) return;
      const { profile } = await session.post<SamplingAnswer>('HeapProfiler.getSamplingProfile');
      let last = 0;
      for (const { ordinal = 0 } of profile.samples ?? []) if (ordinal > last) last = ordinal;
      // The sampler does not see inlined functions. Code that is optimised anew shows them for a moment.
      await withoutOptimised(connect);
      marked = last;
    },
    unmark: () => {
      marked = undefined;
    },
  };
}

async function withoutOptimised(connect: KindContext['connect']): Promise<void> {
  const session = connect();
  try {
    await Promise.all([session.post('Profiler.enable'), ...forgetOptimised(session)]);
  } finally {
    session.disconnect();
  }
}

/** By a native sampler on the application's thread. */
export function nativeHeap(
  hook: (method: string, argument?: unknown) => Promise<unknown>,
  intervalBytes: number,
): StandingHeap {
  return {
    intervalBytes,
    markedOrdinal: undefined,
    start: async () => {
      await hook('startNativeHeap', intervalBytes);
    },
    stop: async () => {
      await hook('stopNativeHeap');
    },
    mark: async () => {},
    unmark: () => {},
  };
}
