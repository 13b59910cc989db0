import { messageOf } from '../../core/base/errors.ts';
import type { ProfileTarget } from '../../core/contract/profile-kind.ts';
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
import { hookExpression } from '../hooks/registry.ts';
import type { MonitorSettings } from '../options.ts';
import type { KindContext } from '../profiles/context.ts';
import { createProfileKinds } from '../profiles/kinds.ts';
import { inspectedHeap, nativeHeap, type StandingHeap } from '../profiles/standing-heap.ts';
import type { SharedState } from '../shared-state.ts';
import { SignalLog, urgentLine } from '../signals/signal-log.ts';
import { SinkQueue } from '../sinks/queue.ts';
import { type CaptureOrder, Capturer } from './capturer.ts';
import { nowMs } from './cpu-profiler.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { evaluate, type MainSession } from './main-session.ts';
import { MainSessions } from './main-sessions.ts';
import { RuleRunner } from './rule-runner.ts';
import { pollMsOf, Sampler, troubledPollMs } from './sampler.ts';
import { withSiblings } from './sibling-threads.ts';

export interface AgentOptions {
  readonly id: string;
  readonly settings: MonitorSettings;
  readonly state: SharedState;
  readonly oldSpaceBytes: number;
  /** URL of the worker's own file: its thread is not profiled. */
  readonly ownUrl: string;
  readonly backend: BackendInUse;
}

/** The monitor as it runs in its worker thread: sessions, signals, rules, captures, sinks. */
export class MonitorAgent implements MonitorControl {
  readonly sampler: Sampler;
  readonly #options: AgentOptions;
  readonly #session: MainSession;
  readonly #sessions = new MainSessions();
  readonly #standingHeap: StandingHeap;
  readonly #capturer: Capturer;
  readonly #runner: RuleRunner;
  readonly #sinks: SinkQueue;
  readonly #recorder: FlightRecorder | undefined;
  readonly #listeners = new Set<(event: MonitorEvent) => void>();
  readonly #startedMs = nowMs();
  readonly #pollMs: number;
  #log: SignalLog | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastTickMs = 0;
  #paused = false;
  #stopped = false;
  #tickOverruns = 0;
  #problems = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { settings, state } = options;
    this.#pollMs = pollMsOf(settings.intervalMs);
    this.#session = this.#sessions.connect();
    const hook = (method: string, argument?: unknown): Promise<unknown> => this.#hook(method, argument);
    this.#standingHeap =
      options.backend.name === 'inspector'
        ? inspectedHeap(this.#session, settings.heapSamplingBytes)
        : nativeHeap(hook, settings.heapSamplingBytes);
    this.sampler = new Sampler(state, this.#session, settings, options.oldSpaceBytes);
    this.#recorder =
      settings.recorder === undefined
        ? undefined
        : new FlightRecorder(this.#session, options.id, settings.recorder);
    const target: ProfileTarget = {
      pid: process.pid,
      threadId: 0,
      threadName: 'main',
      session: this.#session,
    };
    this.#capturer = new Capturer({
      settings,
      kinds: createProfileKinds(this.#kindContext()),
      target,
      samples: () => this.#runner.samples(),
      labels: { pid: String(process.pid), node: process.version },
      note: options.backend.note,
    });
    this.#sinks = new SinkQueue(settings.sinks, settings.service, (message) => this.problem(message));
    this.#runner = new RuleRunner(settings, options.oldSpaceBytes, {
      take: (order, ruleName) => this.#take(order, ruleName),
      refusal: (order) => this.#capturer.refusal(order),
      prepare: (kind) => this.#prepare(kind),
      collectGarbage: () => this.#session.post('HeapProfiler.collectGarbage').then(() => {}),
      readHeap: () => this.#readHeap(),
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
    if (settings.heapSamplingBytes > 0) await this.#standingHeap.start();
    await this.#recorder?.start();
    // The first sample now: the warm-up counts from it.
    this.#lastTickMs = nowMs();
    this.#runner.step(this.sampler.tick());
    this.#schedule(this.#pollMs);
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
        tickOverruns: this.#tickOverruns,
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

  async capture(request: ManualCapture): Promise<Capture> {
    const atMs = nowMs();
    const reason = request.reason ?? 'asked for';
    const values = { current: 0, average: 0, previous: [], settings: {} };
    return this.#take({
      trigger: { rule: 'manual', signal: '', reason, atMs, ...values },
      kinds: request.kinds,
      durationMs: request.durationMs ?? 5000,
      ...(request.deep !== undefined && { deep: request.deep }),
      ...(request.maxHeapBytes !== undefined && { maxHeapBytes: request.maxHeapBytes }),
      troubleMs: atMs,
      stallCpuShare: Number.NaN,
      emergency: false,
      manual: true,
    });
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
    clearTimeout(this.#timer);
    this.#log?.close();
    this.#sessions.disconnectAll();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#recorder?.stop().catch(() => {});
    await this.#standingHeap.stop().catch(() => {});
    await this.#sinks.close();
    this.release();
    await this.#capturer.close();
  }

  #schedule(delayMs: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => this.#turn(), delayMs);
  }

  /** One look; every `intervalMs` it is a regular tick. Trouble makes the looks more frequent. */
  #turn(): void {
    const { intervalMs } = this.#options.settings;
    let isTroubled = false;
    try {
      const atMs = nowMs();
      const sinceTickMs = atMs - this.#lastTickMs;
      if (sinceTickMs >= intervalMs - this.#pollMs / 2) {
        if (sinceTickMs > intervalMs * 2) this.#tickOverruns++;
        this.#lastTickMs = atMs;
        const sample = this.sampler.tick();
        this.emit({ type: 'sample', sample });
        this.#log?.write(sample);
        this.#runner.step(sample);
        if (intervalMs <= this.#pollMs) this.sampler.ask();
      } else {
        if (sinceTickMs >= intervalMs - this.#pollMs * 1.5) this.sampler.ask();
        const urgent = this.sampler.poll();
        if (urgent !== undefined) {
          isTroubled = true;
          this.emit({ type: 'sample', sample: urgent, urgent: true });
          this.#log?.write(urgentLine(urgent));
          this.#runner.look(urgent);
        }
      }
    } catch (error) {
      this.problem(messageOf(error));
    }
    this.#schedule(isTroubled ? troubledPollMs : this.#pollMs);
  }

  async #take(order: CaptureOrder, ruleName?: string): Promise<Capture> {
    const capture = await this.#capturer.take(order);
    if (ruleName !== undefined) this.#runner.captured(ruleName, nowMs());
    this.emit({ type: 'capture', capture });
    this.#sinks.push(capture);
    return capture;
  }

  async #prepare(kind: string): Promise<void> {
    const word = kind.endsWith('pending') ? 'Pending' : 'Buffers';
    await this.#hook(kind.startsWith('stop ') ? `stop${word}` : `start${word}`);
  }

  async #readHeap(): Promise<Record<string, number>> {
    const expression =
      "(() => { const heap = process.getBuiltinModule('node:v8').getHeapStatistics(); return [heap.used_heap_size, heap.external_memory]; })()";
    const [heapUsedBytes = 0, externalBytes = 0] = await evaluate<number[]>(this.#session, expression);
    return { heapUsedBytes, heapAfterGcBytes: heapUsedBytes, externalBytes };
  }

  async #hook<Result>(method: string, argument?: unknown): Promise<Result | undefined> {
    return evaluate<Result | undefined>(this.#session, hookExpression(this.#options.id, method, argument));
  }

  #kindContext(): KindContext {
    const { settings, ownUrl } = this.#options;
    return {
      pid: process.pid,
      connect: () => this.#sessions.connect(),
      hook: (method, argument) => this.#hook(method, argument),
      recorder: this.#recorder,
      hertz: settings.cpuHertz,
      standingHeap: this.#standingHeap,
      isNative: this.#options.backend.name !== 'inspector',
      siblings: (use) =>
        withSiblings(
          this.#session,
          (url, id) => url === ownUrl || this.#capturer.threadIds().includes(id),
          use,
        ),
      directory: settings.directory,
    };
  }
}
