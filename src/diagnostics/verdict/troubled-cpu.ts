import { mergeProfiles } from '../captures/merge.ts';
import type { Profile } from '../profile-model.ts';
import { frameAt, ownerNameOf, summarise } from './summary.ts';
import type { ProfileSummary, TopFrame } from './verdict-types.ts';

/** A CPU profile of the main thread and the time that it is of. */
export interface TimedProfile {
  readonly profile: Profile;
  readonly threadId: number;
  readonly window: 'before' | 'during' | 'quiet';
}

/** So much sampled time of the trouble can stand for all of it. */
const enoughNs = 200e6;
const about = { threadId: 0, window: 'during' } as const;

/**
 * CPU time of the trouble on the main thread: what the recorder has of it and what was sampled after the trigger.
 * The recorder alone may charge a caller for the function that V8 has inlined into it (seen on Node 22), while
 * optimised code is thrown away before the sampling: where the two tell caller and callee apart, only the latter counts.
 */
export function troubledCpu(profiles: readonly TimedProfile[]): Profile | undefined {
  const during = mainCpu(profiles, 'during');
  const before = mainCpu(profiles, 'before');
  if (during !== undefined && before !== undefined && calleeOf(before, during) !== undefined) return during;
  return mergeProfiles([during, before].filter((profile) => profile !== undefined));
}

/** The recorder's summary, with the callee in the place of the caller that V8 has inlined it into. */
export function recordedSummary(
  summary: ProfileSummary,
  before: Profile,
  profiles: readonly TimedProfile[],
): ProfileSummary {
  const during = mainCpu(profiles, 'during');
  const callee = during && calleeOf(before, during);
  const [caller, ...others] = summary.functions;
  if (callee === undefined || caller === undefined) return summary;
  const rest = others.filter((frame) => keyOf(frame) !== keyOf(callee));
  const own = others.find((frame) => keyOf(frame) === keyOf(callee));
  const { name, place } = callee;
  const value = caller.value + (own?.value ?? 0);
  const moved = { name, place, value, share: caller.share + (own?.share ?? 0) };
  return { ...summary, functions: [moved, ...rest], inlinedInto: caller };
}

function mainCpu(profiles: readonly TimedProfile[], window: TimedProfile['window']): Profile | undefined {
  const wanted = profiles.filter(
    (one) => one.profile.kind === 'cpu' && one.threadId === 0 && one.window === window,
  );
  return mergeProfiles(wanted.map(({ profile }) => profile));
}

const keyOf = ({ name, place }: TopFrame): string => `${name} ${place}`;

/** The busiest function of `during`, where what is called the busiest of `before` calls it and does little itself. */
function calleeOf(before: Profile, during: Profile): TopFrame | undefined {
  const seen = summarise(during, about);
  const recorded = summarise(before, about).functions[0];
  const busiest = seen.functions[0];
  if (busiest === undefined || recorded === undefined || seen.total < enoughNs) return undefined;
  if (busiest.place === '' || recorded.place === '' || keyOf(busiest) === keyOf(recorded)) return undefined;
  const own = seen.functions.find((frame) => keyOf(frame) === keyOf(recorded))?.share ?? 0;
  return own < busiest.share / 2 && calls(during, keyOf(recorded), keyOf(busiest)) ? busiest : undefined;
}

function calls(profile: Profile, caller: string, callee: string): boolean {
  const { parents } = profile.tree;
  return profile.samples.some(({ node: leaf }) => {
    if (ownerNameOf(profile, leaf) !== callee) return false;
    for (let node = parents[leaf] ?? 0; node > 0; node = parents[node] ?? 0)
      if (frameAt(profile, node) !== undefined && ownerNameOf(profile, node) === caller) return true;
    return false;
  });
}
