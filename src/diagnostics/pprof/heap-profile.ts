import type { ProfileMeta } from '../contract.ts';
import type { Profile } from '../profile-model.ts';
import { frameOf, type RawCallFrame } from './cpu-profile.ts';
import { ProfileBuilder } from './profile-builder.ts';

/** V8's sampling heap profile (inspector `HeapProfiler.SamplingHeapProfile`). */
export interface RawHeapProfile {
  readonly head: RawHeapNode;
  readonly samples?: readonly RawHeapSample[] | undefined;
}

interface RawHeapSample {
  readonly nodeId: number;
  readonly size: number;
  /** Rises with time while the sampling runs. */
  readonly ordinal?: number;
}

interface RawHeapNode {
  readonly callFrame: RawCallFrame;
  /** Bytes, already scaled up from the sample to the whole. */
  readonly selfSize: number;
  readonly id: number;
  readonly children: readonly RawHeapNode[];
}

/** `kind: 'allocations'` means that collected objects were kept too; any other kind is what was alive. */
export interface HeapProfileMeta extends ProfileMeta {
  /** The average number of bytes between two samples. @default 524288 */
  readonly samplingIntervalBytes?: number;
}

/**
 * Reads a sampling heap profile into bytes by stack. There is no column of objects: V8's JSON holds sizes that
 * are already scaled, from which a count of objects cannot be had back.
 */
export function fromHeapProfile(raw: RawHeapProfile, meta: HeapProfileMeta): Profile {
  const builder = builderOf(meta);
  const counts = new Map<number, number>();
  for (const { nodeId } of raw.samples ?? []) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  for (const { source, node } of nodesOf(raw, builder))
    if (source.selfSize > 0) builder.add(node, [counts.get(source.id) ?? 0, source.selfSize]);
  return build(builder, meta);
}

/** The label of a sample in a profile of `fromHeapSamples`: it rises with time. */
export const ordinalLabel = 'ordinal';

/** What was sampled after the ordinal `since` and is still alive, each sample by itself with its ordinal as a label. */
export function fromHeapSamples(raw: RawHeapProfile, since: number, meta: HeapProfileMeta): Profile {
  const builder = builderOf(meta);
  const nodes = new Map<number, number>();
  for (const { source, node } of nodesOf(raw, builder)) nodes.set(source.id, node);
  for (const { nodeId, size, ordinal = 0 } of raw.samples ?? [])
    if (ordinal > since) builder.add(nodes.get(nodeId) ?? 0, [1, size], { [ordinalLabel]: ordinal });
  return build(builder, meta);
}

function builderOf(meta: HeapProfileMeta): ProfileBuilder {
  const type = meta.kind === 'allocations' ? 'alloc_space' : 'inuse_space';
  return new ProfileBuilder([
    { type: 'samples', unit: 'count' },
    { type, unit: 'bytes' },
  ]);
}

/** Every node of the tree with its place in the builder, parents first. */
function* nodesOf(
  raw: RawHeapProfile,
  builder: ProfileBuilder,
): Generator<{ readonly source: RawHeapNode; readonly node: number }> {
  // A list in place of recursion: a deep recursion in the application makes a tree that would overflow our stack.
  const open: { readonly source: RawHeapNode; readonly parent: number }[] = [{ source: raw.head, parent: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { source, parent } = at;
    const isRoot = source.callFrame.functionName === '(root)';
    const node = isRoot ? parent : builder.child(parent, builder.frame(frameOf(source.callFrame)));
    yield { source, node };
    for (const child of source.children) open.push({ source: child, parent: node });
  }
}

function build(builder: ProfileBuilder, meta: HeapProfileMeta): Profile {
  return builder.build({
    kind: meta.kind,
    startMs: meta.startMs,
    durationMs: meta.durationMs ?? 0,
    periodType: { type: 'space', unit: 'bytes' },
    period: meta.samplingIntervalBytes ?? 524_288,
    ...(meta.labels && { labels: meta.labels }),
    ...(meta.comments && { comments: meta.comments }),
  });
}
