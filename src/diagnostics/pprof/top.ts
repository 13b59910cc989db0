import type { Profile, ProfileFrame } from '../profile-model.ts';
import { displayName, pathOf } from './frame-names.ts';

/** One function of a profile with what it cost by itself and with everything it called. */
export interface FunctionCost {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly flat: number;
  readonly cumulative: number;
  /** Of the whole, 0 to 1. */
  readonly flatRatio: number;
  readonly cumulativeRatio: number;
}

export interface TopOptions {
  /** @default 20 */
  readonly limit?: number;
  /** Index into the sample types. @default the profile's default one */
  readonly sampleType?: number;
  /** @default 'flat' */
  readonly by?: 'flat' | 'cumulative';
}

/** The costliest functions; a function that called itself counts once in `cumulative`. */
export function topFunctions(profile: Profile, options: TopOptions = {}): FunctionCost[] {
  const { limit = 20, by = 'flat' } = options;
  const total = totalOf(profile, options.sampleType);
  const costs = [...functionSums(profile, options.sampleType).values()].map(
    ({ frame, flat, cumulative }) => ({
      name: displayName(frame),
      file: pathOf(frame.url),
      line: frame.line,
      flat,
      cumulative,
      flatRatio: total === 0 ? 0 : flat / total,
      cumulativeRatio: total === 0 ? 0 : cumulative / total,
    }),
  );
  return costs.sort((a, b) => b[by] - a[by] || b.cumulative - a.cumulative).slice(0, limit);
}

/** The sum of all samples in one column. */
export function totalOf(profile: Profile, sampleType: number = profile.defaultSampleType): number {
  return profile.samples.reduce((sum, { values }) => sum + (values[sampleType] ?? 0), 0);
}

export interface FunctionSum {
  readonly frame: ProfileFrame;
  flat: number;
  cumulative: number;
}

/** Flat and cumulative sums by function (name and file). */
export function functionSums(
  profile: Profile,
  sampleType: number = profile.defaultSampleType,
): Map<string, FunctionSum> {
  const { parents, frames } = profile.tree;
  const sums = new Map<string, FunctionSum>();
  const sumOf = profile.frames.map((frame) => {
    const key = functionKey(frame);
    const sum = sums.get(key) ?? { frame, flat: 0, cumulative: 0 };
    sums.set(key, sum);
    return sum;
  });
  const seen = new Set<FunctionSum>();
  for (const { node, values } of profile.samples) {
    const value = values[sampleType] ?? 0;
    seen.clear();
    for (let at = node; at > 0; at = parents[at] as number) {
      const sum = sumOf[frames[at] as number] as FunctionSum;
      if (at === node) sum.flat += value;
      if (seen.has(sum)) continue;
      seen.add(sum);
      sum.cumulative += value;
    }
  }
  return sums;
}

/** Two frames with one key are one function to a reader. */
function functionKey(frame: ProfileFrame): string {
  return `${displayName(frame)}\0${frame.url}`;
}
