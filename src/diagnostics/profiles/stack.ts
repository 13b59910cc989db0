import type { ProfileKind } from '../../core/contract/profile-kind.ts';
import { nowMs, sampleCpu } from '../worker/cpu-profiler.ts';
import type { KindContext } from './context.ts';

const sampling = { hertz: 1000, durationMs: 100 };

/**
 * The stacks that run right now: 100 samples in a tenth of a second. Not `Debugger.pause`: a pause that falls into a
 * `Runtime.evaluate` of another session was seen to hang the application for good (Node 24), which no stack is worth.
 */
export function stackKind(context: KindContext): ProfileKind {
  return {
    name: 'stack',
    description: 'the stacks that run right now, 100 samples in a tenth of a second',
    deep: false,
    capture: async (target) => {
      const session = context.connect();
      const startMs = nowMs();
      try {
        const data = await sampleCpu(session, sampling);
        const { threadId, threadName } = target;
        const durationMs = nowMs() - startMs;
        const about = { threadId, threadName, startMs, durationMs } as const;
        return [{ kind: 'stall', ...about, format: 'cpuprofile', data, window: 'during' }];
      } finally {
        session.disconnect();
      }
    },
  };
}
