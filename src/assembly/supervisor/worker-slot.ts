import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Backoff } from '../../core/base/backoff.ts';
import type { Clock } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Random } from '../../core/base/random.ts';
import type { Logger } from '../../core/contract/logger.ts';
import { PassedConnections } from '../../transport/supervisor/passed-connections.ts';
import { ProcessLink } from '../../transport/supervisor/process-link.ts';
import type { SharedSockets } from '../../transport/supervisor/shared-sockets.ts';
import type { SharedConfig, WorkerSetup } from './worker-calls.ts';

/** A process that lived this long did not fail at its start: the next one comes at once. */
const soundMs = 10_000;
/** Ends in a row after which the log says that restarting does not help. */
const loopLength = 5;
/** How long a process may take to end after its mesh has. */
const exitMs = 2000;

export interface SlotOptions {
  /** 1 to `workers`. */
  readonly worker: number;
  readonly entry: string;
  /** Of Node, beside those of this process. */
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly sockets: SharedSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  setup(): WorkerSetup;
  /** It has started with what `setup` gave; it gets connections once this resolves. */
  catchUp(slot: WorkerSlot): Promise<void>;
  onEnd(): void;
}

interface Process {
  readonly child: ChildProcess;
  readonly link: ProcessLink;
  readonly connections: PassedConnections;
  readonly exited: Promise<void>;
  readonly sinceMs: number;
  readonly wallSinceMs: number;
}

/** One worker: a process, and after its end the next one. */
export class WorkerSlot {
  readonly worker: number;
  /** Processes that this worker has had, the present one included. */
  generation = 0;
  /** What the present process runs. */
  runs: SharedConfig | null = null;
  readonly #options: SlotOptions;
  readonly #backoff: Backoff;
  #process: Process | null = null;
  #isStopping = false;
  #turnedMs = 0;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.worker = options.worker;
    this.#backoff = new Backoff({ baseMs: 200, maxMs: 30_000 }, options.random);
  }

  get pid(): number {
    return this.#process?.child.pid ?? 0;
  }

  get isReady(): boolean {
    return this.#process?.connections.isReady === true;
  }

  /** It can be spoken to. */
  get isOpen(): boolean {
    return this.#process?.link.isOpen === true;
  }

  /** Ends in a row shortly after a start. */
  get failures(): number {
    return this.#backoff.failures;
  }

  get connections(): number {
    return this.#process?.connections.connections ?? 0;
  }

  /** Wall-clock ms. */
  get startedMs(): number {
    return this.#process?.wallSinceMs ?? 0;
  }

  /** Rejects when the other end of the channel throws or ends. */
  call<Result>(name: string, argument?: unknown): Promise<Result> {
    const link = this.#process?.link;
    if (link === undefined) {
      return Promise.reject(new HeddleError('ERR_WORKER_PROCESS', `worker ${this.worker} does not run`));
    }
    const call = link.call<Result>(name, argument);
    void call.then(
      () => this.#turned(),
      () => this.#turned(),
    );
    return call;
  }

  /** It serves and has answered nothing for this long. */
  get silentMs(): number {
    return this.isReady ? this.#options.clock.now() - this.#turnedMs : 0;
  }

  /** Starts the first process. @throws HeddleError ERR_WORKER_PROCESS with the reason */
  async start(): Promise<void> {
    await this.#launch();
  }

  /** No further process after this one. */
  keepEnded(): void {
    this.#isStopping = true;
  }

  /** Ends the process, by force where it does not end by itself. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const process = this.#process;
    if (process === null) return;
    if (process.child.connected) process.child.disconnect();
    const timer = this.#options.clock.setTimer(exitMs, () => process.child.kill('SIGKILL'));
    await process.exited;
    timer.cancel();
  }

  /** Without a word to it. */
  kill(): void {
    this.#process?.child.kill('SIGKILL');
  }

  async #launch(): Promise<void> {
    const { entry, sockets, clock } = this.#options;
    const child = fork(fileURLToPath(entry), [], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...this.#options.nodeArgs],
      env: { ...process.env, ...this.#options.env },
    });
    this.generation++;
    const link = new ProcessLink(child);
    const connections = new PassedConnections(link, clock, sockets.pass);
    connections.onAccepting = () => sockets.retry();
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    const own: Process = {
      child,
      link,
      connections,
      exited,
      sinceMs: clock.now(),
      wallSinceMs: clock.wallNow(),
    };
    this.#process = own;
    let failure = '';
    child.once('error', (error) => {
      failure = messageOf(error);
      if (child.pid === undefined) resolve();
    });
    child.once('exit', (code, signal) => {
      failure ||= signal ?? `exit code ${code}`;
      resolve();
    });
    void exited.then(() => this.#ended(own, failure));
    const setup = this.#options.setup();
    this.runs = setup.shared;
    await link.call('start', setup);
    await this.#options.catchUp(this);
    if (this.#isStopping || this.#process !== own) return;
    sockets.workers.add(connections);
    connections.isReady = true;
    this.#turned();
    sockets.retry();
  }

  #turned(): void {
    this.#turnedMs = this.#options.clock.now();
  }

  #ended(process: Process, failure: string): void {
    const { sockets, clock, logger, worker } = this.#options;
    sockets.workers.delete(process.connections);
    const wasReady = process.connections.isReady;
    process.connections.end();
    this.#process = null;
    this.#options.onEnd();
    if (this.#isStopping) return;
    const isSound = wasReady && clock.now() - process.sinceMs >= soundMs;
    if (isSound) this.#backoff.reset();
    const delayMs = isSound ? 0 : Math.round(this.#backoff.nextMs());
    logger.error('a worker ended', {
      worker,
      pid: process.child.pid ?? 0,
      reason: failure,
      restartInMs: delayMs,
    });
    if (this.failures >= loopLength) {
      logger.error('a worker ends again and again; what it says before is in this log', {
        worker,
        times: this.failures,
      });
    }
    clock.setTimer(delayMs, () => void this.#relaunch());
  }

  async #relaunch(): Promise<void> {
    if (this.#isStopping) return;
    try {
      await this.#launch();
    } catch (thrown) {
      this.#options.logger.error('a worker did not start', { worker: this.worker, error: messageOf(thrown) });
      this.kill();
    }
  }
}
