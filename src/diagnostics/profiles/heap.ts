import type {
  InspectorSession,
  ProfileArtifact,
  ProfileKind,
  ProfileRequest,
  ProfileTarget,
} from '../../core/contract/profile-kind.ts';
import type { RawHeapProfile } from '../pprof/index.ts';
import { nowMs, wait } from '../worker/cpu-profiler.ts';
import { preventInlining } from '../worker/optimised-code.ts';
import type { KindContext } from './context.ts';
import type { StandingHeap } from './standing-heap.ts';

interface SamplingAnswer {
  readonly profile: unknown;
}

function artifact(target: ProfileTarget, kind: string, startMs: number, data: unknown): ProfileArtifact {
  return {
    kind,
    threadId: target.threadId,
    threadName: target.threadName,
    format: 'heapprofile',
    startMs,
    durationMs: nowMs() - startMs,
    data,
    window: 'during',
  };
}

/** What the artifact of kind `growth` holds. */
export interface HeapGrowth {
  readonly raw: RawHeapProfile;
  /** Samples after this ordinal are the growth. */
  readonly since: number;
}

/**
 * What is in use and who allocated it: read from the sampling that runs all the time (10 to 105 ms, one collection).
 * Where growth was suspected before, what was allocated since then and is still there comes as `growth`.
 */
export function heapKind(context: KindContext): ProfileKind {
  return {
    name: 'heap',
    description: 'heap in use by the stack that allocated it',
    deep: false,
    capture: async (target) => {
      if (context.standingHeap.intervalBytes === 0) return [];
      if (!context.isNative) return withGrowth(await readHeap(target), context.standingHeap);
      const startMs = nowMs();
      const data = await context.hook<string>('nativeHeap');
      return data ? [{ ...artifact(target, 'heap', startMs, data), format: 'pprof' }] : [];
    },
  };
}

function withGrowth(heap: ProfileArtifact, standing: StandingHeap): ProfileArtifact[] {
  const since = standing.markedOrdinal;
  standing.unmark();
  if (since === undefined) return [heap];
  const data: HeapGrowth = { raw: heap.data as RawHeapProfile, since };
  return [heap, { ...heap, kind: 'growth', format: 'heap-growth', data }];
}

/** By the inspector, whoever began the sampling: V8 has one sampler. */
export async function readHeap(target: ProfileTarget): Promise<ProfileArtifact> {
  const startMs = nowMs();
  const { profile } = await target.session.post<SamplingAnswer>('HeapProfiler.getSamplingProfile');
  return artifact(target, 'heap', startMs, profile);
}

/**
 * Everything allocated in the next seconds, also what is freed again. V8 has one sampler, so what was in use is read
 * first (the `heap` kind) and the standing sampling begins anew afterwards.
 */
export function allocationsKind(context: KindContext): ProfileKind {
  return {
    name: 'allocations',
    description: 'allocations of the next seconds by stack, freed ones included',
    deep: false,
    capture: async (target, request) => {
      const { session } = target;
      const startMs = nowMs();
      const { standingHeap } = context;
      if (standingHeap.intervalBytes > 0) await standingHeap.stop();
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: standingHeap.intervalBytes || 524_288,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
      const profile = await sampled(session, context, request);
      if (standingHeap.intervalBytes > 0) await standingHeap.start();
      return [artifact(target, 'allocations', startMs, profile)];
    },
  };
}

/** Ends the sampling after its time. */
async function sampled(
  session: InspectorSession,
  context: KindContext,
  { durationMs, signal }: ProfileRequest,
): Promise<unknown> {
  // A profile that charges some callers is better than none.
  const inline = await preventInlining(() => context.connect()).catch(() => async () => {});
  try {
    await wait(durationMs, signal);
    const { profile } = await session.post<SamplingAnswer>('HeapProfiler.stopSampling');
    return profile;
  } finally {
    await inline();
  }
}
