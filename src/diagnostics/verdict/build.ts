import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import { syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile } from '../profile-model.ts';
import { likelyCause } from './causes.ts';
import type { StallFacts } from './evidence.ts';
import { headlineOf } from './headline.ts';
import { heapTrend } from './heap-trend.ts';
import { countInlined, type InliningProof } from './inlined.ts';
import { whatMoved } from './moved.ts';
import { type About, compareFunctions, ownerNameOf, summarise } from './summary.ts';
import { recordedSummary, troubledCpu } from './troubled-cpu.ts';
import type { Cause, ProfileSummary, TopFrame, Verdict, Waiting } from './verdict-types.ts';

export interface VerdictProfile {
  readonly profile: Profile;
  /** -1 is all threads together. */
  readonly threadId: number;
  readonly threadName?: string;
  readonly window: 'before' | 'during' | 'quiet';
}

export interface VerdictInput {
  readonly service: string;
  readonly trigger: CaptureTrigger;
  /** The ring at the trigger, oldest first. */
  readonly samples: readonly SignalSample[];
  readonly profiles: readonly VerdictProfile[];
  readonly stallCpuShare: number;
  /** The source line that most CPU samples executed, where the file is there to read. */
  readonly hotLine: string;
  readonly hotPlace?: string;
  readonly stall?: StallFacts;
  readonly missing: readonly string[];
}

/** Pure: the same input gives the same page. */
export function buildVerdict(input: VerdictInput): Verdict {
  const { trigger, samples } = input;
  const cpuProfile = troubledCpu(input.profiles);
  const growth = input.profiles.find(({ profile }) => profile.kind === 'growth')?.profile;
  const heap = input.profiles.find(({ profile }) => profile.kind === 'heap')?.profile;
  const summaries = input.profiles.flatMap((one) =>
    summariesOf(one, { cpu: cpuProfile, growth, heap }, input.profiles),
  );
  const during =
    cpuProfile === undefined ? undefined : summarise(cpuProfile, { threadId: 0, window: 'during' });
  const quiet = summaries.find((one) => one.kind === 'cpu' && one.window === 'quiet');
  const pendingProfile = input.profiles.find(({ profile }) => profile.kind === 'pending')?.profile;
  const pending = summaries.find((one) => one.kind === 'pending')?.functions ?? [];
  const waiting = input.profiles.flatMap(({ profile }) => waitingOf(profile));
  const cause = likelyCause({
    trigger,
    profiles: summaries,
    cpu: during,
    hotLine: input.hotLine,
    hotPlace: input.hotPlace ?? '',
    stall: input.stall,
    stallCpuShare: input.stallCpuShare,
    latest: latestValues(samples, trigger),
    earlier: samples[Math.max(0, samples.length - 30)]?.values ?? {},
    heapTrend: heapTrend(samples),
    pendingTypes: pendingProfile === undefined ? [] : typesOf(pendingProfile),
    pendingCreators: pending.filter((frame) => frame.place !== ''),
    waiting,
  });
  return {
    schema: 1,
    title: titleOf(input.service, cause, trigger),
    cause,
    trigger,
    moved: whatMoved(samples, trigger),
    profiles: summaries,
    changed: during !== undefined && quiet !== undefined ? compareFunctions(during, quiet) : [],
    pending,
    waiting,
    missing: input.missing,
  };
}

const titleOf = (service: string, cause: Cause, { rule, signal }: CaptureTrigger): string =>
  `${service}: ${headlineOf(cause)}${signal === '' ? '' : ` (rule ${rule})`}`;

/**
 * The newest values. A rule may have fired between two samples: what it saw is newer, and so is the used heap where
 * the share of the limit is what it saw.
 */
function latestValues(samples: readonly SignalSample[], { signal, current }: CaptureTrigger): Values {
  const values = samples.at(-1)?.values ?? {};
  if (signal === '') return values;
  const { heapUsedBytes = 0, heapOfLimitPercent = 0 } = values;
  const isHeap = signal === 'heapOfLimitPercent' && heapOfLimitPercent > 0;
  const used = isHeap ? { heapUsedBytes: (heapUsedBytes / heapOfLimitPercent) * current } : {};
  return { ...values, ...used, [signal]: current };
}

type Values = Readonly<Record<string, number>>;

/** One summary a value type for profiles whose columns mean different things, else one. */
function summariesOf(
  { profile, threadId, threadName, window }: VerdictProfile,
  proof: InliningProof,
  all: readonly VerdictProfile[],
): ProfileSummary[] {
  const about: About = { threadId, window, ...(threadName !== undefined && { threadName }) };
  if (profile.kind === 'buffers') {
    return profile.sampleTypes
      .map((_type, index) => summarise(profile, about, index))
      .filter((one) => one.total > 0);
  }
  if (profile.kind === 'pending') return [summarise(profile, about), ...byType(profile, about)];
  const summary = summarise(profile, about);
  if (profile.kind === 'cpu' && window === 'before') return [recordedSummary(summary, profile, all)];
  const isHeap = ['heap', 'growth', 'allocations'].includes(profile.kind);
  return [isHeap ? countInlined(summary, profile, proof) : summary];
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

function byType(profile: Profile, about: About): ProfileSummary[] {
  return typesOf(profile)
    .slice(0, 8)
    .map(({ name }) => {
      const samples = profile.samples.filter(({ node }) => typeOfSample(profile, node) === name);
      const summary = summarise({ ...profile, samples }, about);
      const functions = innermostFirst({ ...profile, samples }, summary.functions);
      return { ...summary, functions, kind: `pending:${name}` };
    });
}

/**
 * One call of an async function that awaits another makes a promise in each: equal counts, one cause. Among functions
 * with about the same count the one that is called by the others comes first.
 */
function innermostFirst(profile: Profile, functions: readonly TopFrame[]): TopFrame[] {
  const most = functions[0]?.value ?? 0;
  const rivals = functions.filter((frame) => frame.value >= most * 0.6);
  const rest = functions.filter((frame) => frame.value < most * 0.6);
  const depths = new Map<string, number>();
  for (const { node: leaf } of profile.samples) {
    let depth = 0;
    for (let node = leaf; node > 0; node = profile.tree.parents[node] ?? 0) depth++;
    const owner = ownerNameOf(profile, leaf);
    depths.set(owner, Math.max(depth, depths.get(owner) ?? 0));
  }
  const depthOf = (frame: TopFrame): number => depths.get(`${frame.name} ${frame.place}`) ?? 0;
  return [...rivals.sort((a, b) => depthOf(b) - depthOf(a)), ...rest];
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
