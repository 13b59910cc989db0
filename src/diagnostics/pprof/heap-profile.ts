import type { ProfileMeta } from '../contract.ts';
import type { Profile } from '../profile-model.ts';
import { frameOf, type RawCallFrame } from './cpu-profile.ts';
import { ProfileBuilder } from './profile-builder.ts';

/** V8's sampling heap profile (inspector `HeapProfiler.SamplingHeapProfile`). */
export interface RawHeapProfile {
  readonly head: RawHeapNode;
  readonly samples?: readonly { readonly nodeId: number; readonly size: number }[] | undefined;
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
  const type = meta.kind === 'allocations' ? 'alloc_space' : 'inuse_space';
  const builder = new ProfileBuilder([
    { type: 'samples', unit: 'count' },
    { type, unit: 'bytes' },
  ]);
  const counts = new Map<number, number>();
  for (const { nodeId } of raw.samples ?? []) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  // A list in place of recursion: a deep recursion in the application makes a tree that would overflow our stack.
  const open: { readonly source: RawHeapNode; readonly parent: number }[] = [{ source: raw.head, parent: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { source, parent } = at;
    const isRoot = source.callFrame.functionName === '(root)';
    const node = isRoot ? parent : builder.child(parent, builder.frame(frameOf(source.callFrame)));
    if (source.selfSize > 0) builder.add(node, [counts.get(source.id) ?? 0, source.selfSize]);
    for (const child of source.children) open.push({ source: child, parent: node });
  }
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
