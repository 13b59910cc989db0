import { renameSync, rmSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../core/base/errors.ts';
import type { ProfileArtifact } from '../../core/contract/profile-kind.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture, CaptureFile, CaptureTrigger } from '../../core/contract/sink.ts';
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
import { buildVerdict, troubledCpu, type VerdictProfile } from '../verdict/build.ts';
import { verdictPage } from '../verdict/markdown.ts';
import { hottestLine } from '../verdict/summary.ts';
import { type DirectoryBounds, enforceBounds, linkLatest, writePrivate } from './directory.ts';
import { baseName, fileName, fileOf } from './file-names.ts';
import { mergeProfiles } from './merge.ts';

/** Everything a capture consists of before it is encoded: plain data, sent to the pool. */
export interface CaptureJob {
  readonly id: string;
  readonly eventId: string;
  readonly serial: number;
  readonly service: string;
  readonly pid: number;
  readonly directory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly trigger: CaptureTrigger;
  readonly artifacts: readonly ProfileArtifact[];
  readonly samples: readonly SignalSample[];
  readonly startMs: number;
  readonly endMs: number;
  /** When what was captured began, e.g. the stall: earlier windows are quiet. */
  readonly troubleMs: number;
  readonly stallCpuShare: number;
  readonly missing: readonly string[];
  readonly bounds: DirectoryBounds;
  /** Writes V8's own JSON beside the pprof file. */
  readonly keepRaw: boolean;
}

/** Turns raw evidence into files, a verdict and one record. The only place that encodes; runs in a pool thread. */
export async function runCaptureJob(job: CaptureJob): Promise<Capture> {
  const files: CaptureFile[] = [];
  const profiles: VerdictProfile[] = [];
  const missing = [...job.missing];
  for (const artifact of job.artifacts.filter((one) => one.window !== 'before')) {
    await encodeArtifact(job, artifact, files, profiles).catch((error: unknown) => {
      missing.push(`${artifact.kind}: ${messageOf(error)}`);
    });
  }
  await encodeBefore(job, files, profiles).catch((error: unknown) => {
    missing.push(`before: ${messageOf(error)}`);
  });
  const verdict = buildVerdict({
    service: job.service,
    trigger: job.trigger,
    samples: job.samples,
    profiles,
    stallCpuShare: job.stallCpuShare,
    hotLine: await hotLineOf(profiles),
    missing,
  });
  const { id, eventId, service, pid, startMs, labels, trigger } = job;
  const durationMs = job.endMs - startMs;
  const head = { schema: 1, id, eventId, service, pid, startMs, durationMs, labels, trigger } as const;
  const page = `${baseName(job)}.verdict.md`;
  writePrivate(join(job.directory, page), verdictPage({ ...head, files }, verdict));
  files.push(fileOf(job, page, 'verdict', 'markdown', 0, 'none'));
  const record = `${baseName(job)}.verdict.json`;
  const capture: Capture = { ...head, files: [...files], verdict };
  writePrivate(
    join(job.directory, record),
    `${JSON.stringify(withSamples(capture, job.samples), null, 1)}\n`,
  );
  files.push(fileOf(job, record, 'verdict', 'json', 0, 'none'));
  linkLatest(job.directory, page);
  enforceBounds(job.directory, job.bounds, job.endMs);
  return { ...head, files, verdict };
}

/** The text of the line that executes most, from disk; at most 300 characters of it. */
async function hotLineOf(profiles: readonly VerdictProfile[]): Promise<string> {
  const cpu = troubledCpu(profiles);
  const place = cpu === undefined ? undefined : hottestLine(cpu);
  if (place === undefined) return '';
  try {
    const path = place.url.startsWith('file://') ? fileURLToPath(place.url) : place.url;
    if ((await stat(path)).size > maxSourceBytes) return '';
    return ((await readFile(path, 'utf8')).split('\n')[place.line - 1] ?? '').slice(0, 300);
  } catch {
    return '';
  }
}

const maxSourceBytes = 16 * 1024 * 1024;

const withSamples = (capture: Capture, samples: readonly SignalSample[]): object => ({ ...capture, samples });

async function encodeArtifact(
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
async function encodeBefore(
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
    if (merged !== undefined)
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
  profiles.push({ profile, threadId: artifact.threadId, window: artifact.window });
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
