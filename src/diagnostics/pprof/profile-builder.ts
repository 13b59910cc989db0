import type { Profile, ProfileFrame, SampleType } from '../profile-model.ts';

export type SampleLabels = Readonly<Record<string, string | number>>;

/** What `build` adds to frames, tree and samples. */
export interface ProfileFacts {
  readonly kind: string;
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly period?: number;
  readonly periodType?: SampleType;
  /** Index into the sample types. @default the last one */
  readonly defaultSampleType?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly comments?: readonly string[];
}

/** Bound on the call tree of one profile: what does not fit is counted on the frame `[truncated]`. */
const maxNodes = 500_000;

/** Collects frames, tree and samples of a profile; equal ones are kept once and their values added. */
export class ProfileBuilder {
  readonly #sampleTypes: readonly SampleType[];
  readonly #frames: ProfileFrame[] = [];
  readonly #frameIndex = new Map<string, number>();
  readonly #parents: number[] = [-1];
  readonly #nodeFrames: number[] = [-1];
  readonly #lines: number[] = [0];
  readonly #children: (Map<string, number> | undefined)[] = [];
  readonly #samples = new Map<string, { node: number; values: number[]; labels?: SampleLabels }>();
  readonly #maxNodes: number;

  constructor(sampleTypes: readonly SampleType[], limit: number = maxNodes) {
    this.#sampleTypes = sampleTypes;
    this.#maxNodes = limit;
  }

  /** @returns the index of an equal frame, added when it is new. */
  frame(frame: ProfileFrame): number {
    const key = `${frame.name}\0${frame.url}\0${frame.line}:${frame.column}`;
    const known = this.#frameIndex.get(key);
    if (known !== undefined) return known;
    const index = this.#frames.push(frame) - 1;
    this.#frameIndex.set(key, index);
    return index;
  }

  /** @returns the child of `parent` (0 is the root) with that frame, executing `line` (0 is unknown). */
  child(parent: number, frame: number, line = 0): number {
    const children = this.#childrenOf(parent);
    const key = `${frame}:${line}`;
    const known = children.get(key);
    if (known !== undefined) return known;
    if (this.#parents.length >= this.#maxNodes) return this.#truncated();
    const node = this.#append(parent, frame, line);
    children.set(key, node);
    return node;
  }

  /** The node of a stack of frames, root first. */
  path(frames: readonly number[]): number {
    return frames.reduce((node, frame) => this.child(node, frame), 0);
  }

  add(node: number, values: readonly number[], labels?: SampleLabels): void {
    const key = labels === undefined ? String(node) : `${node}\0${labelKey(labels)}`;
    const known = this.#samples.get(key);
    if (known === undefined) this.#samples.set(key, { node, values: [...values], ...(labels && { labels }) });
    else for (let index = 0; index < known.values.length; index++) addAt(known.values, index, values[index]);
  }

  build(facts: ProfileFacts): Profile {
    return {
      kind: facts.kind,
      sampleTypes: this.#sampleTypes,
      defaultSampleType: facts.defaultSampleType ?? this.#sampleTypes.length - 1,
      period: facts.period ?? 0,
      periodType: facts.periodType ?? (this.#sampleTypes.at(-1) as SampleType),
      startMs: facts.startMs ?? 0,
      durationMs: facts.durationMs ?? 0,
      frames: this.#frames,
      tree: { parents: this.#parents, frames: this.#nodeFrames, lines: this.#lines },
      samples: [...this.#samples.values()],
      labels: facts.labels ?? {},
      comments: facts.comments ?? [],
    };
  }

  #childrenOf(parent: number): Map<string, number> {
    const known = this.#children[parent];
    if (known !== undefined) return known;
    const children = new Map<string, number>();
    this.#children[parent] = children;
    return children;
  }

  #append(parent: number, frame: number, line: number): number {
    this.#nodeFrames.push(frame);
    this.#lines.push(line);
    return this.#parents.push(parent) - 1;
  }

  #truncated(): number {
    const frame = this.frame(syntheticFrame('[truncated]'));
    const children = this.#childrenOf(0);
    const known = children.get(`${frame}:0`);
    if (known !== undefined) return known;
    const node = this.#append(0, frame, 0);
    children.set(`${frame}:0`, node);
    return node;
  }
}

/** A frame that stands for no code: `(idle)`, `[Timeout]`, `[truncated]`. */
export function syntheticFrame(name: string): ProfileFrame {
  return { name, url: '', line: 0, column: 0 };
}

/** @returns a copy whose frames are replaced one by one; frames, nodes and samples that become equal are merged. */
export function mapFrames(
  profile: Profile,
  replace: (frame: ProfileFrame) => ProfileFrame,
  replaceLine: (frame: ProfileFrame, line: number) => number = (_, line) => line,
): Profile {
  const builder = new ProfileBuilder(profile.sampleTypes, Number.POSITIVE_INFINITY);
  const frames = profile.frames.map((frame) => builder.frame(replace(frame)));
  const { parents, frames: nodeFrames, lines } = profile.tree;
  const nodes = [0];
  for (let node = 1; node < parents.length; node++) {
    const frame = nodeFrames[node] as number;
    const line = lines[node] ?? 0;
    const mapped = line === 0 ? 0 : replaceLine(profile.frames[frame] as ProfileFrame, line);
    nodes.push(builder.child(nodes[parents[node] as number] as number, frames[frame] as number, mapped));
  }
  for (const { node, values, labels } of profile.samples) builder.add(nodes[node] as number, values, labels);
  return builder.build(profile);
}

/** The frames from the root to a node, without the root. */
export function framesTo(profile: Profile, node: number): ProfileFrame[] {
  const stack: ProfileFrame[] = [];
  for (let at = node; at > 0; at = profile.tree.parents[at] as number) {
    stack.push(profile.frames[profile.tree.frames[at] as number] as ProfileFrame);
  }
  return stack.reverse();
}

function addAt(into: number[], index: number, value = 0): void {
  into[index] = (into[index] as number) + value;
}

function labelKey(labels: SampleLabels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
