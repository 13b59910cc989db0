import { messageOf } from '../../core/base/errors.ts';
import type {
  ProfileArtifact,
  ProfileKind,
  ProfileRequest,
  ProfileTarget,
} from '../../core/contract/profile-kind.ts';
import { wait } from './cpu-profiler.ts';

export interface Collected {
  readonly artifacts: readonly ProfileArtifact[];
  /** What could not be had, and why. */
  readonly missing: readonly string[];
}

/** Cheap and fleeting evidence first; what stops the application last. Kinds of one step run side by side. */
const order: readonly (readonly string[])[] = [
  ['in-flight', 'heap'],
  ['stack'],
  ['before', 'cpu', 'gc', 'allocations', 'pending', 'buffers'],
  ['report'],
  ['coroutines'],
  ['snapshot'],
];
/** A kind that takes so much longer than asked is given up: its thread may be gone. */
const graceMs = 15_000;
const deepGraceMs = 120_000;

/** Takes the wanted kinds of one target in order. One that fails is named in `missing`; the others still count. */
export async function collect(
  kinds: readonly ProfileKind[],
  wanted: readonly string[],
  target: ProfileTarget,
  request: ProfileRequest,
): Promise<Collected> {
  const artifacts: ProfileArtifact[] = [];
  const missing: string[] = [];
  const known = new Set(order.flat());
  const steps = [...order, kinds.map((kind) => kind.name).filter((name) => !known.has(name))];
  for (const step of steps) {
    const chosen = kinds.filter((kind) => step.includes(kind.name) && wanted.includes(kind.name));
    const results = await Promise.allSettled(chosen.map((kind) => takeOne(kind, target, request)));
    results.forEach((result, index) => {
      const name = chosen[index]?.name ?? '?';
      if (result.status === 'rejected') missing.push(`${name}: ${messageOf(result.reason)}`);
      else if (result.value.length === 0) missing.push(`${name}: nothing was there to take`);
      else artifacts.push(...result.value);
    });
  }
  for (const name of wanted) {
    if (!kinds.some((kind) => kind.name === name)) missing.push(`${name}: no such profile kind`);
  }
  return { artifacts, missing };
}

async function takeOne(
  kind: ProfileKind,
  target: ProfileTarget,
  request: ProfileRequest,
): Promise<readonly ProfileArtifact[]> {
  if (kind.deep && request.deep !== true) {
    throw new Error('it stops the application for seconds; ask for it with "deep"');
  }
  const limitMs = request.durationMs + (kind.deep ? deepGraceMs : graceMs);
  const done = new AbortController();
  const late = wait(limitMs, done.signal).then(() => {
    if (done.signal.aborted) return [];
    throw new Error(`no answer within ${limitMs} ms`);
  });
  try {
    return await Promise.race([kind.capture(target, request), late]);
  } finally {
    done.abort();
  }
}
