import type { Profile } from '../profile-model.ts';
import type { RawCpuProfile } from './cpu-profile.ts';
import { displayName, pathOf } from './frame-names.ts';

const units: Readonly<Record<string, string>> = { nanoseconds: 'nanoseconds', bytes: 'bytes' };

/** The file format of speedscope (https://www.speedscope.app/file-format-schema.json), one sheet a sample type. */
export function toSpeedscope(profile: Profile, name: string): object {
  const stacks = profile.samples.map(({ node }) => stackOf(profile, node));
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'heddle',
    name,
    activeProfileIndex: profile.defaultSampleType,
    shared: {
      frames: profile.frames.map((frame) => ({
        name: displayName(frame),
        ...(frame.url !== '' && { file: pathOf(frame.url) }),
        ...(frame.line > 0 && { line: frame.line }),
        ...(frame.column > 0 && { col: frame.column }),
      })),
    },
    profiles: profile.sampleTypes.map(({ type, unit }, column) => {
      const weights = profile.samples.map(({ values }) => Math.max(0, Math.round(values[column] ?? 0)));
      return {
        type: 'sampled',
        name: type,
        unit: units[unit] ?? 'none',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples: stacks,
        weights,
      };
    }),
  };
}

/** A `.cpuprofile` for Chrome DevTools and editors: the order of samples is not in a pprof, so equal stacks stand together. */
export function toCpuProfile(profile: Profile): RawCpuProfile {
  const { parents, frames } = profile.tree;
  const children: number[][] = parents.map(() => []);
  for (let node = 1; node < parents.length; node++) children[parents[node] as number]?.push(node + 1);
  const nodes = parents.map((_, node) => {
    const frame = profile.frames[frames[node] as number];
    return {
      id: node + 1,
      callFrame: {
        functionName: frame === undefined ? '(root)' : frame.name,
        scriptId: '0',
        url: frame?.url ?? '',
        lineNumber: (frame?.line ?? 0) - 1,
        columnNumber: (frame?.column ?? 0) - 1,
      },
      hitCount: 0,
      children: children[node] ?? [],
    };
  });
  const pieces = inPieces(
    profile.samples.map(({ node, values }) => ({
      id: node + 1,
      us: Math.max(0, (values[profile.defaultSampleType] ?? 0) / 1000),
    })),
  );
  const startTime = profile.startMs * 1000;
  return {
    nodes,
    startTime,
    endTime: startTime + pieces.reduce((sum, { us }) => sum + us, 0),
    samples: pieces.map(({ id }) => id),
    // A delta belongs to the sample before it, so the first is 0 and the last one's weight ends the profile.
    timeDeltas: [0, ...pieces.slice(0, -1).map(({ us }) => us)],
  };
}

interface Piece {
  readonly id: number;
  readonly us: number;
}

const maxPieces = 50_000;

/**
 * Samples as V8 would have taken them: of about equal distance, since who reads them takes one long distance for a
 * time without samples.
 */
function inPieces(stacks: readonly Piece[]): Piece[] {
  const seen = stacks.filter(({ us }) => us > 0);
  const total = seen.reduce((sum, { us }) => sum + us, 0);
  const least = seen.reduce((smallest, { us }) => Math.min(smallest, us), Number.POSITIVE_INFINITY);
  const stepUs = Math.max(least * 2, total / maxPieces);
  return seen.flatMap(({ id, us }) => {
    const count = Math.max(1, Math.round(us / stepUs));
    return Array.from({ length: count }, () => ({ id, us: us / count }));
  });
}

function stackOf(profile: Profile, leaf: number): number[] {
  const stack: number[] = [];
  for (let node = leaf; node > 0; node = profile.tree.parents[node] as number) {
    stack.push(profile.tree.frames[node] as number);
  }
  return stack.reverse();
}
