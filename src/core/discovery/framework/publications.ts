import { Backoff } from '../../base/backoff.ts';
import type { Timer } from '../../base/clock.ts';
import { HeddleError, messageOf } from '../../base/errors.ts';
import type { Publication, Published, RegistryContext } from '../../contract/registry.ts';
import type { PublishTarget } from '../../contract/service-source.ts';
import type { RegistryHealth } from '../registry-health.ts';
import { type Dialect, dialects } from './dialects.ts';
import type { FrameworkConfig } from './framework-config.ts';
import { type Item, type ItemOptions, itemsOf, type Offer, readOffer, refused } from './publication-items.ts';

const retry = { baseMs: 1000, maxMs: 30_000 };
/** A close waits no longer for a target that does not answer. */
const lastTryMs = 3000;
/** Its line in `health`. */
const line = 'publications';

interface Entry {
  readonly offer: Offer;
  readonly published: Published;
  resolve(): void;
  reject(reason: HeddleError): void;
}

/** Somebody waits for what was asked for up to `change`. */
interface Waiter {
  readonly change: number;
  /** Also when the target cannot be asked. */
  readonly takesFailure: boolean;
  done(): void;
}

/**
 * What this process publishes, and what of it the target has. One pass at a time makes the second equal the first; a pass
 * that fails is tried again with back-off, and what the target lost is put back.
 *
 *   publish | withdraw -> items that should be there -> pass: put what differs, remove what is left over
 */
export class Publications {
  readonly #target: PublishTarget;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #dialect: Dialect;
  readonly #options: ItemOptions;
  readonly #backoff: Backoff;
  readonly #entries = new Map<string, Entry>();
  /** By key: what the target has. */
  readonly #there = new Map<string, Item>();
  readonly #unwatch: () => void;
  #waiters: Waiter[] = [];
  #change = 0;
  #isPassing = false;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(
    target: PublishTarget,
    config: FrameworkConfig,
    levels: { readonly hasInstances: boolean; readonly hasInterfaces: boolean },
    context: RegistryContext,
    health: RegistryHealth,
  ) {
    this.#target = target;
    this.#context = context;
    this.#health = health;
    this.#dialect = dialects[config.dialect];
    this.#options = {
      application: config.application,
      dialect: this.#dialect,
      asInterface: levels.hasInterfaces && config.publishAs !== 'application',
      asApplication: levels.hasInstances && config.publishAs !== 'interface' && config.application !== '',
    };
    this.#backoff = new Backoff(retry, context.random);
    this.#unwatch = target.onLost(() => {
      this.#there.clear();
      if (this.#entries.size > 0) this.#touch();
    });
  }

  readonly publish = (publication: Publication): Published => {
    if (this.#isClosed) throw refused(publication.service, 'the registry is closed');
    const { service, endpoint } = publication;
    const key = JSON.stringify([service, endpoint.address, publication.protocol ?? '']);
    const before = this.#entries.get(key);
    const sinceMs = before?.offer.sinceMs ?? this.#context.clock.wallNow();
    const offer = readOffer(publication, this.#dialect, sinceMs);
    if (!offer.service.isApplication && !this.#options.asInterface && !this.#options.asApplication) {
      throw refused(service, 'to publish at the application level the registry needs "application", a name');
    }
    if (before !== undefined && JSON.stringify(before.offer) === JSON.stringify(offer))
      return before.published;
    const entry = this.#entry(key, offer);
    // Who said it before has nothing to take back any more.
    this.#entries.set(key, entry);
    before?.resolve();
    this.#wait(false, () => entry.resolve());
    this.#touch();
    return entry.published;
  };

  /** Withdraws everything, as far as the target answers. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const all = [...this.#entries.values()].map(({ published }) => published.withdraw());
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#context.clock.setTimer(lastTryMs, resolve);
    await Promise.race([Promise.all(all), late]);
    timer.cancel();
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#unwatch();
    this.#health.forget(line);
  }

  #entry(key: string, offer: Offer): Entry {
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    // Nobody has to wait for it.
    ready.catch(() => undefined);
    let withdrawn: Promise<void> | null = null;
    const entry: Entry = {
      offer,
      resolve,
      reject,
      published: {
        ready,
        withdraw: () => {
          withdrawn ??= this.#withdraw(key, entry);
          return withdrawn;
        },
      },
    };
    return entry;
  }

  #withdraw(key: string, entry: Entry): Promise<void> {
    if (this.#entries.get(key) !== entry) return Promise.resolve();
    this.#entries.delete(key);
    entry.reject(
      new HeddleError('ERR_REGISTRY_CLOSED', `${entry.offer.service.interfaceName} was withdrawn`),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wait(true, resolve);
    this.#touch();
    return promise;
  }

  #wait(takesFailure: boolean, done: () => void): void {
    this.#waiters.push({ change: this.#change + 1, takesFailure, done });
  }

  /** Something is to be done; a wait after a failure is over. */
  #touch(): void {
    this.#change++;
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#start();
  }

  #start(): void {
    if (this.#isPassing) return;
    this.#isPassing = true;
    // What is said in one go is one pass.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    for (let seen = -1; seen !== this.#change && !this.#isClosed; ) {
      seen = this.#change;
      const reason = await this.#bringUpToDate().then(() => '', messageOf);
      this.#settle(seen, reason !== '');
      if (reason === '') {
        this.#backoff.reset();
        this.#health.well(line);
      } else if (seen === this.#change) {
        this.#health.trouble(line, reason, true);
        this.#retryLater();
      }
    }
    this.#isPassing = false;
  }

  async #bringUpToDate(): Promise<void> {
    const offers = [...this.#entries.values()].map(({ offer }) => offer);
    const items = itemsOf(offers, this.#options);
    for (const item of items) {
      if (this.#there.get(item.key)?.text === item.text) continue;
      await item.put(this.#target);
      this.#there.set(item.key, item);
    }
    const kept = new Set(items.map(({ key }) => key));
    for (const [key, item] of this.#there) {
      if (kept.has(key)) continue;
      await item.remove?.(this.#target);
      this.#there.delete(key);
    }
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#context.clock.setTimer(this.#backoff.nextMs(), () => {
      this.#timer = null;
      this.#change++;
      this.#start();
    });
  }

  #settle(seen: number, hasFailed: boolean): void {
    const over = (waiter: Waiter): boolean => waiter.change <= seen && (!hasFailed || waiter.takesFailure);
    const done = this.#waiters.filter(over);
    this.#waiters = this.#waiters.filter((waiter) => !over(waiter));
    for (const waiter of done) waiter.done();
  }
}
