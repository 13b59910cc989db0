import type { InspectorSession, ProfileArtifact } from '../../core/contract/profile-kind.ts';
import { nowMs } from './cpu-profiler.ts';
import { evaluate } from './main-session.ts';
import { forgetOptimised } from './optimised-code.ts';

export interface RecorderOptions {
  /** Time between samples. 50 ms cost 0.24 % of an idle core, 100 ms half of it. @default 100 */
  readonly samplingMs: number;
  /** @default 10000 */
  readonly windowMs: number;
  /** Windows kept. @default 6 */
  readonly windows: number;
}

interface Window {
  readonly startMs: number;
  readonly endMs: number;
  readonly profile: unknown;
}

interface FinishedProfile {
  readonly id: string;
  readonly title?: string;
  readonly profile: unknown;
}

/**
 * The time before the trigger: CPU profiles at a low rate in windows that overlap by a moment. The next window is
 * started before the last one ends, so V8 keeps its map of the code: a new window costs 0.2 ms instead of the
 * 110 ms of a fresh start in a large application, and frames stay right inside loops that were already hot.
 */
export class FlightRecorder {
  readonly #session: InspectorSession;
  readonly #options: RecorderOptions;
  readonly #prefix: string;
  readonly #windows: Window[] = [];
  readonly #finishing = new Map<string, (window: Window) => void>();
  #stopListening: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #serial = 0;
  #startMs = 0;
  #rolling: Promise<void> | undefined;

  /** @param name tells the windows of several monitors in one process apart. */
  constructor(session: InspectorSession, name: string, options: RecorderOptions) {
    this.#session = session;
    this.#options = options;
    this.#prefix = `heddle ${name}`;
  }

  /** @param isBlocked the application runs in a loop already: what V8 has optimised of it must show its own name. */
  async start(isBlocked = false): Promise<void> {
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.setSamplingInterval', { interval: this.#options.samplingMs * 1000 });
    this.#stopListening = this.#session.on('Profiler.consoleProfileFinished', (message) => {
      this.#finished(message as FinishedProfile);
    });
    await Promise.all([...(isBlocked ? forgetOptimised(this.#session) : []), this.#begin()]);
    this.#timer = setInterval(() => void this.roll().catch(() => {}), this.#options.windowMs);
    // The session itself does not keep the worker alive; the monitor's own timer does.
    this.#timer.unref();
  }

  /** Ends the running window and starts the next; at once when one is being ended already. */
  async roll(): Promise<void> {
    this.#rolling ??= this.#roll().finally(() => {
      this.#rolling = undefined;
    });
    await this.#rolling;
  }

  /** The time before now, oldest window first, the running one included. */
  async take(): Promise<ProfileArtifact[]> {
    await this.roll();
    return this.#windows.map(({ startMs, endMs, profile }) => ({
      kind: 'cpu',
      threadId: 0,
      format: 'cpuprofile',
      startMs,
      durationMs: endMs - startMs,
      data: profile,
      window: 'before',
    }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopListening?.();
    const title = this.#title(this.#serial);
    await evaluate(this.#session, `console.profileEnd(${JSON.stringify(title)})`).catch(() => {});
  }

  async #roll(): Promise<void> {
    const ending = this.#title(this.#serial);
    const startMs = this.#startMs;
    const finished = new Promise<Window>((resolve) => this.#finishing.set(ending, resolve));
    // Begin before end, in one message.
    await this.#begin(`; console.profileEnd(${JSON.stringify(ending)})`);
    const window = await finished;
    this.#windows.push({ ...window, startMs });
    while (this.#windows.length > this.#options.windows) this.#windows.shift();
  }

  async #begin(then = ''): Promise<void> {
    this.#serial++;
    const title = JSON.stringify(this.#title(this.#serial));
    await evaluate(this.#session, `console.profile(${title})${then}`);
    this.#startMs = nowMs();
  }

  #finished(message: FinishedProfile): void {
    const resolve = this.#finishing.get(message.title ?? '');
    if (resolve === undefined) return;
    this.#finishing.delete(message.title ?? '');
    resolve({ startMs: 0, endMs: nowMs(), profile: message.profile });
  }

  #title(serial: number): string {
    return `${this.#prefix} ${serial}`;
  }
}
