import { messageOf } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture } from '../../core/contract/sink.ts';
import { openDirectory } from '../captures/directory.ts';
import type {
  BackendInUse,
  ManualCapture,
  MonitorControl,
  MonitorEvent,
  MonitorStatus,
} from '../contract.ts';
import type { MonitorSettings } from '../options.ts';
import { createProfileKinds } from '../profiles/kinds.ts';
import type { SharedState } from '../shared-state.ts';
import { SignalLog, urgentLine } from '../signals/signal-log.ts';
import { SinkQueue } from '../sinks/queue.ts';
import { AppLink } from './app-link.ts';
import { type CaptureOrder, Capturer } from './capturer.ts';
import { nowMs } from './cpu-profiler.ts';
import { manualOrder } from './manual-order.ts';
import { collectOwnGarbage } from './own-garbage.ts';
import { Pulse } from './pulse.ts';
import { RuleRunner } from './rule-runner.ts';
import { Sampler } from './sampler.ts';

export interface AgentOptions {
  readonly id: string;
  readonly settings: MonitorSettings;
  readonly state: SharedState;
  readonly oldSpaceBytes: number;
  /** URL of the worker's own file: its thread is not profiled. */
  readonly ownUrl: string;
  readonly backend: BackendInUse;
}

/** By then all that runs regularly has been loaded and compiled. */
const settledMs = 3000;

/** The monitor as it runs in its worker thread: sessions, signals, rules, captures, sinks. */
export class MonitorAgent implements MonitorControl {
  readonly sampler: Sampler;
  readonly #options: AgentOptions;
  readonly #link: AppLink;
  readonly #capturer: Capturer;
  readonly #runner: RuleRunner;
  readonly #sinks: SinkQueue;
  readonly #listeners = new Set<(event: MonitorEvent) => void>();
  readonly #startedMs = nowMs();
  readonly #pulse: Pulse;
  #log: SignalLog | undefined;
  #settled: NodeJS.Timeout | undefined;
  #endCollection = (): void => {};
  #paused = false;
  #stopped = false;
  #problems = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { settings, state } = options;
    this.#link = new AppLink(options);
    this.sampler = new Sampler(state, this.#link.session, settings, options.oldSpaceBytes);
    this.#pulse = new Pulse(this.sampler, settings.intervalMs, {
      tick: (sample) => this.#onTick(sample),
      look: (sample) => this.#onLook(sample),
      problem: (message) => this.problem(message),
    });
    const isOwnThread = (url: string, threadId: number): boolean =>
      url === options.ownUrl || this.#capturer.threadIds().includes(threadId);
    this.#capturer = new Capturer({
      settings,
      kinds: createProfileKinds(this.#link.kindContext(isOwnThread)),
      target: this.#link.target(),
      emergencyAccess: this.#link.emergencyAccess(),
      samples: () => this.#runner.samples(),
      labels: { pid: String(process.pid), node: process.version },
      note: options.backend.note,
    });
    this.#sinks = new SinkQueue(settings.sinks, settings.service, (message) => this.problem(message));
    this.#runner = new RuleRunner(settings, options.oldSpaceBytes, {
      take: (order, ruleName) => this.#take(order, ruleName),
      refusal: (order) => this.#capturer.refusal(order),
      prepare: (kind) => this.#link.prepare(kind),
      collectGarbage: () => this.#link.session.post('HeapProfiler.collectGarbage').then(() => {}),
      readHeap: () => this.#link.hooks.readHeap(),
      emit: (event) => this.emit(event),
      stall: () => this.sampler.stall,
    });
  }

  async start(): Promise<void> {
    const { settings } = this.#options;
    openDirectory(settings.directory);
    if (settings.record !== undefined)
      this.#log = new SignalLog({ ...settings.record, onProblem: (message) => this.problem(message) });
    const { backend } = this.#options;
    if (backend.note !== '') this.problem(backend.note);
    await this.#link.start(this.sampler.isBlocked());
    if (this.#stopped) return;
    this.#pulse.start();
    this.#settled = setTimeout(() => {
      this.#endCollection = collectOwnGarbage();
    }, settledMs);
  }

  status(): MonitorStatus {
    const { settings } = this.#options;
    const { taken, held, failed, degraded } = this.#capturer.counters;
    return {
      pid: process.pid,
      service: settings.service,
      nodeVersion: process.version,
      startedMs: this.#startedMs,
      paused: this.#paused,
      directory: settings.directory,
      backend: this.#options.backend,
      rules: this.#runner.states(nowMs()),
      latest: this.#runner.samples().at(-1),
      capturing: this.#capturer.current,
      counters: {
        capturesTaken: taken,
        capturesHeld: held,
        capturesFailed: failed,
        capturesDegraded: degraded,
        tickOverruns: this.#pulse.overruns,
        problems: this.#problems,
        ...this.#sinks.counters(),
      },
    };
  }

  signals(): readonly SignalSample[] {
    return this.#runner.samples();
  }

  captures(): readonly Capture[] {
    return this.#capturer.captures;
  }

  capture(request: ManualCapture): Promise<Capture> {
    return this.#take(manualOrder(request, nowMs()));
  }

  /** The checker is loaded with the first change: an idle monitor pays nothing for it. */
  async setRules(rules: unknown): Promise<void> {
    const { parseRules } = await import('../rules/parse.ts');
    this.#runner.setRules(parseRules(rules));
  }

  pause(): void {
    this.#paused = true;
    this.#runner.pause(true);
  }

  resume(): void {
    this.#paused = false;
    this.#runner.pause(false);
  }

  onEvent(listener: (event: MonitorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: MonitorEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The monitor's own trouble: told, counted, never thrown. */
  problem(message: string): void {
    this.#problems++;
    this.emit({ type: 'problem', atMs: nowMs(), message });
  }

  /** Ends every session at once; the application may exit right after. */
  release(): void {
    this.#stopped = true;
    this.#pulse.stop();
    this.#log?.close();
    clearTimeout(this.#settled);
    this.#endCollection();
    this.#link.release();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#pulse.stop();
    await this.#link.stop();
    await this.#sinks.close();
    this.release();
    await this.#capturer.close();
  }

  #onTick(sample: SignalSample): void {
    this.emit({ type: 'sample', sample });
    this.#log?.write(sample);
    this.#runner.step(sample);
    void this.#lookAgain();
  }

  #onLook(sample: SignalSample): void {
    this.emit({ type: 'sample', sample, urgent: true });
    this.#log?.write(urgentLine(sample));
    this.#runner.look(sample);
  }

  async #take(order: CaptureOrder, ruleName?: string): Promise<Capture> {
    const capture = await this.#capturer.take(order);
    if (ruleName !== undefined) this.#runner.captured(ruleName, nowMs());
    if (order.transient !== true) this.#deliver(capture);
    return capture;
  }

  async #lookAgain(): Promise<void> {
    try {
      const capture = await this.#capturer.lookAgain();
      if (capture !== undefined) this.#deliver(capture);
    } catch (error) {
      this.problem(messageOf(error));
    }
  }

  #deliver(capture: Capture): void {
    this.emit({ type: 'capture', capture });
    this.#sinks.push(capture);
  }
}
