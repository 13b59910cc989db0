import type { Profile } from '../profile-model.ts';
import { displayName } from './frame-names.ts';
import { framesTo } from './profile-builder.ts';

export interface FoldedOptions {
  /** Index into the sample types. @default the profile's default one */
  readonly sampleType?: number;
}

/** Brendan Gregg's folded text: `root;caller;leaf value` a line, heaviest first. `;` in a name becomes `,`. */
export function toFolded(profile: Profile, options: FoldedOptions = {}): string {
  const column = options.sampleType ?? profile.defaultSampleType;
  const sums = new Map<string, number>();
  for (const { node, values } of profile.samples) {
    const names = framesTo(profile, node).map((frame) => displayName(frame).replaceAll(/[;\n]/g, ','));
    const key = names.join(';');
    sums.set(key, (sums.get(key) ?? 0) + (values[column] ?? 0));
  }
  const lines = [...sums]
    .map(([stack, value]) => [stack, Math.round(value)] as const)
    .filter(([stack, value]) => value !== 0 && stack !== '')
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([stack, value]) => `${stack} ${value}\n`);
  return lines.join('');
}
