import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileArtifact } from '../../core/contract/profile-kind.ts';
import type { CaptureFile } from '../../core/contract/sink.ts';
import { fromNative } from '../backends/native.ts';
import {
  encodePprof,
  fromCpuProfile,
  fromHeapProfile,
  fromHeapSamples,
  type RawCpuProfile,
  type RawHeapProfile,
  symbolise,
} from '../pprof/index.ts';
import type { Profile } from '../profile-model.ts';
import type { HeapGrowth } from '../profiles/heap.ts';
import { coroutinesOf } from '../snapshot/index.ts';
import type { VerdictProfile } from '../verdict/build.ts';
import { linkLatest, writePrivate } from './directory.ts';
import { fileName, fileOf } from './file-names.ts';
import type { CaptureJob } from './job.ts';
import { allThreads, mergeProfiles, mergeThreads } from './merge.ts';

/** Writes what one artifact holds as files, and adds its profile to those that the verdict is made from. */
export async function encodeArtifact(
  job: CaptureJob,
  artifact: ProfileArtifact,
  files: CaptureFile[],
  profiles: VerdictProfile[],
): Promise<void> {
  if (artifact.format === 'report' || artifact.format === 'gc-trace' || artifact.format === 'json') {
    const name = fileName(job, artifact, 'json');
    writePrivate(join(job.directory, name), JSON.stringify(artifact.data, null, 1));
    files.push(fileOf(job, name, artifact.kind, 'json', artifact.threadId, artifact.window));
    return;
  }
  if (artifact.format === 'heapsnapshot') return encodeSnapshot(job, artifact, files, profiles);
  if (job.keepRaw && (artifact.format === 'cpuprofile' || artifact.format === 'heapprofile')) {
    const name = fileName(job, artifact, artifact.format);
    writePrivate(join(job.directory, name), JSON.stringify(artifact.data));
    files.push(fileOf(job, name, artifact.kind, artifact.format, artifact.threadId, artifact.window));
  }
  await addProfile(job, artifact, await symbolise(profileOf(job, artifact)), files, profiles);
}

/** CPU time of the threads that were sampled side by side, once more as one profile. */
export async function encodeAllThreads(
  job: CaptureJob,
  files: CaptureFile[],
  profiles: VerdictProfile[],
): Promise<void> {
  const each = profiles.filter(({ profile, window }) => profile.kind === 'cpu' && window === 'during');
  const together = mergeThreads(each.map(({ profile }) => profile));
  if (together === undefined) return;
  const { startMs, durationMs } = together;
  const about = { kind: 'cpu', threadId: allThreads, threadName: 'all threads', window: 'during' } as const;
  const artifact: ProfileArtifact = {
    ...about,
    format: 'profile-model',
    startMs,
    durationMs,
    data: undefined,
  };
  await addProfile(job, artifact, together, files, profiles);
}

/** A snapshot stays as it is; the coroutine dump keeps only what was found in it. */
async function encodeSnapshot(
  job: CaptureJob,
  artifact: ProfileArtifact,
  files: CaptureFile[],
  profiles: VerdictProfile[],
): Promise<void> {
  const path = String(artifact.data);
  if (artifact.kind === 'snapshot') {
    const name = fileName(job, artifact, 'heapsnapshot');
    renameSync(path, join(job.directory, name));
    files.push(fileOf(job, name, artifact.kind, 'heapsnapshot', artifact.threadId, artifact.window));
    return;
  }
  try {
    const labels = labelsOf(job, artifact);
    const profile = await coroutinesOf(path, { startMs: artifact.startMs, labels });
    await addProfile(job, artifact, await symbolise(profile), files, profiles);
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * The flight recorder's windows as two profiles: what led to the trigger, and the quiet time before that.
 * The window in which the trouble began is cut there.
 */
export async function encodeBefore(
  job: CaptureJob,
  files: CaptureFile[],
  profiles: VerdictProfile[],
): Promise<void> {
  const windows = job.artifacts.filter((one) => one.window === 'before' && one.format === 'cpuprofile');
  if (windows.length === 0) return;
  const during: Profile[] = [];
  const quiet: Profile[] = [];
  for (const artifact of windows) {
    const raw = artifact.data as RawCpuProfile;
    const endMs = artifact.startMs + artifact.durationMs;
    const cutUs = raw.endTime - (endMs - job.troubleMs) * 1000;
    if (endMs > job.troubleMs) during.push(cpuProfileOf(job, artifact, { fromUs: cutUs }));
    if (artifact.startMs < job.troubleMs) quiet.push(cpuProfileOf(job, artifact, { toUs: cutUs }));
  }
  const [first] = windows;
  if (first === undefined) return;
  for (const [list, window] of [
    [during, 'before'],
    [quiet, 'quiet'],
  ] as const) {
    const merged = mergeProfiles(list);
    if (merged !== undefined && (merged.samples.length > 0 || windows.length === list.length))
      await addProfile(job, { ...first, window }, await symbolise(merged), files, profiles);
  }
}

function cpuProfileOf(
  job: CaptureJob,
  artifact: ProfileArtifact,
  cut: { fromUs?: number; toUs?: number },
): Profile {
  const raw = artifact.data as RawCpuProfile;
  const { startMs, durationMs } = artifact;
  return fromCpuProfile(raw, { kind: 'cpu', startMs, durationMs, labels: labelsOf(job, artifact), ...cut });
}

function profileOf(job: CaptureJob, artifact: ProfileArtifact): Profile {
  const { kind, startMs, durationMs } = artifact;
  const labels = labelsOf(job, artifact);
  if (artifact.format === 'cpuprofile') return { ...cpuProfileOf(job, artifact, {}), kind };
  if (artifact.format === 'heapprofile') {
    return fromHeapProfile(artifact.data as RawHeapProfile, { kind, startMs, durationMs, labels });
  }
  if (artifact.format === 'heap-growth') {
    const { raw, since } = artifact.data as HeapGrowth;
    return fromHeapSamples(raw, since, { kind, startMs, durationMs, labels });
  }
  const profile =
    artifact.format === 'pprof'
      ? { ...fromNative(Buffer.from(String(artifact.data), 'base64'), kind), startMs, durationMs }
      : (artifact.data as Profile);
  return { ...profile, labels: { ...profile.labels, ...labels } };
}

async function addProfile(
  job: CaptureJob,
  artifact: ProfileArtifact,
  profile: Profile,
  files: CaptureFile[],
  profiles: VerdictProfile[],
): Promise<void> {
  const { threadId, threadName, window } = artifact;
  profiles.push({ profile, threadId, ...(threadName !== undefined && { threadName }), window });
  const name = fileName(job, artifact, 'pb.gz');
  writePrivate(join(job.directory, name), encodePprof(profile));
  // The trouble itself, of the main thread; what the recorder has of it stands in where nothing was sampled since.
  const isBetter = files.some(({ kind, format }) => kind === artifact.kind && format === 'pprof');
  if (!isBetter && artifact.window !== 'quiet')
    linkLatest(job.directory, name, `latest-${artifact.kind}.pb.gz`);
  files.push(fileOf(job, name, artifact.kind, 'pprof', artifact.threadId, artifact.window));
}

function labelsOf(job: CaptureJob, artifact: ProfileArtifact): Record<string, string> {
  return {
    ...job.labels,
    ...artifact.labels,
    service: job.service,
    trigger: job.trigger.rule,
    thread: artifact.threadName ?? String(artifact.threadId),
  };
}
