import type { ProfileTarget } from '../../core/contract/profile-kind.ts';
import type { BackendInUse } from '../contract.ts';
import type { MonitorSettings } from '../options.ts';
import type { KindContext } from '../profiles/context.ts';
import { inspectedHeap, nativeHeap, type StandingHeap } from '../profiles/standing-heap.ts';
import type { SharedState } from '../shared-state.ts';
import { AppHooks } from './app-hooks.ts';
import type { EmergencyAccess } from './emergency.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { MainSession } from './main-session.ts';
import { MainSessions } from './main-sessions.ts';
import { withSiblings } from './sibling-threads.ts';

export interface AppLinkOptions {
  /** Of the monitor: several may have hooks in one process. */
  readonly id: string;
  readonly settings: MonitorSettings;
  readonly state: SharedState;
  readonly backend: BackendInUse;
}

/** Everything that the monitor's worker has of the application's thread: sessions, hooks, and what runs there all the time. */
export class AppLink {
  readonly session: MainSession;
  readonly hooks: AppHooks;
  readonly standingHeap: StandingHeap;
  readonly #options: AppLinkOptions;
  readonly #sessions = new MainSessions();
  readonly #recorder: FlightRecorder | undefined;

  constructor(options: AppLinkOptions) {
    const { id, settings, backend } = options;
    const { heapSamplingBytes, recorder } = settings;
    this.#options = options;
    this.session = this.#sessions.connect();
    this.hooks = new AppHooks(this.session, id);
    this.standingHeap =
      backend.name === 'inspector'
        ? inspectedHeap(this.session, heapSamplingBytes, () => this.#sessions.connect())
        : nativeHeap((method, argument) => this.hooks.call(method, argument), heapSamplingBytes);
    this.#recorder = recorder === undefined ? undefined : new FlightRecorder(this.session, id, recorder);
  }

  /** @param isBlocked the application runs in a loop already. */
  async start(isBlocked: boolean): Promise<void> {
    if (this.standingHeap.intervalBytes > 0) await this.standingHeap.start();
    await this.#recorder?.start(isBlocked);
  }

  async stop(): Promise<void> {
    await this.#recorder?.stop().catch(() => {});
    await this.standingHeap.stop().catch(() => {});
  }

  /** Ends every session at once; the application may exit right after. */
  release(): void {
    this.#sessions.disconnectAll();
  }

  target(): ProfileTarget {
    return { pid: process.pid, threadId: 0, threadName: 'main', session: this.session };
  }

  /** @param isOwnThread the monitor's own threads are not profiled. */
  kindContext(isOwnThread: (url: string, threadId: number) => boolean): KindContext {
    const { settings, backend } = this.#options;
    return {
      pid: process.pid,
      connect: () => this.#sessions.connect(),
      hook: (method, argument) => this.hooks.call(method, argument),
      recorder: this.#recorder,
      hertz: settings.cpuHertz,
      standingHeap: this.standingHeap,
      isNative: backend.name !== 'inspector',
      siblings: (use) => withSiblings(this.session, isOwnThread, use),
      directory: settings.directory,
    };
  }

  emergencyAccess(): EmergencyAccess {
    const { state } = this.#options;
    return {
      target: this.target(),
      before: async () => (await this.#recorder?.take()) ?? [],
      hold: (limitMs) => {
        state.raise('resume', 0);
        this.hooks.call('hold', limitMs).catch(() => {});
      },
      resume: () => state.raise('resume'),
    };
  }

  /** Begins or ends (`stop heap`) what a kind observes before its capture. */
  async prepare(kind: string): Promise<void> {
    if (kind === 'heap') await this.standingHeap.mark();
    else if (kind === 'stop heap') this.standingHeap.unmark();
    else await this.hooks.prepare(kind);
  }
}
