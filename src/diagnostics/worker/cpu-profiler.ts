import type { InspectorSession, ProfileArtifact } from '../../core/contract/profile-kind.ts';
import { sharedNow } from '../hooks/heartbeat.ts';
import { forgetOptimised } from './optimised-code.ts';

export interface CpuSampling {
  /** Samples a second. */
  readonly hertz: number;
  readonly durationMs: number;
  /** Ends the sampling before its time. */
  readonly signal?: AbortSignal;
}

/** The start alone may use up the time that was asked for; a profile without samples helps nobody. */
const shortestMs = 100;

/**
 * One CPU profile over a session of its own. Loops that were optimised before the profiler started are charged to
 * their caller (V8 of Node 20 to 24); starting and stopping precise coverage throws that code away first (5 to 40 ms).
 * Coverage collected by a test runner would be lost with it, so it is left out under NODE_V8_COVERAGE.
 */
export async function sampleCpu(
  session: InspectorSession,
  sampling: CpuSampling,
): Promise<ProfileArtifact['data']> {
  const askedMs = nowMs();
  const interval = Math.round(1e6 / sampling.hertz);
  // All at once: inside a long native call the application looks at its inspector only now and then.
  await Promise.all([
    session.post('Profiler.enable'),
    session.post('Profiler.setSamplingInterval', { interval }),
    ...forgetOptimised(session),
    session.post('Profiler.start'),
  ]);
  const leastMs = Math.min(shortestMs, sampling.durationMs);
  await wait(Math.max(leastMs, sampling.durationMs - (nowMs() - askedMs)), sampling.signal);
  const { profile } = await session.post<{ profile: unknown }>('Profiler.stop');
  if (process.env['NODE_V8_COVERAGE'] === undefined) await session.post('Profiler.disable');
  return profile;
}

/** Resolves after the time or when the signal is raised, whichever comes first. */
export function wait(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal?.addEventListener('abort', end);
  });
}

/** Milliseconds since the epoch, on the scale of the shared state. */
export const nowMs = sharedNow;
