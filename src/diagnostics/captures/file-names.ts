import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileArtifact } from '../../core/contract/profile-kind.ts';
import type { CaptureFile } from '../../core/contract/sink.ts';
import { allThreads } from './merge.ts';

/** What the files of a capture are named by. */
export interface NamedCapture {
  readonly service: string;
  readonly pid: number;
  readonly serial: number;
  readonly startMs: number;
  readonly directory: string;
}

/** `orders-4711-20260102T030405.678Z-e3`: sorts by service, process and time. */
export const baseName = (job: NamedCapture): string =>
  `${job.service}-${job.pid}-${stamp(job.startMs)}-e${job.serial}`;

export function fileName(job: NamedCapture, artifact: ProfileArtifact, extension: string): string {
  const window = artifact.window === 'during' ? '' : `-${artifact.window}`;
  const { service, pid, serial } = job;
  const thread = artifact.threadId === allThreads ? 'all' : `t${artifact.threadId}`;
  const head = `${service}-${pid}-${thread}-${artifact.kind}${window}`;
  return `${head}-${stamp(job.startMs)}-e${serial}.${extension}`;
}

const stamp = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]/g, '');

/** A file of a capture that has been written. */
export function fileOf(
  job: NamedCapture,
  name: string,
  kind: string,
  format: CaptureFile['format'],
  threadId: number,
  window: CaptureFile['window'],
): CaptureFile {
  const path = join(job.directory, name);
  return { name, path, sizeBytes: statSync(path).size, kind, format, threadId, window };
}
