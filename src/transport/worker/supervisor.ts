import { MessageChannel, type MessagePort, type TransferListItem, Worker } from 'node:worker_threads';
import { Backoff } from '../../core/base/backoff.ts';
import type { Clock, Timer } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Random } from '../../core/base/random.ts';
import type { Logger } from '../../core/contract/logger.ts';
import { bellDirectory, removePipes } from './doorbell.ts';
import type { Mailboxes } from './link.ts';
import { createMailbox } from './mailbox.ts';
import { type MeshWorkerData, SharedWord } from './messages.ts';

/** Waits between restarts: the first after 50 to 100 ms. */
const restart = { baseMs: 100, maxMs: 10_000 };
/** A worker that ran this long has recovered: the next restart waits as little as the first. */
const soundMs = 60_000;
const watchMs = 500;
/** A worker that was told to end may take this long. */
const endMs = 5000;

export interface SupervisorOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Old-space limit of the worker. */
  readonly maxHeapMb: number;
  /** A worker whose loop does not turn for this long is ended; 0 = never. */
  readonly hangTimeoutMs: number;
  /** The first list of registries may take its time. */
  readonly startTimeoutMs: number;
  /** What a worker is started with, without its ports. */
  workerData(): Pick<MeshWorkerData, 'config' | 'modules' | 'tracksStreams' | 'logLevel'>;
  /** A worker runs; it has not said that it is ready. */
  onStart(thread: MeshThread): void;
  /** Every half second while a worker is ready. */
  onWatch(thread: MeshThread): void;
  /** A worker is gone, for whatever reason; its port is still open for what it had said. */
  onExit(thread: MeshThread): void;
  /** It is gone, and not because it was told to. Its port is closed. */
  onLost(reason: string): void;
}

/** A worker that runs, and the ends of its ports. */
export interface MeshThread {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly questions: MessagePort;
  readonly shared: Int32Array;
  readonly mailboxes: Mailboxes;
  readonly bellDirectory: string;
}

/**
 * Keeps one worker thread running: starts it, starts it again with back-off when it ends by an error, by running out
 * of memory or by `process.exit`, and ends one whose loop does not turn any more. The worker never keeps the process
 * alive by itself.
 */
export class WorkerSupervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff;
  #thread: MeshThread | null = null;
  #readyAtMs = 0;
  #isReady = false;
  /** Of the first worker, whose start may fail for good. */
  #wasReady = false;
  #isEnding = false;
  #ended: Promise<void> = Promise.resolve();
  #retry: Timer | null = null;
  #watch: Timer | null = null;
  #late: Timer | null = null;
  #reason = '';

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#backoff = new Backoff(restart, options.random);
  }

  get thread(): MeshThread | null {
    return this.#thread;
  }

  /** @throws HeddleError ERR_WORKER_START */
  start(): void {
    let thread: MeshThread;
    try {
      thread = startThread(this.#options);
    } catch (thrown) {
      throw HeddleError.from(thrown, 'ERR_WORKER_START');
    }
    this.#thread = thread;
    this.#isReady = false;
    this.#reason = '';
    const { worker } = thread;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    worker.on('error', (error: unknown) => {
      this.#reason = describe(error);
    });
    worker.once('exit', (code) => {
      resolve();
      this.#onExit(thread, code);
    });
    this.#late = this.#options.clock.setTimer(this.#options.startTimeoutMs, () =>
      this.#kill(thread, `it was not ready within ${this.#options.startTimeoutMs} ms`),
    );
    this.#options.onStart(thread);
  }

  /** The worker said that it is ready. */
  ready(): void {
    this.#late?.cancel();
    this.#isReady = this.#wasReady = true;
    this.#readyAtMs = this.#options.clock.now();
    if (this.#thread !== null) this.#watchBeats(this.#thread, -1, 0);
  }

  /** Why the worker is about to end, where it said so itself. */
  explain(reason: string): void {
    this.#reason = reason;
  }

  /** Ends the worker: gives it time to end by itself, then ends it. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#isEnding = true;
    this.#retry?.cancel();
    this.#watch?.cancel();
    this.#late?.cancel();
    const thread = this.#thread;
    if (thread === null) return;
    const timer = this.#options.clock.setTimer(endMs, () => void thread.worker.terminate());
    thread.worker.ref();
    await this.#ended;
    timer.cancel();
  }

  /** Ends the worker at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    void this.#thread?.worker.terminate();
    await this.end();
  }

  #onExit(thread: MeshThread, exitCode: number): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#watch?.cancel();
    this.#late?.cancel();
    this.#options.onExit(thread);
    thread.port.close();
    thread.questions.close();
    removePipes(thread.bellDirectory);
    if (this.#isEnding) return;
    const reason = this.#reason === '' ? `it ended with exit code ${exitCode}` : this.#reason;
    const { clock, logger } = this.#options;
    if (!this.#wasReady) {
      this.#options.onLost(reason);
      return;
    }
    const wasSound = this.#isReady && clock.now() - this.#readyAtMs > soundMs;
    if (wasSound) this.#backoff.reset();
    const waitMs = this.#backoff.nextMs();
    logger.error('the worker thread of the mesh ended, it is started again', {
      reason,
      restartMs: Math.round(waitMs),
    });
    this.#options.onLost(reason);
    this.#retry = clock.setTimer(waitMs, () => this.#restart());
  }

  #restart(): void {
    if (this.#isEnding) return;
    try {
      this.start();
    } catch (thrown) {
      const reason = messageOf(thrown);
      this.#options.logger.error('the worker thread of the mesh cannot be started', { reason });
      this.#retry = this.#options.clock.setTimer(this.#backoff.nextMs(), () => this.#restart());
    }
  }

  /**
   * Looks whether the worker's loop turned. A look that comes late because this thread was busy counts as one look: the
   * worker is given the time that this thread had.
   */
  #watchBeats(thread: MeshThread, seen: number, missed: number): void {
    const { clock, hangTimeoutMs } = this.#options;
    this.#watch = clock.setTimer(watchMs, () => {
      if (this.#thread !== thread) return;
      this.#options.onWatch(thread);
      const beats = Atomics.load(thread.shared, SharedWord.beats);
      const misses = beats === seen ? missed + 1 : 0;
      if (hangTimeoutMs > 0 && misses * watchMs >= hangTimeoutMs)
        this.#kill(thread, `its loop did not turn for ${hangTimeoutMs} ms`);
      else this.#watchBeats(thread, beats, misses);
    });
  }

  #kill(thread: MeshThread, reason: string): void {
    if (this.#thread !== thread) return;
    this.#reason = reason;
    void thread.worker.terminate();
  }
}

function startThread(options: SupervisorOptions): MeshThread {
  const streams = new MessageChannel();
  const questions = new MessageChannel();
  const shared = new SharedArrayBuffer(16);
  const directory = bellDirectory();
  const [toApp, toWorker] = [createMailbox(), createMailbox()];
  const workerData: MeshWorkerData = {
    heddleMesh: true,
    ...options.workerData(),
    port: streams.port2,
    questions: questions.port2,
    shared,
    mailboxes: { out: toApp, in: toWorker },
    bellDirectory: directory,
  };
  const worker = new Worker(new URL(options.url), {
    name: 'heddle mesh',
    workerData,
    transferList: [streams.port2, questions.port2] as unknown as TransferListItem[],
    resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb },
    // The application's --inspect, --import and --cpu-prof are not meant for our thread.
    execArgv: [],
  });
  worker.unref();
  streams.port1.unref();
  questions.port1.unref();
  return {
    worker,
    port: streams.port1,
    questions: questions.port1,
    shared: new Int32Array(shared),
    mailboxes: { out: toWorker, in: toApp },
    bellDirectory: directory,
  };
}

function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  const text = messageOf(error);
  return typeof code === 'string' && !text.includes(code) ? `${code}: ${text}` : text;
}
