import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../core/base/errors.ts';
import type { ProfileArtifact } from '../../core/contract/profile-kind.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture, CaptureFile, CaptureTrigger } from '../../core/contract/sink.ts';
import { buildVerdict, type VerdictProfile } from '../verdict/build.ts';
import type { StallFacts } from '../verdict/evidence.ts';
import { verdictPage } from '../verdict/markdown.ts';
import { hottestLine } from '../verdict/summary.ts';
import { troubledCpu } from '../verdict/troubled-cpu.ts';
import { type DirectoryBounds, enforceBounds, linkLatest, writePrivate } from './directory.ts';
import { encodeAllThreads, encodeArtifact, encodeBefore } from './encode.ts';
import { baseName, fileOf } from './file-names.ts';

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
  await encodeAllThreads(job, files, profiles).catch((error: unknown) => {
    missing.push(`cpu of all threads together: ${messageOf(error)}`);
  });
  await encodeBefore(job, files, profiles).catch((error: unknown) => {
    missing.push(`before: ${messageOf(error)}`);
  });
  const verdict = buildVerdict({
    service: job.service,
    trigger: job.trigger,
    samples: job.samples,
    profiles,
    stallCpuShare: job.stallCpuShare,
    ...(await hotLineOf(profiles)),
    ...(job.trigger.signal === 'stallMs' && { stall: stallOf(job) }),
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

/** The capture of a stall ends with the stall, or after the time that its rule gives it. */
function stallOf({ startMs, endMs, troubleMs, trigger }: CaptureJob): StallFacts {
  const limitMs = Number(trigger.settings['durationMs'] ?? 0);
  return { startMs: troubleMs, lastedMs: endMs - troubleMs, isOver: endMs - startMs < limitMs };
}

/** Place and text of the line that executes most, from disk; at most 300 characters of it. */
async function hotLineOf(
  profiles: readonly VerdictProfile[],
): Promise<{ hotLine: string; hotPlace: string }> {
  const none = { hotLine: '', hotPlace: '' };
  const cpu = troubledCpu(profiles);
  const place = cpu === undefined ? undefined : hottestLine(cpu);
  if (place === undefined) return none;
  try {
    const path = place.url.startsWith('file://') ? fileURLToPath(place.url) : place.url;
    if ((await stat(path)).size > maxSourceBytes) return none;
    const text = (await readFile(path, 'utf8')).split('\n')[place.line - 1] ?? '';
    return { hotLine: text.slice(0, 300), hotPlace: place.isSampled ? `${path}:${place.line}` : '' };
  } catch {
    return none;
  }
}

const maxSourceBytes = 16 * 1024 * 1024;

const withSamples = (capture: Capture, samples: readonly SignalSample[]): object => ({ ...capture, samples });
