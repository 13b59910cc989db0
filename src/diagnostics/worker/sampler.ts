import { availableParallelism } from 'node:os';
import type { InspectorSession } from '../../core/contract/profile-kind.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { HookReport } from '../hooks/install.ts';
import type { MonitorSettings } from '../options.ts';
import type { SharedState } from '../shared-state.ts';
import { AppSignals } from '../signals/app-signals.ts';
import { HostSignals } from '../signals/host-signals.ts';
import { pinnedText } from '../signals/read-text.ts';
import { type StallView, StallWatch } from '../signals/stall-watch.ts';
import { nowMs } from './cpu-profiler.ts';

/** Time between two looks at the heartbeat at most, and while something is wrong or may be. */
const calmPollMs = 200;
export const troubledPollMs = 50;
/** A beat that is later than this is overdue. */
const graceMs = 100;
/** One that is later than this may become so: worth a look sooner. */
const lateMs = 25;

/** Looks divide the interval evenly, so that ticks do not drift. */
export const pollMsOf = (intervalMs: number): number => intervalMs / Math.ceil(intervalMs / calmPollMs);

/** Makes samples: regular ones from every source, and quick looks at the heartbeat and heap in between. */
export class Sampler {
  stall: StallView;
  readonly #state: SharedState;
  readonly #session: InspectorSession;
  readonly #host: HostSignals;
  readonly #app: AppSignals;
  readonly #watch: StallWatch;
  readonly #oldSpaceBytes: number;
  #lastOwnCpu = process.threadCpuUsage?.();
  #lastTickMs = 0;
  #latest: SignalSample | undefined;
  #asking = false;

  constructor(
    state: SharedState,
    session: InspectorSession,
    settings: MonitorSettings,
    oldSpaceBytes: number,
  ) {
    this.#state = state;
    this.#session = session;
    this.#oldSpaceBytes = oldSpaceBytes;
    const cpuMs = (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
    this.#host = new HostSignals({
      pid: process.pid,
      cores: availableParallelism(),
      cpuMs,
      ...(settings.memoryLimitBytes !== undefined && { memoryLimitBytes: settings.memoryLimitBytes }),
      ...(settings.cpuCores !== undefined && { cpuCores: settings.cpuCores }),
    });
    this.#app = new AppSignals(state, { oldSpaceBytes });
    this.#watch = new StallWatch(state, pinnedText(), process.pid, {
      pollMs: pollMsOf(settings.intervalMs),
      graceMs,
    });
    this.stall = this.#watch.poll();
  }

  accept(report: HookReport): void {
    this.#app.accept(report);
  }

  /** Asks the application for its numbers; call it one look before a tick, so that they are there and fresh. */
  ask(): void {
    this.#state.raise('asked', this.#state.flag('asked') + 1);
  }

  /** The regular sample of a tick. */
  tick(): SignalSample {
    const atMs = nowMs();
    this.#look();
    const values = { ...this.#host.read(atMs), ...this.#app.read(atMs, this.stall.stallMs) };
    const own = this.#ownCpuPercent(atMs);
    if (own !== undefined) values['monitorCpuPercent'] = own;
    this.#latest = { atMs, values };
    return this.#latest;
  }

  /** A quick look; a sample only when a rule might care: the loop stands still or the heap is more than half full. */
  poll(): SignalSample | undefined {
    this.#look();
    const heapUsedBytes = this.#state.get('heapUsedBytes');
    const heapOfLimitPercent = this.#heapOfLimitPercent();
    if (this.stall.stallMs < graceMs && heapOfLimitPercent < 50) return undefined;
    const { stallMs } = this.stall;
    return { atMs: nowMs(), values: { ...this.#latest?.values, stallMs, heapUsedBytes, heapOfLimitPercent } };
  }

  /** Whether the next look should come soon: a beat is late, or the heap is more than half full. */
  isTroubled(): boolean {
    return this.#isLate() || this.#heapOfLimitPercent() >= 50;
  }

  /** Whether the loop stands still right now. */
  isBlocked(): boolean {
    this.#look();
    return this.stall.stallMs > 0;
  }

  #look(): void {
    this.stall = this.#watch.poll();
    if (this.#isLate()) this.#askHeap();
  }

  #isLate(): boolean {
    return nowMs() - this.#state.get('dueMs') > lateMs;
  }

  #heapOfLimitPercent(): number {
    return (this.#state.get('heapUsedBytes') / this.#oldSpaceBytes) * 100;
  }

  /** A blocked application does not write its heap into the shared state; the inspector can ask (0.1 ms). */
  #askHeap(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#session
      .post<{ usedSize: number }>('Runtime.getHeapUsage')
      .then(({ usedSize }) => this.#state.set('heapUsedBytes', usedSize))
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
      });
  }

  #ownCpuPercent(atMs: number): number | undefined {
    const usage = process.threadCpuUsage?.();
    const last = this.#lastOwnCpu;
    const elapsedMs = atMs - this.#lastTickMs;
    this.#lastOwnCpu = usage;
    const isFirst = this.#lastTickMs === 0;
    this.#lastTickMs = atMs;
    if (usage === undefined || last === undefined || isFirst || elapsedMs <= 0) return undefined;
    return ((usage.user + usage.system - last.user - last.system) / 1000 / elapsedMs) * 100;
  }
}
