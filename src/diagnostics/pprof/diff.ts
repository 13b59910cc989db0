import { HeddleError } from '../../core/base/errors.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { displayName, pathOf } from './frame-names.ts';
import { mapFrames, ProfileBuilder } from './profile-builder.ts';
import { functionSums, totalOf } from './top.ts';

export interface DiffOptions {
  /**
   * What makes the two comparable: `rate` scales the base to the duration of the other, `share` to its total,
   * `none` takes the numbers as they are. @default 'rate' for time, 'none' for bytes and counts
   */
  readonly scale?: 'rate' | 'share' | 'none';
}

/**
 * `profile` less `base`, stack by stack: positive is what grew. Lines within a function are left out, since they
 * differ between two runs of the same code. The base carries pprof's label for `go tool pprof -diff_base`.
 * @throws HeddleError ERR_PROFILE_INVALID when the two share no sample type.
 */
export function diffProfiles(base: Profile, profile: Profile, options: DiffOptions = {}): Profile {
  const columns = commonColumns(base, profile);
  const builder = new ProfileBuilder(columns.map(([, index]) => profile.sampleTypes[index] as never));
  const scale = columns.map(([before, after]) => scaleOf(base, before, profile, after, options.scale));
  addAll(
    builder,
    profile,
    columns.map(([, after]) => after),
    columns.map(() => 1),
  );
  addAll(
    builder,
    base,
    columns.map(([before]) => before),
    scale.map((factor) => -factor),
  );
  const defaultType = profile.sampleTypes[profile.defaultSampleType]?.type;
  const shown = columns.findIndex(([, after]) => profile.sampleTypes[after]?.type === defaultType);
  const diff = builder.build({
    ...profile,
    defaultSampleType: shown === -1 ? columns.length - 1 : shown,
    comments: [...profile.comments, `difference to the profile of ${new Date(base.startMs).toISOString()}`],
  });
  return {
    ...diff,
    samples: diff.samples.filter(({ values }) => values.some((value) => Math.round(value) !== 0)),
  };
}

/** Columns of the same type and unit, as pairs of indices. */
function commonColumns(base: Profile, profile: Profile): [before: number, after: number][] {
  const columns = profile.sampleTypes.flatMap(({ type, unit }, after): [number, number][] => {
    const before = base.sampleTypes.findIndex((known) => known.type === type && known.unit === unit);
    return before === -1 ? [] : [[before, after]];
  });
  if (columns.length > 0) return columns;
  const list = (of: Profile): string => of.sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ');
  throw new HeddleError(
    'ERR_PROFILE_INVALID',
    `nothing to compare: one has ${list(base)}, the other ${list(profile)}`,
  );
}

function scaleOf(
  base: Profile,
  before: number,
  profile: Profile,
  after: number,
  asked: DiffOptions['scale'],
): number {
  const isTime =
    base.sampleTypes[before]?.unit === 'nanoseconds' || base.sampleTypes[before]?.type === 'samples';
  const scale = asked ?? (isTime ? 'rate' : 'none');
  if (scale === 'rate') {
    return base.durationMs > 0 && profile.durationMs > 0 ? profile.durationMs / base.durationMs : 1;
  }
  const total = totalOf(base, before);
  return scale === 'share' && total !== 0 ? totalOf(profile, after) / total : 1;
}

function addAll(
  builder: ProfileBuilder,
  profile: Profile,
  columns: readonly number[],
  factors: readonly number[],
): void {
  const flat = mapFrames(profile, withoutPlace, () => 0);
  const nodes = [0];
  for (let node = 1; node < flat.tree.parents.length; node++) {
    const frame = builder.frame(flat.frames[flat.tree.frames[node] as number] as ProfileFrame);
    nodes.push(builder.child(nodes[flat.tree.parents[node] as number] as number, frame));
  }
  for (const { node, values } of flat.samples) {
    const scaled = columns.map((column, index) => (values[column] ?? 0) * (factors[index] as number));
    builder.add(nodes[node] as number, scaled);
  }
}

function withoutPlace(frame: ProfileFrame): ProfileFrame {
  return { ...frame, name: displayName(frame), column: 0 };
}

/** How one function's share of the whole moved between two profiles. */
export interface FunctionChange {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Own share of the whole before and after, 0 to 1. */
  readonly beforeRatio: number;
  readonly afterRatio: number;
  /** Own value after less before, in the unit of the profile, not scaled. */
  readonly delta: number;
}

/** Functions by how much their own share moved, largest first. */
export function diffFunctions(base: Profile, profile: Profile, limit = 20): FunctionChange[] {
  const type = profile.sampleTypes[profile.defaultSampleType]?.type;
  const column = Math.max(
    0,
    base.sampleTypes.findIndex((known) => known.type === type),
  );
  const before = functionSums(base, column);
  const after = functionSums(profile);
  const beforeTotal = totalOf(base, column) || 1;
  const afterTotal = totalOf(profile) || 1;
  const changes = [...new Set([...before.keys(), ...after.keys()])].map((key): FunctionChange => {
    const was = before.get(key)?.flat ?? 0;
    const is = after.get(key)?.flat ?? 0;
    const { frame } = (after.get(key) ?? before.get(key)) as { frame: ProfileFrame };
    return {
      name: displayName(frame),
      file: pathOf(frame.url),
      line: frame.line,
      beforeRatio: was / beforeTotal,
      afterRatio: is / afterTotal,
      delta: is - was,
    };
  });
  const moved = ({ beforeRatio, afterRatio }: FunctionChange): number => Math.abs(afterRatio - beforeRatio);
  return changes.sort((a, b) => moved(b) - moved(a)).slice(0, limit);
}
