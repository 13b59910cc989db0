import type { ProfileMeta } from '../contract.ts';
import type { Profile, ProfileFrame, SampleType } from '../profile-model.ts';
import { anonymous } from './frame-names.ts';
import { ProfileBuilder, type SampleLabels } from './profile-builder.ts';

/** The parts of V8's `.cpuprofile` (inspector `Profiler.Profile`) that are read. */
export interface RawCpuProfile {
  readonly nodes: readonly RawCpuNode[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[] | undefined;
  /** Microseconds since the sample before; the first counts from `startTime`. */
  readonly timeDeltas?: readonly number[] | undefined;
}

interface RawCpuNode {
  readonly id: number;
  readonly callFrame: RawCallFrame;
  readonly children?: readonly number[] | undefined;
  readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[] | undefined;
}

/** A V8 call frame: `lineNumber` and `columnNumber` are 0-based, -1 where unknown. */
export interface RawCallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A stretch of the profile during which one thing ran, for example the handler of a route. */
export interface LabelSpan {
  /** Microseconds on the profile's own clock. */
  readonly startUs: number;
  readonly endUs: number;
  readonly labels: SampleLabels;
}

/** `kind: 'wall'` keeps the time in which the loop waited for events as `(idle)`; any other kind leaves it out. */
export interface CpuProfileMeta extends ProfileMeta {
  /** Sorted by start, not overlapping: labels of the samples taken within. */
  readonly spans?: readonly LabelSpan[];
  /** Keeps only samples from here on: microseconds on the profile's own clock. */
  readonly fromUs?: number;
  /** Keeps only samples before here. */
  readonly toUs?: number;
}

/**
 * Reads a V8 CPU profile. The weight of a sample is the time until the next one, not the nominal interval, which
 * undercounts by 10 % and more under load. A node's own time is split over its lines by V8's position ticks.
 */
export function fromCpuProfile(raw: RawCpuProfile, meta: CpuProfileMeta): Profile {
  const isWall = meta.kind === 'wall';
  const timeType: SampleType = { type: isWall ? 'wall' : 'cpu', unit: 'nanoseconds' };
  const builder = new ProfileBuilder([{ type: 'samples', unit: 'count' }, timeType]);
  const nodes = new RawTree(raw.nodes, builder);
  for (const { id, count, us, labels } of collectBuckets(raw, meta, nodes.skipped(isWall))) {
    for (const { node, ticks, total } of nodes.leavesOf(id)) {
      const share = ticks / total;
      builder.add(node, [count * share, us * share * 1000], labels);
    }
  }
  const spanUs = Math.max(0, raw.endTime - raw.startTime);
  const durationUs = (meta.toUs ?? raw.endTime) - (meta.fromUs ?? raw.startTime);
  return builder.build({
    kind: meta.kind,
    startMs: meta.startMs,
    durationMs: meta.durationMs ?? durationUs / 1000,
    periodType: timeType,
    period: Math.round((spanUs * 1000) / Math.max(1, raw.samples?.length ?? 0)),
    ...(meta.labels && { labels: meta.labels }),
    ...(meta.comments && { comments: meta.comments }),
  });
}

/** The frame of a function at its first line. */
export function frameOf(callFrame: RawCallFrame): ProfileFrame {
  return {
    name: callFrame.functionName === '' ? anonymous : callFrame.functionName,
    url: callFrame.url,
    line: Math.max(0, callFrame.lineNumber + 1),
    column: Math.max(0, callFrame.columnNumber + 1),
  };
}

interface Bucket {
  readonly id: number;
  readonly labels: SampleLabels | undefined;
  count: number;
  us: number;
}

/** Adds up samples by node and label span. */
function collectBuckets(
  raw: RawCpuProfile,
  meta: CpuProfileMeta,
  isSkipped: (id: number) => boolean,
): Iterable<Bucket> {
  const samples = raw.samples ?? [];
  const deltas = raw.timeDeltas ?? [];
  const fromUs = meta.fromUs ?? Number.NEGATIVE_INFINITY;
  const toUs = meta.toUs ?? Number.POSITIVE_INFINITY;
  const spanAt = spanReader(meta.spans ?? []);
  const buckets = new Map<string, Bucket>();
  const weights = weightsOf(raw);
  let at = raw.startTime;
  for (let index = 0; index < samples.length; index++) {
    at += deltas[index] ?? 0;
    const id = samples[index] as number;
    if (at < fromUs || at >= toUs || isSkipped(id)) continue;
    const us = weights[index] as number;
    const span = spanAt(at);
    const key = `${id}:${span?.startUs ?? ''}`;
    const bucket = buckets.get(key) ?? { id, labels: span?.labels, count: 0, us: 0 };
    bucket.count++;
    bucket.us += us;
    buckets.set(key, bucket);
  }
  return buckets.values();
}

/** So many usual distances without a sample are a gap. */
const gapRatio = 5;

/**
 * What each sample stands for, microseconds: the time until the next one. The thread that takes the samples may have to
 * wait for a core; the sample before such a gap (often the collector, which runs when a profile begins) knows nothing
 * of what ran in it, so it counts for no more than a few usual distances.
 */
function weightsOf({ samples = [], timeDeltas: deltas = [], startTime, endTime }: RawCpuProfile): number[] {
  const lastAt = deltas.slice(0, samples.length).reduce((at, delta) => at + delta, startTime);
  // V8 may write a delta below zero when samples are out of order; such a sample weighs nothing.
  const weights = samples.map((_, index) =>
    Math.max(0, index + 1 < samples.length ? (deltas[index + 1] ?? 0) : endTime - lastAt),
  );
  const usual = weights.toSorted((a, b) => a - b)[weights.length >> 1] ?? 0;
  return weights.map((weight) => Math.min(weight, usual * gapRatio));
}

function spanReader(spans: readonly LabelSpan[]): (us: number) => LabelSpan | undefined {
  let next = 0;
  return (us) => {
    while (next < spans.length && (spans[next] as LabelSpan).endUs <= us) next++;
    const span = spans[next];
    return span !== undefined && span.startUs <= us ? span : undefined;
  };
}

interface Leaf {
  readonly node: number;
  readonly ticks: number;
  readonly total: number;
}

/** V8's node list as nodes of the builder's tree. */
class RawTree {
  readonly #nodes = new Map<number, RawCpuNode>();
  readonly #parents = new Map<number, number>();
  readonly #built = new Map<number, number>();
  readonly #builder: ProfileBuilder;

  constructor(nodes: readonly RawCpuNode[], builder: ProfileBuilder) {
    this.#builder = builder;
    for (const node of nodes) {
      this.#nodes.set(node.id, node);
      for (const child of node.children ?? []) this.#parents.set(child, node.id);
    }
  }

  skipped(isWall: boolean): (id: number) => boolean {
    return (id) => {
      const name = this.#nodes.get(id)?.callFrame.functionName;
      return name === undefined || name === '(root)' || (!isWall && name === '(idle)');
    };
  }

  /** A node on top of the stack: one leaf for each line that V8 saw there. */
  leavesOf(id: number): Leaf[] {
    const raw = this.#nodes.get(id) as RawCpuNode;
    const ticks = (raw.positionTicks ?? []).filter(({ line }) => line > 0);
    const total = ticks.reduce((sum, tick) => sum + tick.ticks, 0);
    if (total === 0) return [{ node: this.#nodeOf(id), ticks: 1, total: 1 }];
    const parent = this.#nodeOf(this.#parents.get(id));
    const frame = this.#builder.frame(frameOf(raw.callFrame));
    return ticks.map(({ line, ticks: count }) => ({
      node: this.#builder.child(parent, frame, line),
      ticks: count,
      total,
    }));
  }

  /** Walks up without recursion: V8's trees are as deep as the application recursed. */
  #nodeOf(id: number | undefined): number {
    const open: number[] = [];
    let at = id;
    while (at !== undefined && !this.#built.has(at)) {
      open.push(at);
      at = this.#parents.get(at);
    }
    let node = at === undefined ? 0 : (this.#built.get(at) as number);
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { callFrame } = this.#nodes.get(next) as RawCpuNode;
      if (callFrame.functionName !== '(root)') {
        node = this.#builder.child(node, this.#builder.frame(frameOf(callFrame)));
      }
      this.#built.set(next, node);
    }
    return node;
  }
}
