import { Backoff } from '../../core/base/backoff.ts';
import type { Timer } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Published, RegistryContext } from '../../core/contract/registry.ts';
import type { RegistryHealth } from '../../core/discovery/registry-health.ts';

export interface Keeping {
  /** For health and errors. */
  readonly what: string;
  put(): Promise<void>;
  remove(): Promise<void>;
  /** Whether somebody else wants it there now; then a late put is left where it is (no). */
  isTaken?(): boolean;
  /** Calls back when it must be put again. */
  onLost(listener: () => void): () => void;
}

const retry = { baseMs: 500, maxMs: 30_000 };

/** One thing that is put at a registry, tried again with back-off and put back after a loss, until it is withdrawn. */
export class KeptPublication implements Published {
  readonly ready: Promise<void>;
  readonly #keeping: Keeping;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;
  readonly #health: RegistryHealth;
  readonly #backoff: Backoff;
  readonly #resolve: () => void;
  readonly #reject: (error: HeddleError) => void;
  readonly #unwatch: () => void;
  #timer: Timer | null = null;
  #isOver = false;
  #withdrawn: Promise<void> | null = null;

  constructor(keeping: Keeping, context: Pick<RegistryContext, 'clock' | 'random'>, health: RegistryHealth) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Nobody has to wait for it.
    promise.catch(() => undefined);
    this.ready = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#keeping = keeping;
    this.#context = context;
    this.#health = health;
    this.#backoff = new Backoff(retry, context.random);
    this.#unwatch = keeping.onLost(() => void this.#put());
    void this.#put();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  withdraw(): Promise<void> {
    this.#withdrawn ??= this.#takeBack();
    return this.#withdrawn;
  }

  /** Another one stands for the same thing now: it is left where it is. */
  replace(): void {
    this.#end();
    this.#resolve();
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#unwatch();
    this.#health.forget(this.#keeping.what);
  }

  async #takeBack(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    this.#reject(new HeddleError('ERR_REGISTRY_CLOSED', `${this.#keeping.what} was withdrawn`));
    await this.#keeping.remove().catch(() => {});
  }

  async #put(): Promise<void> {
    this.#timer?.cancel();
    if (this.#isOver) return;
    const reason = await this.#keeping.put().then(() => '', messageOf);
    if (this.#isOver) {
      // Withdrawn while it was on its way.
      if (reason === '' && this.#keeping.isTaken?.() !== true) await this.#keeping.remove().catch(() => {});
      return;
    }
    if (reason === '') {
      this.#backoff.reset();
      this.#health.well(this.#keeping.what);
      this.#resolve();
      return;
    }
    this.#health.trouble(this.#keeping.what, reason, true);
    this.#timer?.cancel();
    this.#timer = this.#context.clock.setTimer(this.#backoff.nextMs(), () => void this.#put());
  }
}
