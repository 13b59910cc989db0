import { describeFrame, displayName, pathOf } from '../pprof/frame-names.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import type { Changed, ProfileSummary, TopFrame, TopStack } from './verdict-types.ts';

const topFunctions = 10;
const topStacks = 5;
const stackFrames = 12;

/** Code of the application or its packages; not Node's own, not V8's. */
export function isApplication(frame: ProfileFrame): boolean {
  return frame.url !== '' && !frame.url.startsWith('node:') && !isMonitor(frame.url);
}

/** The monitor's own functions never count as anybody's fault. */
const isMonitor = (url: string): boolean => /\/(src|dist\/src)\/diagnostics\/hooks\//.test(url);

/** Reads the default value of each sample; `valueIndex` picks another. */
export function summarise(
  profile: Profile,
  about: { threadId: number; window: ProfileSummary['window'] },
  valueIndex: number = profile.defaultSampleType,
): ProfileSummary {
  const sums = new Map<number, number>();
  const stacks = new Map<number, number>();
  let total = 0;
  let collector = 0;
  for (const { node, values } of profile.samples) {
    const value = values[valueIndex] ?? 0;
    if (value === 0) continue;
    total += value;
    stacks.set(node, (stacks.get(node) ?? 0) + value);
    if (frameAt(profile, node)?.name === '(garbage collector)') collector += value;
    const owner = ownerOf(profile, node);
    if (owner >= 0) sums.set(owner, (sums.get(owner) ?? 0) + value);
  }
  const type = profile.sampleTypes[valueIndex];
  return {
    kind: profile.kind,
    ...about,
    valueType: type?.type ?? '',
    unit: type?.unit ?? '',
    total,
    functions: largest(sums, topFunctions).map(([index, value]) => topFrame(profile, index, value, total)),
    stacks: largest(stacks, topStacks).map(([node, value]) => topStack(profile, node, value, total)),
    collectorShare: total === 0 ? 0 : collector / total,
  };
}

/** Functions whose share differs most from a quiet profile of the same kind. */
export function compareFunctions(now: ProfileSummary, quiet: ProfileSummary): Changed[] {
  const before = new Map(quiet.functions.map((frame) => [`${frame.name} ${frame.place}`, frame.share]));
  return now.functions
    .map(({ name, place, share }) => ({ name, place, from: before.get(`${name} ${place}`) ?? 0, to: share }))
    .filter(({ from, to }) => Math.abs(to - from) >= 0.05)
    .sort((a, b) => Math.abs(b.to - b.from) - Math.abs(a.to - a.from))
    .slice(0, 5);
}

/** The names above the application's own function in the largest stacks: builtins such as `parse` or `exec`. */
export function builtinsOn(
  profile: Profile,
  valueIndex: number = profile.defaultSampleType,
): Map<string, number> {
  const shares = new Map<string, number>();
  let total = 0;
  for (const { node, values } of profile.samples) {
    const value = values[valueIndex] ?? 0;
    total += value;
    const seen = new Set<string>();
    for (let at = node; at > 0; at = profile.tree.parents[at] ?? 0) {
      const frame = frameAt(profile, at);
      if (frame === undefined || isApplication(frame)) break;
      seen.add(frame.name);
    }
    for (const name of seen) shares.set(name, (shares.get(name) ?? 0) + value);
  }
  for (const [name, value] of shares) shares.set(name, total === 0 ? 0 : value / total);
  return shares;
}

const frameAt = (profile: Profile, node: number): ProfileFrame | undefined =>
  profile.frames[profile.tree.frames[node] ?? -1];

/** Index of the nearest frame of the application on the way to the root, else of the leaf; -1 for idle. */
function ownerOf(profile: Profile, leaf: number): number {
  for (let node = leaf; node > 0; node = profile.tree.parents[node] ?? 0) {
    const frame = frameAt(profile, node);
    if (frame !== undefined && isApplication(frame)) return profile.tree.frames[node] ?? -1;
  }
  const frame = frameAt(profile, leaf);
  return frame === undefined || frame.name === '(idle)' ? -1 : (profile.tree.frames[leaf] ?? -1);
}

function largest(sums: ReadonlyMap<number, number>, count: number): [number, number][] {
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, count);
}

function topFrame(profile: Profile, index: number, value: number, total: number): TopFrame {
  const frame = profile.frames[index];
  const place = frame === undefined || frame.url === '' ? '' : `${pathOf(frame.url)}:${frame.line}`;
  return {
    name: frame === undefined ? '?' : displayName(frame),
    place,
    value,
    share: total === 0 ? 0 : value / total,
  };
}

function topStack(profile: Profile, leaf: number, value: number, total: number): TopStack {
  const frames: string[] = [];
  for (let node = leaf; node > 0 && frames.length < stackFrames; node = profile.tree.parents[node] ?? 0) {
    const frame = frameAt(profile, node);
    if (frame !== undefined) frames.push(describeFrame(frame));
  }
  return { frames, value, share: total === 0 ? 0 : value / total };
}
