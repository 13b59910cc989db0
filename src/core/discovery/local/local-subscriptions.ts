import type { Clock } from '../../base/clock.ts';
import { HeddleError } from '../../base/errors.ts';
import type { Endpoint } from '../../contract/cluster.ts';
import type { Registry } from '../../contract/registry.ts';
import { fullError } from './full-error.ts';
import type { SubscribeRequest } from './request.ts';
import { ServiceView } from './service-view.ts';

export interface SubscribeAnswer {
  readonly service: string;
  /** Opaque; say it in the next request to wait for another list. */
  readonly version: string;
  /** A registry has answered: an empty list is one then. */
  readonly isKnown: boolean;
  readonly endpoints: readonly Endpoint[];
}

interface Subscription {
  readonly view: ServiceView;
  /** An application asked for it and has not taken that back. */
  isKept: boolean;
  /** Requests that wait for a change. */
  waiting: number;
}

/** Requests that wait at once, over all services. */
const maxWaiting = 1000;

/** Services that applications ask for: the lists stay at hand, a question may wait for the next change. */
export class LocalSubscriptions {
  /** Services at once. */
  max = 0;
  readonly #clock: Clock;
  readonly #generation: string;
  readonly #byService = new Map<string, Subscription>();
  #sources: readonly Registry[] = [];
  #waiting = 0;

  /** @param generation of this process: versions of the one before are news to nobody but look like none of ours */
  constructor(clock: Clock, generation: string) {
    this.#clock = clock;
    this.#generation = generation;
  }

  restore(services: readonly string[]): void {
    for (const service of services.slice(0, this.max)) this.#subscription(service).isKept = true;
  }

  /** In order of precedence. */
  follow(sources: readonly Registry[]): void {
    this.#sources = sources;
    for (const { view } of this.#byService.values()) view.follow(sources);
  }

  /** @returns whether that is new. @throws HeddleError ERR_REGISTRY_FULL, ERR_REGISTRY_REQUEST */
  keep(service: string): boolean {
    if (!this.#byService.has(service) && this.#byService.size >= this.max)
      throw fullError('subscriptions', this.max);
    const subscription = this.#subscription(service);
    const { refusal } = subscription.view;
    if (refusal !== '') {
      this.#forgetUnused(subscription);
      throw new HeddleError('ERR_REGISTRY_REQUEST', refusal);
    }
    if (subscription.isKept) return false;
    subscription.isKept = true;
    return true;
  }

  /** @returns false when there was none */
  drop(service: string): boolean {
    const subscription = this.#byService.get(service);
    if (subscription?.isKept !== true) return false;
    subscription.isKept = false;
    this.#forgetUnused(subscription);
    return true;
  }

  /** @throws HeddleError ERR_REGISTRY_FULL when too many wait already */
  async ask(
    { service, version, waitMs }: SubscribeRequest,
    signal: AbortSignal | null,
  ): Promise<SubscribeAnswer> {
    const subscription = this.#subscription(service);
    const { view } = subscription;
    const isNews = (): boolean => view.isKnown && this.#versionOf(view) !== version;
    if (!isNews() && waitMs > 0) await this.#waitFor(subscription, isNews, waitMs, signal);
    const answer = this.#answer(view);
    this.#forgetUnused(subscription);
    return answer;
  }

  list(): SubscribeAnswer[] {
    return [...this.#byService.values()].map(({ view }) => this.#answer(view));
  }

  /** Names for the state on disk. */
  kept(): string[] {
    return [...this.#byService].filter(([, each]) => each.isKept).map(([service]) => service);
  }

  close(): void {
    for (const { view } of this.#byService.values()) view.close();
    this.#byService.clear();
  }

  #subscription(service: string): Subscription {
    let subscription = this.#byService.get(service);
    if (subscription === undefined) {
      subscription = { view: new ServiceView(service), isKept: false, waiting: 0 };
      this.#byService.set(service, subscription);
      subscription.view.follow(this.#sources);
    }
    return subscription;
  }

  #forgetUnused(subscription: Subscription): void {
    const { view, isKept, waiting } = subscription;
    if (isKept || waiting > 0 || this.#byService.get(view.service) !== subscription) return;
    this.#byService.delete(view.service);
    view.close();
  }

  async #waitFor(
    subscription: Subscription,
    isNews: () => boolean,
    waitMs: number,
    signal: AbortSignal | null,
  ): Promise<void> {
    if (this.#waiting >= maxWaiting) throw fullError('waiting requests', maxWaiting);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(waitMs, resolve);
    const { view } = subscription;
    const look = (): void => {
      if (isNews() || view.isClosed) resolve();
      else forget = view.onNextChange(look);
    };
    let forget = view.onNextChange(look);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    this.#waiting++;
    subscription.waiting++;
    await promise;
    this.#waiting--;
    subscription.waiting--;
    timer.cancel();
    forget();
  }

  #answer(view: ServiceView): SubscribeAnswer {
    return {
      service: view.service,
      version: this.#versionOf(view),
      isKnown: view.isKnown,
      endpoints: view.endpoints(),
    };
  }

  #versionOf(view: ServiceView): string {
    return `${this.#generation}-${view.changes}`;
  }
}
