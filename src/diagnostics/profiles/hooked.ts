import type { ProfileArtifact, ProfileKind, ProfileTarget } from '../../core/contract/profile-kind.ts';
import type { InFlightGroup } from '../hooks/in-flight.ts';
import type { PendingStreamGroup } from '../hooks/streams.ts';
import { ProfileBuilder, syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile } from '../profile-model.ts';
import { nowMs, wait } from '../worker/cpu-profiler.ts';
import type { KindContext } from './context.ts';

/** An observation that has run so long needs no further waiting. */
const preparedMs = 1500;

const modelArtifact = (
  target: ProfileTarget,
  kind: string,
  startMs: number,
  data: Profile,
): ProfileArtifact => ({
  kind,
  threadId: target.threadId,
  threadName: target.threadName,
  format: 'profile-model',
  startMs,
  durationMs: nowMs() - startMs,
  data,
  window: 'during',
});

/** A kind that observes on the application's thread for a while, or reads what a prepared observation already has. */
function observedKind(context: KindContext, name: 'pending' | 'buffers', description: string): ProfileKind {
  const word = name === 'pending' ? 'Pending' : 'Buffers';
  return {
    name,
    description,
    deep: false,
    capture: async (target, request) => {
      const startMs = nowMs();
      const prepared = await context.hook<Profile>(`dump${word}`);
      if (prepared === undefined || prepared === null) await context.hook(`start${word}`);
      // One that was prepared has seen the trouble grow already.
      const seenMs = prepared?.durationMs ?? 0;
      if (seenMs < preparedMs) await wait(request.durationMs - seenMs, request.signal);
      const profile = await context.hook<Profile>(`dump${word}`);
      await context.hook(`stop${word}`);
      return profile === undefined || profile === null ? [] : [modelArtifact(target, name, startMs, profile)];
    },
  };
}

export const pendingKind = (context: KindContext): ProfileKind =>
  observedKind(context, 'pending', 'async work that has not ended, by type and the stack that began it');

export const buffersKind = (context: KindContext): ProfileKind =>
  observedKind(context, 'buffers', 'buffers made and bytes written to streams that do not keep up, by stack');

/** Calls in flight and streams of a mesh: by route or target and age; free, nothing is sampled. */
export function inFlightKind(context: KindContext): ProfileKind {
  return {
    name: 'in-flight',
    description: 'requests that wait, by route or target and age',
    deep: false,
    capture: async (target) => {
      const startMs = nowMs();
      const calls = (await context.hook<InFlightGroup[]>('inFlight')) ?? [];
      const streams = (await context.hook<PendingStreamGroup[]>('streams')) ?? [];
      const artifacts = [modelArtifact(target, 'in-flight', startMs, callsProfile(calls, startMs))];
      if (streams.length > 0)
        artifacts.push(modelArtifact(target, 'streams', startMs, streamsProfile(streams, startMs)));
      return artifacts;
    },
  };
}

const waitTypes = [
  { type: 'requests', unit: 'count' },
  { type: 'age', unit: 'nanoseconds' },
];

function callsProfile(groups: readonly InFlightGroup[], startMs: number): Profile {
  const builder = new ProfileBuilder(waitTypes);
  for (const { direction, target, count, medianMs } of groups) {
    const path = [`[${direction}]`, target].map((name) => builder.frame(syntheticFrame(name)));
    builder.add(builder.path(path), [count, Math.round(count * medianMs * 1e6)], {
      direction,
      route: target,
    });
  }
  return builder.build({ kind: 'in-flight', startMs, defaultSampleType: 0 });
}

function streamsProfile(groups: readonly PendingStreamGroup[], startMs: number): Profile {
  const builder = new ProfileBuilder(waitTypes);
  for (const { route, upstream, phase, count, medianMs } of groups) {
    const path = [`[${phase}]`, route, upstream].map((name) => builder.frame(syntheticFrame(name)));
    builder.add(builder.path(path), [count, Math.round(count * medianMs * 1e6)], { route, upstream, phase });
  }
  return builder.build({ kind: 'streams', startMs, defaultSampleType: 0 });
}
