import { join } from 'node:path';
import { messageOf } from '../../core/base/errors.ts';
import type { ProfileArtifact, ProfileTarget } from '../../core/contract/profile-kind.ts';
import { writePrivate } from '../captures/directory.ts';
import { readHeap } from '../profiles/heap.ts';
import type { Collected } from './collect.ts';
import { wait } from './cpu-profiler.ts';

/** The process may be gone in a moment: raw evidence is written before anything else. */
export interface Emergency {
  /** It is none when the heap is below this after its collection. */
  readonly refuteBelowBytes: number;
  /** The application waits so long at most until its evidence is on disk; 0 lets it run on. */
  readonly holdMs: number;
}

/** What an emergency needs of the application's thread. */
export interface EmergencyAccess {
  readonly target: ProfileTarget;
  /** The windows of the flight recorder; asked for at the moment of the call. */
  before(): Promise<readonly ProfileArtifact[]>;
  /** The application stands still as soon as it has answered what was asked before, until `resume` or the time is over. */
  hold(limitMs: number): void;
  resume(): void;
}

/** What looked like the end of the heap was garbage. */
export class Refuted extends Error {}

/** An application that runs on and does not answer within this is judged without its flight recorder. */
const beforeMs = 200;

/**
 * The heap first and at once to disk, as V8 gave it, to the file of that name; then the time before it.
 *
 * All questions go to the application's thread together: it answers them one after the other in a single interruption
 * and is then held. A process that would be dead within half a second has no moment in between to go on dying.
 *
 * @throws Refuted
 */
export async function takeEvidence(
  { target, before, hold }: EmergencyAccess,
  { refuteBelowBytes, holdMs }: Emergency,
  rawFile: { readonly directory: string; readonly name: string },
): Promise<Collected> {
  const reading = readHeap(target);
  const usage = target.session.post<{ usedSize: number }>('Runtime.getHeapUsage');
  // The recorder knows which function V8 has inlined into the one that the heap profile names.
  const asked = before();
  asked.catch(() => {});
  if (holdMs > 0) hold(holdMs);
  const heap = await reading;
  const { usedSize } = await usage;
  if (usedSize < refuteBelowBytes) throw new Refuted();
  writePrivate(join(rawFile.directory, rawFile.name), JSON.stringify(heap.data));
  const { artifacts, missing } = await recordedTime(asked);
  return { artifacts: [heap, ...artifacts], missing };
}

/** What the recorder has; why it has nothing is for the page. */
async function recordedTime(asked: Promise<readonly ProfileArtifact[]>): Promise<Collected> {
  try {
    const artifacts = await Promise.race([asked, wait(beforeMs)]);
    return artifacts
      ? { artifacts, missing: [] }
      : { artifacts: [], missing: [`before: no answer in ${beforeMs} ms`] };
  } catch (error) {
    return { artifacts: [], missing: [`before: ${messageOf(error)}`] };
  }
}
