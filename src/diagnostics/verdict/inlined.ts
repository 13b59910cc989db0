import { anonymous, displayName } from '../pprof/frame-names.ts';
import { ordinalLabel } from '../pprof/heap-profile.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { frameAt, ownerNameOf, placeOf, summarise } from './summary.ts';
import type { ProfileSummary, TopFrame } from './verdict-types.ts';

/** Of what was sampled in a function, the share that must be in the callee to say that it was inlined: twice all the rest. */
const mostOfIt = 2 / 3;
/** Fewer samples prove nothing. */
const minSamples = 3;
/** The callee must have been seen allocating by itself before it was inlined. */
const minShare = 0.02;

/** What tells a function from the caller that V8 has inlined it into. */
export interface InliningProof {
  /** CPU time of the same trouble. */
  readonly cpu: Profile | undefined;
  /** Heap samples since growth was suspected, each with its ordinal: since then nothing is inlined, as far as that can be had. */
  readonly growth: Profile | undefined;
  /** All of the heap in use: functions that were inlined at last may be seen by themselves in what is older. */
  readonly heap: Profile | undefined;
}

/**
 * V8's heap sampler sees no inlined functions: once a caller is optimised, what its callee allocates is charged to the
 * caller. Three things tell them apart: samples of CPU time, or of the heap from the time when nothing was inlined, where
 * the caller is mostly in the callee; functions that both seem to call, but in CPU samples the callee only; and the order
 * of heap samples, where first the callee allocated and from some moment on the caller did in its place. Where one of the
 * heap profiles shows that the caller calls it, and one of these is seen, the caller's bytes are counted for the callee.
 *
 * @param profile the one that `summary` is about.
 */
export function countInlined(
  summary: ProfileSummary,
  profile: Profile,
  proof: InliningProof,
): ProfileSummary {
  const [caller, ...others] = summary.functions;
  if (caller === undefined || caller.place === '') return summary;
  const callee = [profile, proof.heap, proof.growth]
    .filter((seen) => seen !== undefined)
    .flatMap((seen) =>
      summarise(seen, summary).functions.filter((frame) => isInlined(frame, caller, profile, seen, proof)),
    )[0];
  if (callee === undefined) return summary;
  const own = others.find((frame) => isSame(frame, callee));
  const value = (own?.value ?? 0) + caller.value;
  const moved = { ...callee, value, share: (own?.share ?? 0) + caller.share };
  const rest = others.filter((frame) => frame !== own);
  return { ...summary, functions: [moved, ...rest], inlinedInto: caller };
}

/** @param seen a profile in which the callee may be seen by itself. */
const isInlined = (
  callee: TopFrame,
  caller: TopFrame,
  profile: Profile,
  seen: Profile,
  { cpu, growth }: InliningProof,
): boolean =>
  !isSame(callee, caller) &&
  callee.share >= minShare &&
  calls(seen, caller, callee) &&
  ((cpu !== undefined && isMostlyIn(cpu, caller, callee) >= mostOfIt) ||
    (growth !== undefined &&
      (isMostlyIn(growth, caller, callee) >= mostOfIt || givesWayTo(growth, callee, caller))) ||
    takesOverCalls(profile, seen, cpu, caller, callee));

const isSame = (one: TopFrame, other: TopFrame): boolean =>
  one.name === other.name && one.place === other.place;

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
function isMostlyIn(profile: Profile, caller: TopFrame, callee: TopFrame): number {
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

/** Of the caller's bytes, the share that must come from calls that are the callee's. */
const half = 0.5;

/**
 * Most of what is charged to the caller was allocated in functions that it calls by the heap profile, as the callee does
 * too; but by the CPU profile, which sees most inlined functions, the callee alone calls them, or they are callbacks that
 * are written in the callee.
 */
function takesOverCalls(
  profile: Profile,
  heap: Profile,
  cpu: Profile | undefined,
  caller: TopFrame,
  callee: TopFrame,
): boolean {
  const charged = samplesByCall(profile, caller);
  const seen = samplesByCall(heap, callee);
  const direct = cpu && samplesByCall(cpu, caller);
  const inside = cpu && samplesByCall(cpu, callee);
  charged.delete(ownerName(callee));
  let all = 0;
  let callees = 0;
  for (const [called, { value, frame }] of charged) {
    all += value;
    if (frame === undefined || (seen.get(called)?.count ?? 0) < minSamples) continue;
    const within = inside?.get(called)?.count ?? 0;
    const isCallees = within > 0 && (direct?.get(called)?.count ?? 0) * 4 <= within;
    if (isCallees || isWrittenIn(heap, frame, callee)) callees += value;
  }
  return callees > all * half;
}

interface Calls {
  count: number;
  value: number;
  /** Undefined for what a function does without calling another. */
  readonly frame: ProfileFrame | undefined;
}

/** The samples that have the function on their stack, by the function with a place that it calls there. */
function samplesByCall(profile: Profile, caller: TopFrame): Map<string, Calls> {
  const sums = new Map<string, Calls>();
  for (const { node: leaf, values } of profile.samples) {
    let called: ProfileFrame | undefined;
    for (let node = leaf; node > 0; node = profile.tree.parents[node] ?? 0) {
      const frame = frameAt(profile, node);
      if (isFrame(profile, node, caller)) {
        const key = called === undefined ? '' : `${displayName(called)} ${placeOf(called)}`;
        const sum = sums.get(key) ?? { count: 0, value: 0, frame: called };
        sum.count += values.length > 1 ? (values[0] ?? 1) : 1;
        sum.value += values[profile.defaultSampleType] ?? 0;
        sums.set(key, sum);
        break;
      }
      if (frame !== undefined && placeOf(frame) !== '') called = frame;
    }
  }
  return sums;
}

/** A function without a name, and no named one of the profile begins between the callee's beginning and its own. */
function isWrittenIn(profile: Profile, frame: ProfileFrame, callee: TopFrame): boolean {
  if (frame.name !== '' && frame.name !== anonymous) return false;
  let nearest: ProfileFrame | undefined;
  for (const one of profile.frames) {
    const isNamed = one.name !== '' && one.name !== anonymous;
    if (!isNamed || one.url !== frame.url || isBefore(frame, one)) continue;
    if (nearest === undefined || isBefore(nearest, one)) nearest = one;
  }
  return nearest !== undefined && displayName(nearest) === callee.name && placeOf(nearest) === callee.place;
}

const isBefore = (one: ProfileFrame, other: ProfileFrame): boolean =>
  one.line < other.line || (one.line === other.line && one.column < other.column);

/** Of the samples of both, the share that must lie on the right side of the moment. */
const clean = 0.9;

/** Up to some moment the callee's samples, from then on the caller's, and enough of each. */
function givesWayTo(growth: Profile, callee: TopFrame, caller: TopFrame): boolean {
  const order = growth.samples
    .map(({ node, labels }) => ({ owner: ownerNameOf(growth, node), at: Number(labels?.[ordinalLabel]) }))
    .sort((one, other) => one.at - other.at);
  const isCallee = order
    .filter(({ owner }) => owner === ownerName(callee) || owner === ownerName(caller))
    .map(({ owner }) => owner === ownerName(callee));
  const callees = isCallee.filter(Boolean).length;
  const callers = isCallee.length - callees;
  if (callees < minSamples || callers < minSamples) return false;
  // With the moment at the beginning only the caller's are right; each step takes one sample to the other side.
  let right = callers;
  let best = 0;
  for (const one of isCallee) {
    right += one ? 1 : -1;
    best = Math.max(best, right);
  }
  return best >= isCallee.length * clean;
}

const ownerName = ({ name, place }: TopFrame): string => `${name} ${place}`;
