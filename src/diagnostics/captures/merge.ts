import { ProfileBuilder } from '../pprof/profile-builder.ts';
import type { Profile } from '../profile-model.ts';

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
    for (const { node, values, labels } of profile.samples) builder.add(nodes[node] ?? 0, values, labels);
  }
  const startMs = Math.min(...profiles.map((profile) => profile.startMs));
  const durationMs = profiles.reduce((sum, profile) => sum + profile.durationMs, 0);
  return builder.build({ ...first, startMs, durationMs });
}
