import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import { syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile } from '../profile-model.ts';
import { likelyCause } from './causes.ts';
import { whatMoved } from './moved.ts';
import { builtinsOn, compareFunctions, summarise } from './summary.ts';
import type { ProfileSummary, TopFrame, Verdict, Waiting } from './verdict-types.ts';

export interface VerdictProfile {
  readonly profile: Profile;
  readonly threadId: number;
  readonly window: 'before' | 'during' | 'quiet';
}

export interface VerdictInput {
  readonly service: string;
  readonly trigger: CaptureTrigger;
  /** The ring at the trigger, oldest first. */
  readonly samples: readonly SignalSample[];
  readonly profiles: readonly VerdictProfile[];
  readonly stallCpuShare: number;
  readonly missing: readonly string[];
}

/** Pure: the same input gives the same page. */
export function buildVerdict(input: VerdictInput): Verdict {
  const { trigger, samples } = input;
  const summaries = input.profiles.flatMap(summariesOf);
  const during = summaries.find((one) => one.kind === 'cpu' && one.window === 'during' && one.threadId === 0);
  const quiet = summaries.find((one) => one.kind === 'cpu' && one.window === 'quiet');
  const cpu = input.profiles.find(({ profile, window }) => profile.kind === 'cpu' && window === 'during');
  const pendingProfile = input.profiles.find(({ profile }) => profile.kind === 'pending')?.profile;
  const pending = summaries.find((one) => one.kind === 'pending')?.functions ?? [];
  const waiting = input.profiles.flatMap(({ profile }) => waitingOf(profile));
  const cause = likelyCause({
    trigger,
    profiles: summaries,
    builtins: cpu === undefined ? new Map() : builtinsOn(cpu.profile),
    stallCpuShare: input.stallCpuShare,
    latest: samples.at(-1)?.values ?? {},
    earlier: samples[Math.max(0, samples.length - 30)]?.values ?? {},
    pendingTypes: pendingProfile === undefined ? [] : typesOf(pendingProfile),
    pendingCreators: pending.filter((frame) => frame.place !== ''),
    waiting,
  });
  return {
    schema: 1,
    title: `${input.service}: ${cause.name} (${trigger.rule})`,
    cause,
    trigger,
    moved: whatMoved(samples, trigger.signal),
    profiles: summaries,
    changed: during !== undefined && quiet !== undefined ? compareFunctions(during, quiet) : [],
    pending,
    waiting,
    missing: input.missing,
  };
}

/** One summary a value type for profiles whose columns mean different things, else one. */
function summariesOf({ profile, threadId, window }: VerdictProfile): ProfileSummary[] {
  const about = { threadId, window };
  if (profile.kind === 'buffers') {
    return profile.sampleTypes
      .map((_type, index) => summarise(profile, about, index))
      .filter((one) => one.total > 0);
  }
  if (profile.kind === 'pending') return [summarise(profile, about), ...byType(profile, about)];
  return [summarise(profile, about)];
}

/** The root frame of pending work is its type in brackets. */
function typeOfSample(profile: Profile, leaf: number): string {
  let node = leaf;
  while ((profile.tree.parents[node] ?? -1) > 0) node = profile.tree.parents[node] ?? 0;
  const name = profile.frames[profile.tree.frames[node] ?? -1]?.name ?? '';
  return name.replace(/^\[|\]$/g, '');
}

function typesOf(profile: Profile): TopFrame[] {
  const sums = new Map<string, number>();
  let total = 0;
  for (const { node, values } of profile.samples) {
    const value = values[profile.defaultSampleType] ?? 0;
    const type = typeOfSample(profile, node);
    sums.set(type, (sums.get(type) ?? 0) + value);
    total += value;
  }
  return [...sums]
    .map(([name, value]) => ({
      ...syntheticFrame(name),
      place: '',
      value,
      share: total === 0 ? 0 : value / total,
    }))
    .map(({ name, place, value, share }) => ({ name, place, value, share }))
    .sort((a, b) => b.value - a.value);
}

function byType(
  profile: Profile,
  about: { threadId: number; window: ProfileSummary['window'] },
): ProfileSummary[] {
  return typesOf(profile)
    .slice(0, 8)
    .map(({ name }) => {
      const samples = profile.samples.filter(({ node }) => typeOfSample(profile, node) === name);
      return { ...summarise({ ...profile, samples }, about), kind: `pending:${name}` };
    });
}

/** Calls and streams that wait, as the `in-flight` kind tells them. */
function waitingOf(profile: Profile): Waiting[] {
  if (profile.kind !== 'in-flight' && profile.kind !== 'streams') return [];
  return profile.samples
    .map(({ values, labels }) => {
      const [count = 0, ageNs = 0] = values;
      const what =
        profile.kind === 'streams'
          ? `stream ${labels?.['route']} -> ${labels?.['upstream']} in ${labels?.['phase']}`
          : `${labels?.['direction']} ${labels?.['route']}`;
      return { what, count, typicalMs: count === 0 ? 0 : ageNs / count / 1e6 };
    })
    .sort((a, b) => b.count - a.count)
    .slice(0, 20);
}
