import { Code } from '../../core/base/codes.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Health } from '../../core/contract/state.ts';
import { createKeepAlive } from '../../transport/index.ts';
import type { AppCore } from '../../transport/worker/app-core.ts';
import { ControlCalls } from '../../transport/worker/control.ts';
import { type AppBell, openPipes } from '../../transport/worker/doorbell.ts';
import { unpackError } from '../../transport/worker/errors.ts';
import type { FrameView } from '../../transport/worker/frame-view.ts';
import { type FrameReceiver, ThreadLink } from '../../transport/worker/link.ts';
import { writeLines } from '../../transport/worker/log-port.ts';
import {
  type AppNotice,
  type ChangedFields,
  SharedWord,
  type SpanRequest,
  type WorkerNotice,
} from '../../transport/worker/messages.ts';
import {
  type MeshThread,
  type SupervisorOptions,
  WorkerSupervisor,
} from '../../transport/worker/supervisor.ts';
import { Tunnels } from '../../transport/worker/tunnel.ts';

/** A worker that does not answer a close is ended after this. */
const closeMs = 5000;

export interface WorkerHostOptions
  extends Omit<SupervisorOptions, 'onStart' | 'onWatch' | 'onExit' | 'onLost'> {
  /** A worker is ready, the first one or one that was started again; streams go to it when this returns. */
  onReady(notice: Extract<WorkerNotice, { type: 'ready' }>): void;
  /** A reload of this number is ready: does the program approve of it? */
  onApprove(id: number): Promise<boolean>;
  /** Begins the span of a stream of a listener; null: there is none. */
  beginSpan(id: number, request: SpanRequest): ChangedFields | null;
  /** Has the program registered an OpenTelemetry provider? */
  hasProvider(): boolean;
}

/** The application's end of the worker: its thread, the link to it, and what is known of its state. */
export class WorkerHost implements FrameReceiver {
  readonly core: AppCore;
  readonly tunnels = new Tunnels();
  readonly #options: WorkerHostOptions;
  readonly #supervisor: WorkerSupervisor;
  readonly #control = new ControlCalls();
  readonly #keepAlive = createKeepAlive();
  #holds = 0;
  #link: ThreadLink | null = null;
  #bell: AppBell | null = null;
  #isUp = false;
  #isClosing = false;
  #logLevel: Logger['level'];
  readonly #first = Promise.withResolvers<void>();
  #health: Health;

  constructor(core: AppCore, options: WorkerHostOptions) {
    this.core = core;
    this.#options = options;
    this.#logLevel = options.logger.level;
    this.#health = { status: 'degraded', reason: 'starting', sinceMs: options.clock.wallNow() };
    this.#supervisor = new WorkerSupervisor({
      ...options,
      workerData: () => options.workerData(),
      onStart: (thread) => this.#onStart(thread),
      onWatch: (thread) => {
        this.#tellProvider(thread);
        this.#link?.look();
      },
      onExit: (thread) => this.#onExit(thread),
      onLost: (reason) => this.#onLost(reason),
    });
  }

  /** The thread that runs; null between two. */
  get thread(): MeshThread | null {
    return this.#supervisor.thread;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get health(): Health {
    return this.#health;
  }

  /** Resolves when the first worker is ready. @throws HeddleError what kept it from starting */
  async start(): Promise<void> {
    this.hold();
    try {
      this.#supervisor.start();
      await this.#first.promise;
    } catch (thrown) {
      await this.#supervisor.kill();
      this.#keepAlive.close();
      throw thrown;
    } finally {
      this.letGo();
    }
  }

  /** Keeps the process alive until `letGo`. */
  hold(): void {
    if (this.#holds++ === 0) this.#keepAlive.ref();
  }

  letGo(): void {
    if (--this.#holds === 0) this.#keepAlive.unref();
  }

  /** Asks the worker. @throws HeddleError what it threw; ERR_WORKER_DOWN, ERR_WORKER_LOST, ERR_WORKER_VALUE */
  async call(method: string, argument: unknown = null): Promise<unknown> {
    const link = this.#link;
    if (link === null || !this.#isUp) throw new HeddleError('ERR_WORKER_DOWN', method);
    this.hold();
    try {
      return await this.#control.call((message) => link.post(message), method, argument);
    } catch (thrown) {
      if (thrown instanceof HeddleError) throw thrown;
      throw new HeddleError('ERR_WORKER_VALUE', messageOf(thrown), { cause: thrown });
    } finally {
      this.letGo();
    }
  }

  /** Tells the worker, behind what was told before; nothing where none runs. */
  tell(notice: AppNotice): void {
    this.#link?.post(notice);
  }

  /** The writer of the link that is up. */
  get writer(): ThreadLink['writer'] | null {
    return this.#isUp ? (this.#link?.writer ?? null) : null;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.hold();
    const { clock } = this.#options;
    if (this.#isUp) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = clock.setTimer(closeMs, resolve);
      await Promise.race([this.call('close').catch(() => undefined), promise]);
      timer.cancel();
    }
    this.#down(Code.meshClosed);
    if (this.#supervisor.thread !== null) this.#link?.close();
    await this.#supervisor.end();
    this.#control.fail(() => new HeddleError('ERR_MESH_CLOSED', 'the worker'));
    this.#keepAlive.close();
  }

  onRequest(frame: FrameView): void {
    this.core.onRequest(frame);
  }

  onResponse(frame: FrameView): void {
    this.core.onResponse(frame);
  }

  onData(frame: FrameView): void {
    if (this.tunnels.isOne(frame.id)) this.tunnels.onData(frame);
    else this.core.onData(frame);
  }

  onTrailers(frame: FrameView): void {
    this.core.onTrailers(frame);
  }

  onFailed(frame: FrameView): void {
    this.core.onFailed(frame);
  }

  onReset(id: number, code: number): void {
    if (this.tunnels.isOne(id)) this.tunnels.onReset(id, code);
    else this.core.onReset(id, code);
  }

  onCredit(id: number, bytes: number): void {
    if (this.tunnels.isOne(id)) this.tunnels.onCredit(id, bytes);
    else this.core.onCredit(id, bytes);
  }

  onOutcome(frame: FrameView): void {
    this.core.onOutcome(frame);
  }

  onControl(message: unknown): void {
    if (this.#control.take(message)) return;
    const notice = message as WorkerNotice;
    if (notice.type === 'ready') this.#onReady(notice);
    else if (notice.type === 'refused') this.#onRefused(notice);
    else if (notice.type === 'log') this.#onLog(notice);
    else if (notice.type === 'span') this.#onSpan(notice.id, notice.request);
    else if (notice.type === 'approve') void this.#onApprove(notice.id);
    else if (notice.type === 'pipes') this.#onPipes();
  }

  #onStart(thread: MeshThread): void {
    this.#link = new ThreadLink(thread.port, thread.mailboxes);
    this.#link.listen(this);
    // Listening to a port references it.
    thread.port.unref();
    this.#tellProvider(thread);
  }

  #onReady(notice: Extract<WorkerNotice, { type: 'ready' }>): void {
    if (this.#isClosing) return;
    this.#supervisor.ready();
    this.#isUp = true;
    this.#health = { status: 'ok', reason: '', sinceMs: this.#options.clock.wallNow() };
    this.#options.onReady(notice);
    this.core.attach(this.#link as ThreadLink);
    this.#first.resolve();
  }

  #onRefused({ error }: Extract<WorkerNotice, { type: 'refused' }>): void {
    const reason = unpackError(error);
    this.#supervisor.explain(reason.message);
    this.#first.reject(reason);
  }

  #onLog({ lines, dropped }: Extract<WorkerNotice, { type: 'log' }>): void {
    const { logger } = this.#options;
    writeLines(logger, lines, dropped);
    if (logger.level === this.#logLevel) return;
    this.#logLevel = logger.level;
    this.tell({ type: 'logLevel', level: logger.level });
  }

  #tellProvider({ shared }: MeshThread): void {
    Atomics.store(shared, SharedWord.hasProvider, this.#options.hasProvider() ? 1 : 0);
  }

  #onSpan(id: number, request: SpanRequest): void {
    this.tell({ type: 'span', id, fields: this.#options.beginSpan(id, request) });
  }

  async #onApprove(id: number): Promise<void> {
    const applies = await this.#options.onApprove(id);
    this.tell({ type: 'approval', id, applies });
  }

  #onPipes(): void {
    const link = this.#link;
    const thread = this.#supervisor.thread;
    const opened = link === null || thread === null ? null : openPipes(thread.bellDirectory);
    if (opened === null) return;
    this.#bell = opened;
    link?.listenTo(opened.bell);
    this.tell({ type: 'bell', end: opened.workerEnd });
    link?.ringAtOther();
  }

  #onExit(thread: MeshThread): void {
    this.#link?.drain();
    this.#bell?.close(Atomics.load(thread.shared, SharedWord.hasBell) !== 0);
    this.#bell = null;
  }

  #onLost(reason: string): void {
    this.#first.reject(new HeddleError('ERR_WORKER_START', reason));
    this.#health = { status: 'failed', reason, sinceMs: this.#options.clock.wallNow() };
    this.#link?.close();
    this.#down(Code.workerLost);
    this.#control.fail(() => new HeddleError('ERR_WORKER_LOST', reason));
  }

  #down(code: number): void {
    this.#isUp = false;
    const later = this.#isClosing ? Code.meshClosed : Code.workerDown;
    this.core.detach(code, later);
    this.tunnels.closeAll(code);
    if (!this.#isClosing) this.#link = null;
  }
}
