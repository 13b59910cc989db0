import { join } from 'node:path';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { siblingUrl } from '../../core/base/sibling.ts';
import type { ProfileArtifact, ProfileKind, ProfileTarget } from '../../core/contract/profile-kind.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture, CaptureTrigger } from '../../core/contract/sink.ts';
import type { Offload } from '../../core/offload/pool.ts';
import type { CaptureJob } from '../captures/job.ts';
import type { MonitorSettings } from '../options.ts';
import { CaptureBounds } from './bounds.ts';
import { collect } from './collect.ts';
import { nowMs } from './cpu-profiler.ts';
import { type Emergency, type EmergencyAccess, Refuted, takeEvidence } from './emergency.ts';
import { SecondLook } from './second-look.ts';

export interface CaptureOrder {
  readonly trigger: CaptureTrigger;
  readonly kinds: readonly string[];
  readonly durationMs: number;
  readonly eventId?: string;
  readonly deep?: boolean;
  readonly maxHeapBytes?: number;
  /** Only this thread; 0 is the main thread. */
  readonly threadId?: number;
  readonly signal?: AbortSignal;
  /** When the trouble began; earlier recorder windows are quiet. */
  readonly troubleMs: number;
  readonly stallCpuShare: number;
  readonly emergency?: Emergency;
  /** Somebody asked: global bounds do not apply. */
  readonly manual: boolean;
  /** See `ManualCapture.transient`. @default false */
  readonly transient?: boolean;
}

export interface CapturerParts {
  readonly settings: MonitorSettings;
  readonly kinds: readonly ProfileKind[];
  readonly target: ProfileTarget;
  readonly emergencyAccess: EmergencyAccess;
  readonly samples: () => readonly SignalSample[];
  readonly labels: Readonly<Record<string, string>>;
  /** What every page says is missing; '' for nothing. */
  readonly note: string;
}

const keptCaptures = 100;
/** Of those who take them away: profile, page and record of four. */
const pulledFiles = 12;

/** Takes captures one at a time, encodes them in a pool thread, remembers the last hundred. */
export class Capturer {
  readonly captures: Capture[] = [];
  readonly counters = { taken: 0, held: 0, failed: 0, degraded: 0 };
  readonly #parts: CapturerParts;
  readonly #bounds: CaptureBounds;
  readonly #secondLook = new SecondLook();
  #serial = 0;
  #current: string | undefined;
  #pool: Offload<PoolJob, Capture | undefined> | undefined;

  constructor(parts: CapturerParts) {
    this.#parts = parts;
    this.#bounds = new CaptureBounds(parts.settings.bounds);
  }

  /** The rule whose capture is being taken. */
  get current(): string | undefined {
    return this.#current;
  }

  /** Why a capture cannot be taken now; empty when it can. */
  refusal(order: CaptureOrder): string {
    if (order.manual || order.emergency !== undefined) return '';
    if (this.#current !== undefined) return `busy with "${this.#current}"`;
    return this.#bounds.allows(order.trigger.atMs) === 'nothing'
      ? 'captures of this hour used up for all rules'
      : '';
  }

  /** Throws ERR_MONITOR_CAPTURE when nothing could be written. */
  async take(order: CaptureOrder): Promise<Capture> {
    const refused = this.refusal(order);
    if (refused !== '') {
      this.counters.held++;
      throw new HeddleError('ERR_MONITOR_CAPTURE', `${order.trigger.rule}: ${refused}`);
    }
    const outer = this.#current;
    this.#current = order.trigger.rule;
    try {
      const capture = await this.#take(order);
      return order.transient ? capture : this.#remember(capture);
    } catch (error) {
      if (error instanceof Refuted) throw error;
      this.counters.failed++;
      throw HeddleError.from(error, 'ERR_MONITOR_CAPTURE', { rule: order.trigger.rule });
    } finally {
      this.#current = outer;
    }
  }

  /** Call it with each regular sample: an emergency that could not be judged at once may be judged now. */
  async lookAgain(): Promise<Capture | undefined> {
    const due = this.#secondLook.due(this.#parts.samples());
    if (due === undefined) return undefined;
    const { runCaptureJob } = await import('../captures/job.ts');
    const serial = ++this.#serial;
    return this.#remember(await runCaptureJob({ ...due, serial, id: this.#idOf(due.startMs, serial) }));
  }

  /** Threads of the encoder: they are the monitor's own. */
  threadIds(): readonly number[] {
    return this.#pool?.threadIds() ?? [];
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }

  async #take(order: CaptureOrder): Promise<Capture> {
    const { kinds, target, settings } = this.#parts;
    const startMs = nowMs();
    const degraded =
      !order.manual && order.emergency === undefined && this.#bounds.allows(startMs) === 'ring';
    if (degraded) this.counters.degraded++;
    const wanted = degraded ? ['before', 'in-flight'] : order.kinds;
    const { durationMs, deep, maxHeapBytes, signal } = order;
    const request = {
      durationMs,
      ...(deep && { deep }),
      ...(maxHeapBytes && { maxHeapBytes }),
      ...(signal && { signal }),
    };
    const serial = ++this.#serial;
    if (order.emergency !== undefined) return this.#takeEmergency(order, order.emergency, serial, startMs);
    const warm = this.#warmPool();
    const collected = await collect(kinds, wanted, target, request);
    const { missing } = collected;
    const { threadId } = order;
    const artifacts = collected.artifacts.filter(
      (one) => threadId === undefined || one.threadId === threadId,
    );
    const endMs = nowMs();
    if (!order.manual) this.#bounds.spend(endMs, degraded ? 0 : endMs - startMs);
    const job = this.#job(order, serial, startMs, endMs, artifacts, missing);
    if (artifacts.length === 0 && order.manual)
      throw new Error(missing.join('; ') || `there is no thread ${threadId} to take ${wanted.join(', ')} of`);
    try {
      const capture = await (await warm).run(job);
      if (capture === undefined) throw new Error('the encoder gave no answer');
      return capture;
    } catch (error) {
      throw new Error(`${settings.directory}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Encoded here, because a pool thread starts too late. */
  async #takeEmergency(
    order: CaptureOrder,
    emergency: Emergency,
    serial: number,
    startMs: number,
  ): Promise<Capture> {
    const { emergencyAccess, settings } = this.#parts;
    const { service, directory } = settings;
    const name = `${service}-${process.pid}-t0-heap-near-limit-${Math.round(startMs)}-e${serial}.heapprofile`;
    try {
      const evidence = takeEvidence(emergencyAccess, emergency, { directory, name });
      // While the application collects its garbage for it: each moment counts.
      const encoder = import('../captures/job.ts');
      encoder.catch(() => {});
      const { artifacts, missing } = await evidence;
      const job = this.#job(order, serial, startMs, nowMs(), artifacts, missing);
      const capture = await (await encoder).runCaptureJob(job);
      this.#secondLook.watch({ job, freedBelowBytes: emergency.refuteBelowBytes });
      return capture;
    } finally {
      emergencyAccess.resume();
    }
  }

  #remember(capture: Capture): Capture {
    this.counters.taken++;
    this.captures.push(capture);
    if (this.captures.length > keptCaptures) this.captures.shift();
    return capture;
  }

  #idOf(startMs: number, serial: number): string {
    return `${this.#parts.settings.service}-${process.pid}-${Math.round(startMs)}-e${serial}`;
  }

  /** The pool is loaded with the first capture: an idle monitor pays nothing for it. */
  async #warmPool(): Promise<Offload<PoolJob, Capture | undefined>> {
    this.#pool ??= await openPool();
    void this.#pool.run('warm').catch(() => {});
    return this.#pool;
  }

  #job(
    order: CaptureOrder,
    serial: number,
    startMs: number,
    endMs: number,
    artifacts: readonly ProfileArtifact[],
    missing: readonly string[],
  ): CaptureJob {
    const { settings, samples, labels, note } = this.#parts;
    const { service, keepRaw } = settings;
    const place = order.transient
      ? {
          directory: join(settings.directory, 'pulled'),
          bounds: { ...settings.bounds, maxFiles: pulledFiles },
        }
      : { directory: settings.directory, bounds: settings.bounds };
    const eventId = order.eventId ?? `e${serial}`;
    return {
      id: this.#idOf(startMs, serial),
      eventId,
      serial,
      service,
      pid: process.pid,
      ...place,
      labels: { ...settings.labels, ...labels },
      trigger: order.trigger,
      artifacts,
      samples: samples(),
      startMs,
      endMs,
      troubleMs: order.troubleMs,
      stallCpuShare: order.stallCpuShare,
      missing: note === '' ? missing : [...missing, note],
      keepRaw,
    };
  }
}

type PoolJob = CaptureJob | 'warm';

async function openPool(): Promise<Offload<PoolJob, Capture | undefined>> {
  const { createOffload } = await import('../../core/offload/pool.ts');
  return createOffload(siblingUrl('../captures/capture-job.worker', import.meta.url));
}
