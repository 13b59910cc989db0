import { anonymous, describeFrame, displayName, placeOf } from '../pprof/frame-names.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import type { Changed, ProfileSummary, TopFrame, TopStack } from './verdict-types.ts';

export { placeOf } from '../pprof/frame-names.ts';

const topFunctions = 10;
const topStacks = 5;
const stackFrames = 12;

/** Code of the application or its packages; not Node's own, not V8's. */
function isApplication(frame: ProfileFrame): boolean {
  return frame.url !== '' && !frame.url.startsWith('node:') && !isMonitor(frame.url);
}

/** The monitor's own functions never count as anybody's fault. */
const isMonitor = (url: string): boolean =>
  /\/src\/diagnostics\/(hooks\/|profiles\/(pending|sample-rate)\.ts)/.test(url);

/** Which profile a summary is of. */
export type About = Pick<ProfileSummary, 'threadId' | 'window'> & { readonly threadName?: string };

/** Reads the default value of each sample; `valueIndex` picks another. */
export function summarise(
  profile: Profile,
  about: About,
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
    threadId: about.threadId,
    threadName: about.threadName ?? (about.threadId === 0 ? 'main' : `thread ${about.threadId}`),
    window: about.window,
    valueType: type?.type ?? '',
    unit: type?.unit ?? '',
    total,
    functions: largestFunctions(profile, sums, total),
    stacks: largest(stacks, topStacks).map(([node, value]) => topStack(profile, node, value, total)),
    collectorShare: total === 0 ? 0 : collector / total,
  };
}

/** Functions of one name at one place count as one, whatever column they begin at: nobody could tell the rows apart. */
function largestFunctions(profile: Profile, sums: ReadonlyMap<number, number>, total: number): TopFrame[] {
  const named = new Map<string, TopFrame>();
  for (const [index, value] of sums) {
    const { name, place } = topFrame(profile, index);
    const sum = (named.get(`${name} ${place}`)?.value ?? 0) + value;
    named.set(`${name} ${place}`, { name, place, value: sum, share: total === 0 ? 0 : sum / total });
  }
  return [...named.values()].sort((a, b) => b.value - a.value).slice(0, topFunctions);
}

/** `name place` of the function that a sample counts for, as `summarise` tells it. */
export function ownerNameOf(profile: Profile, leaf: number): string {
  const { name, place } = topFrame(profile, ownerOf(profile, leaf));
  return `${name} ${place}`;
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

/** File and 1-based line. */
export interface HotLine {
  readonly url: string;
  readonly line: number;
  /** False where no line was sampled and this is the first one of the function. */
  readonly isSampled: boolean;
}

/** The place that executes most, in the nearest application frame of the heaviest samples. */
export function hottestLine(profile: Profile): HotLine | undefined {
  const sums = new Map<string, number>();
  for (const { node: leaf, values } of profile.samples) {
    let node = leaf;
    while (node > 0 && !isApplication(frameAt(profile, node) ?? noFrame))
      node = profile.tree.parents[node] ?? 0;
    const frame = frameAt(profile, node);
    if (node === 0 || frame === undefined) continue;
    const sampled = profile.tree.lines[node] || 0;
    const key = `${sampled || frame.line} ${sampled > 0} ${frame.url}`;
    sums.set(key, (sums.get(key) ?? 0) + (values[profile.defaultSampleType] ?? 0));
  }
  const [key] = [...sums].sort((a, b) => b[1] - a[1])[0] ?? [];
  if (key === undefined) return undefined;
  const [, line, isSampled, url = ''] = /^(\d+) (\w+) (.*)$/s.exec(key) ?? [];
  return { line: Number(line), url, isSampled: isSampled === 'true' };
}

const noFrame: ProfileFrame = { name: '', url: '', line: 0, column: 0 };

export const frameAt = (profile: Profile, node: number): ProfileFrame | undefined =>
  profile.frames[profile.tree.frames[node] ?? -1];

/** Index of the nearest frame of the application on the way to the root, else of the leaf; -1 for idle. */
function ownerOf(profile: Profile, leaf: number): number {
  for (let node = leaf; node > 0; node = profile.tree.parents[node] ?? 0) {
    const frame = frameAt(profile, node);
    if (frame !== undefined && isApplication(frame)) return namedOwner(profile, node, frame);
  }
  const frame = frameAt(profile, leaf);
  return frame === undefined || frame.name === '(idle)' ? -1 : (profile.tree.frames[leaf] ?? -1);
}

/** A callback without a name counts for the named function of the same file that it was called from. */
function namedOwner(profile: Profile, at: number, owner: ProfileFrame): number {
  for (let node = at; node > 0; node = profile.tree.parents[node] ?? 0) {
    const frame = frameAt(profile, node);
    if (frame === undefined || !isApplication(frame)) continue;
    if (frame.url !== owner.url) break;
    if (frame.name !== '' && frame.name !== anonymous) return profile.tree.frames[node] ?? -1;
  }
  return profile.tree.frames[at] ?? -1;
}

function largest(sums: ReadonlyMap<number, number>, count: number): [number, number][] {
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, count);
}

function topFrame(profile: Profile, index: number): Pick<TopFrame, 'name' | 'place'> {
  const frame = profile.frames[index];
  return {
    name: frame === undefined ? '?' : displayName(frame),
    place: frame === undefined ? '' : placeOf(frame),
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
