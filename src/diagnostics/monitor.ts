import { isMainThread, MessageChannel, threadId, Worker } from 'node:worker_threads';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import { siblingUrl } from '../core/base/sibling.ts';
import type { SignalSample } from '../core/contract/signal.ts';
import type { Capture } from '../core/contract/sink.ts';
import { openSampler } from './backends/open-sampler.ts';
import { openDirectory } from './captures/directory.ts';
import type { ManualCapture, MonitorEvent, MonitorStatus } from './contract.ts';
import { installHooks } from './hooks/install.ts';
import { watchSelfKill } from './hooks/self-kill.ts';
import { oldSpaceLimitBytes } from './old-space.ts';
import { type MonitorOptions, resolveSettings } from './options.ts';
import { startPending } from './profiles/pending.ts';
import { RemoteCalls } from './remote-calls.ts';
import { SharedState } from './shared-state.ts';
import type { ControlOffer, MonitorWorkerData, WorkerMessage } from './worker/worker-data.ts';

/** A running monitor, seen from the application's thread. */
export interface Monitor {
  /** Where captures are written. */
  readonly directory: string;
  /** Resolves when the worker samples; rejects with ERR_MONITOR_START where it cannot. */
  readonly ready: Promise<void>;
  status(): Promise<MonitorStatus>;
  /** The samples of the last two minutes, oldest first. */
  signals(): Promise<readonly SignalSample[]>;
  /** Takes profiles now, e.g. `capture({ kinds: ['cpu', 'heap'] })`. */
  capture(request: ManualCapture): Promise<Capture>;
  /** The last hundred captures. */
  captures(): Promise<readonly Capture[]>;
  /** Changes the rules of the running monitor; rejects with ERR_MONITOR_RULES and keeps the old ones if they are wrong. */
  setRules(rules: unknown): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the worker and takes every hook away. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * At exit the application waits at most so long for the worker to let go (1.4 to 6.5 ms as a rule). Where no core is
 * free for the worker it takes longer; going on without it would make Node wait all the same, and say so on stderr.
 */
const releaseTimeoutMs = 2000;
const workerHeapMb = 256;
/** Small: V8 would let the young generation of an idle thread take 30 MB before it collects. */
const workerYoungMb = 2;

/**
 * Starts a monitor of this process and returns at once; also works while the calling thread is about to block.
 * Throws ERR_OPTION_INVALID, ERR_MONITOR_RULES or ERR_MONITOR_DIRECTORY for wrong options, ERR_MONITOR_START in a
 * worker thread (half of what it told would be of the main thread) and where the inspector is not permitted; whatever fails later is an event, never a throw.
 */
export function startMonitor(options: MonitorOptions = {}): Monitor {
  const obstacle = obstacleOf();
  if (obstacle !== undefined) throw new HeddleError('ERR_MONITOR_START', obstacle);
  const settings = resolveSettings(options);
  openDirectory(settings.directory);
  const state = new SharedState();
  const id = `m${process.pid}-${performance.now().toFixed(3)}`;
  const { sampler, note } = openSampler(settings.backend);
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const worker = startWorker({
    heddleMonitor: true,
    id,
    settings,
    shared: state.buffer,
    hooksPort: port2,
    oldSpaceBytes: oldSpaceLimitBytes(),
    wantsSamples: options.onEvent !== undefined,
    backend: { name: sampler?.name ?? 'inspector', note },
  });
  const hooks = installHooks({
    id,
    state,
    port: port1,
    signals: options.signals ?? [],
    startPending,
    dutyCycle: settings.pending === 'dutyCycle',
    sampler,
    offerControl: (control) => worker.postMessage({ type: 'offer', control } satisfies ControlOffer),
  });
  return new WorkerMonitor(worker, settings.directory, options, state, () => {
    hooks.stop();
    port1.close();
  });
}

/** Why no monitor can run here; undefined where nothing speaks against it. */
function obstacleOf(): string | undefined {
  if (!isMainThread)
    return `start it on the main thread, from where it sees worker threads too; this is worker ${threadId}`;
  // Without that permission a session to the main thread aborts the whole process (Node 24), it does not throw.
  const { permission } = process;
  return permission === undefined || permission.has('inspector')
    ? undefined
    : 'the permission model (--permission) keeps the inspector from it; --allow-inspector permits it where Node has that';
}

/**
 * A monitor of this process, once it is sampling.
 *
 * @example
 * await using monitor = await createMonitor({ service: 'orders', sinks: [{ type: 'http', url: 'http://127.0.0.1:9000/captures' }] });
 */
export async function createMonitor(options: MonitorOptions = {}): Promise<Monitor> {
  const monitor = startMonitor(options);
  await monitor.ready;
  return monitor;
}

function startWorker(workerData: MonitorWorkerData): Worker {
  const worker = new Worker(new URL(siblingUrl('./monitor.worker', import.meta.url)), {
    name: 'heddle-monitor',
    workerData,
    transferList: [workerData.hooksPort],
    // The application's own flags (--import, --cpu-prof, --test) are not meant for this thread.
    execArgv: [],
    // Nothing of this thread reaches the application's output. The streams are never read: reading keeps a process alive.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: workerHeapMb, maxYoungGenerationSizeMb: workerYoungMb },
  });
  // Nobody reads stdout and stderr: a Worker's stream that flows keeps the process alive for good (Node 22 to 26).
  worker.unref();
  return worker;
}

class WorkerMonitor implements Monitor {
  readonly directory: string;
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #calls: RemoteCalls;
  readonly #options: MonitorOptions;
  readonly #state: SharedState;
  readonly #removeHooks: () => void;
  readonly #onExit = (): void => this.#release();
  readonly #stopWatchingKill = watchSelfKill(this.#onExit);
  #isOver = false;

  constructor(
    worker: Worker,
    directory: string,
    options: MonitorOptions,
    state: SharedState,
    removeHooks: () => void,
  ) {
    this.directory = directory;
    this.#worker = worker;
    this.#calls = new RemoteCalls(worker);
    this.#options = options;
    this.#state = state;
    this.#removeHooks = removeHooks;
    this.ready = this.#started();
    // Whoever does not wait for it hears of a failure as an event.
    this.ready.catch((error: unknown) => this.#tellProblem(messageOf(error)));
    worker.on('message', (message: WorkerMessage) => this.#receive(message));
    process.on('exit', this.#onExit);
  }

  status(): Promise<MonitorStatus> {
    return this.#calls.call('status');
  }

  signals(): Promise<readonly SignalSample[]> {
    return this.#calls.call('signals');
  }

  capture(request: ManualCapture): Promise<Capture> {
    return this.#calls.call('capture', request);
  }

  captures(): Promise<readonly Capture[]> {
    return this.#calls.call('captures');
  }

  setRules(rules: unknown): Promise<void> {
    return this.#calls.call('setRules', rules);
  }

  pause(): Promise<void> {
    return this.#calls.call('pause');
  }

  resume(): Promise<void> {
    return this.#calls.call('resume');
  }

  async stop(): Promise<void> {
    if (this.#isOver) return;
    await this.#calls.call('stop').catch(() => {});
    this.#end('it was stopped');
    await this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #started(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        reject(new HeddleError('ERR_MONITOR_START', reason));
        this.#end(reason);
      };
      this.#worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'ready') {
          this.#worker.unref();
          resolve();
        } else if (message.type === 'failed') {
          fail(message.reason);
          void this.#worker.terminate();
        }
      });
      this.#worker.on('error', (error) => fail(messageOf(error)));
      this.#worker.on('exit', (code) => fail(`its thread ended with code ${code}`));
    });
  }

  #receive(message: WorkerMessage): void {
    this.#calls.receive(message);
    if (message.type === 'event') this.#deliver(message.event);
    // Only this thread may end the worker: it has then taken note that the worker's inspector sessions are closed.
    // A worker that exits by itself before that aborts the process (Node 24).
    if (message.type === 'stopRequested') setImmediate(() => void this.stop());
  }

  /** The user's own functions may throw; that is theirs, and stays here. */
  #deliver(event: MonitorEvent): void {
    const { onEvent, onCapture, callbacks } = this.#options;
    try {
      onEvent?.(event);
      if (event.type !== 'capture') return;
      onCapture?.(event.capture);
      for (const sink of callbacks ?? []) {
        sink.deliver(event.capture, AbortSignal.timeout(30_000)).catch((error: unknown) => {
          this.#tellProblem(`sink ${sink.name}: ${messageOf(error)}`);
        });
      }
    } catch (error) {
      if (event.type !== 'problem') this.#tellProblem(messageOf(error));
    }
  }

  #tellProblem(message: string): void {
    this.#deliver({ type: 'problem', atMs: Date.now(), message });
  }

  #release(): void {
    if (this.#isOver) return;
    this.#state.raise('exiting');
    if (this.#state.flag('connecting') !== 0) this.#state.waitFor('released', releaseTimeoutMs);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.off('exit', this.#onExit);
    this.#stopWatchingKill();
    this.#removeHooks();
    this.#calls.end(reason);
  }
}
