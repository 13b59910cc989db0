import { displayName } from '../pprof/frame-names.ts';
import type { Profile } from '../profile-model.ts';
import { frameAt, placeOf } from './summary.ts';
import type { ProfileSummary, TopFrame } from './verdict-types.ts';

/** Of the CPU samples in a function, the share that must be in the callee to say that it was inlined. */
const mostOfIt = 0.8;
/** Fewer samples prove nothing. */
const minSamples = 3;
/** The callee must have been seen allocating by itself before it was inlined. */
const minShare = 0.02;

/**
 * V8's heap sampler sees no inlined functions: once a caller is optimised, what its callee allocates is charged to the
 * caller. CPU samples do tell them apart. Where the heap profile holds both, and CPU samples say that the caller spends
 * its time in the callee, the caller's bytes are counted for the callee.
 *
 * @param heap the profile that `summary` is about.
 * @param cpu the CPU time of the same trouble.
 */
export function countInlined(
  summary: ProfileSummary,
  heap: Profile,
  cpu: Profile | undefined,
): ProfileSummary {
  const [caller, ...others] = summary.functions;
  if (cpu === undefined || caller === undefined || caller.place === '') return summary;
  const callee = others.find(
    (frame) =>
      frame.share >= minShare &&
      calls(heap, caller, frame) &&
      spendsItsTimeIn(cpu, caller, frame) >= mostOfIt,
  );
  if (callee === undefined) return summary;
  const moved = { ...callee, value: callee.value + caller.value, share: callee.share + caller.share };
  const rest = others.filter((frame) => frame !== callee);
  return { ...summary, functions: [moved, ...rest], inlinedInto: caller };
}

const isFrame = (profile: Profile, node: number, wanted: TopFrame): boolean => {
  const frame = frameAt(profile, node);
  return frame !== undefined && displayName(frame) === wanted.name && placeOf(frame) === wanted.place;
};

function calls(profile: Profile, caller: TopFrame, callee: TopFrame): boolean {
  return profile.tree.parents.some(
    (parent, node) => node > 0 && isFrame(profile, node, callee) && isFrame(profile, parent, caller),
  );
}

/** Share of the caller's samples that have the callee below it; 0 where there are too few. */
function spendsItsTimeIn(profile: Profile, caller: TopFrame, callee: TopFrame): number {
  let all = 0;
  let below = 0;
  let samples = 0;
  for (const { node: leaf, values } of profile.samples) {
    let isBelow = false;
    for (let node = leaf; node > 0; node = profile.tree.parents[node] ?? 0) {
      if (isFrame(profile, node, callee)) isBelow = true;
      if (!isFrame(profile, node, caller)) continue;
      const value = values[profile.defaultSampleType] ?? 0;
      samples += values[0] ?? 1;
      all += value;
      if (isBelow) below += value;
      break;
    }
  }
  return samples < minSamples || all === 0 ? 0 : below / all;
}
