import { ProfileBuilder } from '../pprof/profile-builder.ts';
import type { Profile } from '../profile-model.ts';

/** `threadId` of the profile that holds every thread, each sample with the label `thread`. */
export const allThreads = -1;

/** Profiles that several threads had at the same time as one; undefined where there was only one thread. */
export function mergeThreads(profiles: readonly Profile[]): Profile | undefined {
  if (profiles.length < 2) return undefined;
  const marked = profiles.map((profile) => {
    const { thread = '', ...labels } = profile.labels;
    const samples = profile.samples.map((sample) => ({ ...sample, labels: { ...sample.labels, thread } }));
    return { ...profile, labels, samples };
  });
  const merged = mergeProfiles(marked);
  const durationMs = Math.max(...profiles.map((profile) => profile.durationMs));
  return merged && { ...merged, durationMs };
}

/** One profile out of several of the same kind: equal stacks add up, the time covers them all. */
export function mergeProfiles(profiles: readonly Profile[]): Profile | undefined {
  const [first] = profiles;
  if (first === undefined || profiles.length === 1) return first;
  const builder = new ProfileBuilder(first.sampleTypes);
  for (const profile of profiles) {
    const { parents, frames, lines } = profile.tree;
    const nodes = [0];
    for (let node = 1; node < parents.length; node++) {
      const frame = profile.frames[frames[node] ?? -1];
      const parent = nodes[parents[node] ?? 0] ?? 0;
      nodes.push(
        frame === undefined ? parent : builder.child(parent, builder.frame(frame), lines[node] ?? 0),
      );
    }
    const columns = columnsOf(first, profile);
    for (const { node, values, labels } of profile.samples) {
      const own = columns.map((column) => values[column] ?? 0);
      builder.add(nodes[node] ?? 0, own, labels);
    }
  }
  const startMs = Math.min(...profiles.map((profile) => profile.startMs));
  const durationMs = profiles.reduce((sum, profile) => sum + profile.durationMs, 0);
  return builder.build({ ...first, startMs, durationMs });
}

/** Which column of `profile` is each of the first one's: by type, and what one shows first by what the other does. */
function columnsOf(first: Profile, profile: Profile): number[] {
  return first.sampleTypes.map(({ type }, index) => {
    const same = profile.sampleTypes.findIndex((own) => own.type === type);
    return same < 0 && index === first.defaultSampleType ? profile.defaultSampleType : same;
  });
}
