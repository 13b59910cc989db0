import type {
  InspectorSession,
  ProfileArtifact,
  ProfileKind,
  ProfileRequest,
} from '../../core/contract/profile-kind.ts';
import { nowMs, sampleCpu, wait } from '../worker/cpu-profiler.ts';
import { forgetOptimised } from '../worker/optimised-code.ts';
import type { KindContext } from './context.ts';

/** On-CPU and wall time of the main thread and of every worker thread, each on its own. */
export function cpuKind(context: KindContext): ProfileKind {
  return {
    name: 'cpu',
    description: 'where the threads spend their time, sampled for a few seconds',
    deep: false,
    capture: async (_target, request) => {
      const main = context.connect();
      try {
        const [mainArtifact, workers] = await Promise.all([
          context.isNative
            ? sampleNative(main, context, request)
            : sampleThread(main, 0, 'main', context.hertz, request),
          context.siblings((threads) =>
            Promise.allSettled(
              threads.map(({ session, threadId, threadName }) =>
                sampleThread(session, threadId, threadName, context.hertz, request),
              ),
            ),
          ),
        ]);
        const fulfilled = workers
          .filter((result) => result.status === 'fulfilled')
          .map((result) => result.value);
        return [mainArtifact, ...fulfilled];
      } finally {
        main.disconnect();
      }
    },
  };
}

async function sampleThread(
  session: InspectorSession,
  threadId: number,
  threadName: string,
  hertz: number,
  request: ProfileRequest,
): Promise<ProfileArtifact> {
  const startMs = nowMs();
  const { durationMs, signal } = request;
  const data = await sampleCpu(session, { hertz, durationMs, ...(signal && { signal }) });
  return {
    kind: 'cpu',
    threadId,
    threadName,
    format: 'cpuprofile',
    startMs,
    durationMs: nowMs() - startMs,
    data,
    window: 'during',
  };
}

/** The main thread by its native sampler; started and stopped by hooks, so that it may stand still. */
async function sampleNative(
  main: InspectorSession,
  context: KindContext,
  request: ProfileRequest,
): Promise<ProfileArtifact> {
  const startMs = nowMs();
  await Promise.all([main.post('Profiler.enable'), ...forgetOptimised(main)]);
  await context.hook('startNativeCpu', { hertz: context.hertz, kind: 'cpu' });
  await wait(request.durationMs, request.signal);
  const data = await context.hook<string>('stopNativeCpu');
  const durationMs = nowMs() - startMs;
  const about = { kind: 'cpu', threadId: 0, threadName: 'main', window: 'during' } as const;
  return { ...about, format: 'pprof', startMs, durationMs, data };
}

/** The flight recorder's windows: the time before now. */
export function beforeKind(context: KindContext): ProfileKind {
  return {
    name: 'before',
    description: 'the last minute of CPU time, kept by the flight recorder',
    deep: false,
    capture: async () => (await context.recorder?.take()) ?? [],
  };
}
