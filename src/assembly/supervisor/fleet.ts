import type { Clock } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Logger, LogLevel } from '../../core/contract/logger.ts';
import { MetricsView } from './metrics-view.ts';
import type { CountedMetrics, SharedConfig } from './worker-calls.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** How long all workers may take to get ready for another configuration. */
const prepareMs = 30_000;
/** A worker whose loop has not turned for this long does nothing for anybody: it is ended and replaced. */
const hangMs = 30_000;
/** Putting together thousands of series takes milliseconds, and sending them as much: below half a per cent of a core. */
const restPerWork = 500;
const longestPauseMs = 60_000;

/** All workers as one. */
export class Fleet {
  readonly slots: readonly WorkerSlot[];
  readonly metrics: MetricsView = new MetricsView();
  readonly #clock: Clock;
  readonly #logger: Logger;
  #collectAtMs = 0;

  constructor(slots: readonly WorkerSlot[], clock: Clock, logger: Logger) {
    this.slots = slots;
    this.#clock = clock;
    this.#logger = logger;
  }

  get ready(): WorkerSlot[] {
    return this.slots.filter((slot) => slot.isReady);
  }

  /** @throws HeddleError ERR_WORKER_PROCESS with the reason of the first that cannot start */
  async start(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.start()));
  }

  /** Of all that serve; one that ends meanwhile does not matter. */
  async tell(name: string, argument?: unknown): Promise<void> {
    await Promise.allSettled(this.ready.map((slot) => slot.call(name, argument)));
  }

  /** Of the first that serves. */
  async askOne<Result>(name: string, otherwise: Result): Promise<Result> {
    const slot = this.ready[0];
    return slot === undefined ? otherwise : await slot.call<Result>(name);
  }

  /** Once a second: sees whether all turn, and fetches what they count where that is due. */
  async beat(): Promise<void> {
    for (const slot of this.ready) if (slot.silentMs > hangMs) this.#endHanging(slot);
    if (this.#clock.now() >= this.#collectAtMs) await this.collect();
    else await this.tell('ping');
  }

  /** Fetches what the workers count. */
  async collect(): Promise<void> {
    const { table } = this.metrics;
    table.values[table.gauge('heddle_workers_serving')] = this.ready.length;
    for (const { worker, generation } of this.slots) {
      const restarts = table.counter('heddle_worker_restarts_total', { worker: String(worker) });
      table.values[restarts] = Math.max(0, generation - 1);
    }
    const took = await Promise.all(this.ready.map((slot) => this.#collectFrom(slot)));
    const pauseMs = Math.min(longestPauseMs, Math.max(...took, 0) * restPerWork);
    this.#collectAtMs = this.#clock.now() + pauseMs;
  }

  /** @returns milliseconds that it cost the worker */
  async #collectFrom(slot: WorkerSlot): Promise<number> {
    const { generation } = slot;
    const counted = await slot.call<CountedMetrics | null>('metrics').catch(() => null);
    if (counted === null) return 0;
    this.metrics.take(slot.worker, generation, counted.snapshot);
    if (slot.generation !== generation || !slot.isReady) this.metrics.left(slot.worker);
    return counted.tookMs;
  }

  #endHanging(slot: WorkerSlot): void {
    this.#logger.error('a worker does not turn any more, it is ended', {
      worker: slot.worker,
      pid: slot.pid,
      silentMs: Math.round(slot.silentMs),
    });
    slot.kill();
  }

  /**
   * Resolves when every one is ready for the configuration, with those that are. One that ended meanwhile does not
   * count, as its next process takes the configuration over, unless all ended: of that.
   * @throws HeddleError ERR_WORKER_PROCESS; all must `abandon` then
   */
  async prepare(slots: readonly WorkerSlot[], shared: SharedConfig): Promise<WorkerSlot[]> {
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(prepareMs, () => {
      late.reject(new HeddleError('ERR_WORKER_PROCESS', `not ready within ${prepareMs} ms`));
    });
    const all = slots.map(async (slot) => {
      const { generation } = slot;
      const refusal = await slot.call<string>('prepare', shared).catch((thrown: unknown) => {
        if (!slot.isOpen || slot.generation !== generation) return null;
        throw thrown;
      });
      if (refusal === null) return null;
      if (refusal !== '') throw new HeddleError('ERR_WORKER_PROCESS', `worker ${slot.worker}: ${refusal}`);
      return slot;
    });
    try {
      // Each has answered before any is told to stay as it is.
      const outcomes = await Promise.race([Promise.allSettled(all), late.promise]);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
      const ready = outcomes.flatMap((each) =>
        each.status === 'fulfilled' && each.value ? [each.value] : [],
      );
      if (ready.length > 0 || slots.length === 0) return ready;
      throw new HeddleError(
        'ERR_WORKER_PROCESS',
        'every worker ended when it got ready for the configuration',
      );
    } finally {
      timer.cancel();
    }
  }

  /** One that cannot take over what it was ready for is replaced by a process that begins with it. */
  async commit(slots: readonly WorkerSlot[], shared: SharedConfig, level: LogLevel): Promise<void> {
    await Promise.all(
      slots.map(async (slot) => {
        const { generation } = slot;
        try {
          await slot.call('commit', level);
          slot.runs = shared;
        } catch (thrown) {
          this.#logger.error('a worker did not take the configuration over', {
            worker: slot.worker,
            error: messageOf(thrown),
          });
          if (slot.generation === generation) slot.kill();
        }
      }),
    );
  }

  /**
   * A process that began before a reload was over takes over what came since, and again while more comes. One that
   * cannot is replaced.
   * @param wanted what all are to run, asked anew each time; null: nothing any more
   */
  async catchUp(slot: WorkerSlot, wanted: () => SharedConfig | null): Promise<void> {
    for (let shared = wanted(); shared !== null && slot.runs !== shared; shared = wanted()) {
      try {
        await this.prepare([slot], shared);
      } catch (thrown) {
        this.#logger.error('a worker cannot take over the configuration, it is started again', {
          worker: slot.worker,
          error: messageOf(thrown),
        });
        slot.kill();
        return;
      }
      await this.commit([slot], shared, this.#logger.level);
      if (slot.runs !== shared) return;
    }
  }

  /** Lets all finish for up to `deadlineMs`, keeps what they counted, ends their processes. */
  async end(deadlineMs: number): Promise<void> {
    await Promise.all(
      this.slots.map(async (slot) => {
        const { generation } = slot;
        const last = await slot.call<CountedMetrics | null>('drain', deadlineMs).catch(() => null);
        if (last !== null) this.metrics.take(slot.worker, generation, last.snapshot);
        await slot.stop();
      }),
    );
  }
}
