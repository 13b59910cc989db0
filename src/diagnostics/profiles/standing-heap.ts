import type { InspectorSession } from '../../core/contract/profile-kind.ts';
import type { RawHeapProfile } from '../pprof/index.ts';
import { preventInlining } from '../worker/optimised-code.ts';
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

/** A suspicion is confirmed or refuted by then; functions are inlined again. */
const observedMs = 4000;

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
  let inline = async (): Promise<void> => {};
  let timer: NodeJS.Timeout | undefined;
  const endObservation = async (): Promise<void> => {
    clearTimeout(timer);
    const end = inline;
    inline = async () => {};
    await end();
  };
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
      await endObservation();
      await session.post('HeapProfiler.stopSampling');
    },
    mark: async () => {
      if (intervalBytes === 0) return;
      const { profile } = await session.post<SamplingAnswer>('HeapProfiler.getSamplingProfile');
      let last = 0;
      for (const { ordinal = 0 } of profile.samples ?? []) if (ordinal > last) last = ordinal;
      await endObservation();
      inline = await preventInlining(connect);
      timer = setTimeout(() => void endObservation(), observedMs);
      timer.unref();
      marked = last;
    },
    unmark: () => {
      marked = undefined;
      void endObservation();
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
