import { HealthRecord } from '../../base/health-record.ts';
import { sameEndpoint } from '../../contract/endpoint.ts';
import type { Registry, RegistryContext } from '../../contract/registry.ts';
import type { HasHealth, Health } from '../../contract/state.ts';
import { fullError } from './full-error.ts';
import { LocalEntry, type PlaceState, type PublishPlace } from './local-entry.ts';
import { LocalSubscriptions, type SubscribeAnswer } from './local-subscriptions.ts';
import type { PublishRequest, SubscribeRequest, UnpublishRequest } from './request.ts';
import { type LocalPublication, type LocalState, StateFile } from './state-file.ts';

export interface LocalRegistryOptions {
  readonly maxPublications: number;
  readonly maxSubscriptions: number;
  /** Null: what was said is gone with the process. */
  readonly statePath: string | null;
}

type Context = Pick<RegistryContext, 'clock' | 'random' | 'logger' | 'files'>;

export interface PublishAnswer {
  readonly service: string;
  readonly address: string;
  readonly result: 'published' | 'changed' | 'unchanged';
  /** On disk: it survives a restart. */
  readonly isSaved: boolean;
  readonly registries: readonly PlaceState[];
}

export interface UnpublishAnswer {
  readonly service: string;
  readonly address: string;
  readonly result: 'unpublished' | 'unknown';
  readonly isSaved: boolean;
}

export interface UnsubscribeAnswer {
  readonly service: string;
  readonly result: 'unsubscribed' | 'unknown';
}

/**
 * What applications of any language say and ask through the local API: publications by (service, address), subscriptions by
 * service. It stands between them and the registries, so that a restart of either side is seen by neither.
 *
 *   application -> publish -> entry (lease) -> every registry that takes publications
 *                  subscribe <- view (joined list, version) <- every registry
 */
export class LocalRegistry implements HasHealth {
  readonly #context: Context;
  #options: LocalRegistryOptions = { maxPublications: 0, maxSubscriptions: 0, statePath: null };
  #file: StateFile | null = null;
  readonly #entries = new Map<string, LocalEntry>();
  readonly #subscriptions: LocalSubscriptions;
  readonly #health: HealthRecord;
  #places: readonly PublishPlace[] = [];

  constructor(context: Context) {
    this.#context = context;
    this.#health = new HealthRecord(context.clock);
    this.#subscriptions = new LocalSubscriptions(context.clock, context.random.uint32().toString(36));
  }

  /** For a reload, too. A file at another place gets the present state with the next change. */
  configure(options: LocalRegistryOptions): void {
    const { statePath, maxSubscriptions } = options;
    this.#subscriptions.max = maxSubscriptions;
    if (statePath !== this.#options.statePath) {
      const { files, logger } = this.#context;
      this.#file = statePath === null ? null : new StateFile(statePath, files, logger);
    }
    this.#options = options;
  }

  /** Takes up what was said before the restart. */
  async load(): Promise<void> {
    if (this.#file === null) return;
    const { publications, subscriptions } = await this.#file.load();
    for (const publication of publications.slice(0, this.#options.maxPublications)) this.#put(publication);
    this.#subscriptions.restore(subscriptions);
  }

  /** @param places take publications. @param sources are asked for lists, in order of precedence. For a reload, too */
  follow(places: readonly PublishPlace[], sources: readonly Registry[]): void {
    this.#places = places;
    for (const entry of this.#entries.values()) entry.follow(places);
    this.#subscriptions.follow(sources);
  }

  /** @throws HeddleError ERR_REGISTRY_FULL */
  async publish({ publication, ttlMs, waitMs }: PublishRequest): Promise<PublishAnswer> {
    const { service, endpoint, protocol = '' } = publication;
    const { address } = endpoint;
    const known = this.#entries.get(keyOf(service, address));
    if (known === undefined && this.#entries.size >= this.#options.maxPublications)
      throw fullError('publications', this.#options.maxPublications);
    const next: LocalPublication = { service, endpoint, protocol, ttlMs };
    const isSame = known !== undefined && isSamePublication(known.publication, next);
    const entry = isSame ? known : this.#put(next);
    entry.renew();
    const saved = isSame ? this.#isSaved() : this.#save();
    await this.#within(waitMs, entry.ready());
    const result = known === undefined ? 'published' : isSame ? 'unchanged' : 'changed';
    return { service, address, result, isSaved: await saved, registries: entry.states() };
  }

  async unpublish({ service, address, waitMs }: UnpublishRequest): Promise<UnpublishAnswer> {
    const key = keyOf(service, address);
    const entry = this.#entries.get(key);
    if (entry === undefined) return { service, address, result: 'unknown', isSaved: this.#isSaved() };
    this.#entries.delete(key);
    const saved = this.#save();
    await this.#within(waitMs, entry.withdraw());
    return { service, address, result: 'unpublished', isSaved: await saved };
  }

  /**
   * Answers at once with a list other than `version`; waits for one otherwise.
   * @throws HeddleError ERR_REGISTRY_FULL
   */
  async subscribe(request: SubscribeRequest, signal: AbortSignal | null = null): Promise<SubscribeAnswer> {
    const isNew = this.#subscriptions.keep(request.service);
    const [answer] = await Promise.all([
      this.#subscriptions.ask(request, signal),
      isNew ? this.#save() : undefined,
    ]);
    return answer;
  }

  async unsubscribe(service: string): Promise<UnsubscribeAnswer> {
    if (!this.#subscriptions.drop(service)) return { service, result: 'unknown' };
    await this.#save();
    return { service, result: 'unsubscribed' };
  }

  /** @param service null: all */
  list(service: string | null): object {
    const isWanted = (name: string): boolean => service === null || name === service;
    const publications = [...this.#entries.values()].filter((entry) => isWanted(entry.publication.service));
    return {
      publications: publications.map((entry) => ({ ...entry.publication, registries: entry.states() })),
      subscriptions: this.#subscriptions.list().filter((each) => isWanted(each.service)),
      state: { path: this.#file?.path ?? null, ...this.health() },
    };
  }

  health(): Health {
    const problem = this.#file?.problem ?? '';
    const refused = [...this.#entries.values()].flatMap((entry) =>
      entry.states().filter(({ state }) => state === 'refused'),
    );
    const reason = problem === '' ? (refused[0]?.reason ?? '') : problem;
    this.#health.set(reason === '' ? 'ok' : 'degraded', reason);
    return this.#health.toHealth();
  }

  async close(): Promise<void> {
    for (const entry of this.#entries.values()) entry.close();
    this.#entries.clear();
    this.#subscriptions.close();
    await this.#file?.settled();
  }

  #put(publication: LocalPublication): LocalEntry {
    const key = keyOf(publication.service, publication.endpoint.address);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.replace(publication);
      return known;
    }
    const { clock, logger } = this.#context;
    const entry = new LocalEntry(publication, clock, logger, () => this.#expire(key, entry));
    this.#entries.set(key, entry);
    entry.follow(this.#places);
    entry.renew();
    return entry;
  }

  #expire(key: string, entry: LocalEntry): void {
    const { service, endpoint, ttlMs } = entry.publication;
    this.#context.logger.info('a publication was not renewed and is withdrawn', {
      service,
      address: endpoint.address,
      ttlMs,
    });
    this.#entries.delete(key);
    void entry.withdraw();
    void this.#save();
  }

  /** Resolves when `work` is done, but after `waitMs` at the latest. */
  async #within(waitMs: number, work: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#context.clock.setTimer(waitMs, resolve);
    await Promise.race([work, promise]);
    timer.cancel();
  }

  #isSaved(): boolean {
    return this.#file !== null && this.#file.problem === '';
  }

  async #save(): Promise<boolean> {
    return (await this.#file?.save(() => this.#state())) ?? false;
  }

  #state(): LocalState {
    return {
      publications: [...this.#entries.values()].map((entry) => entry.publication),
      subscriptions: this.#subscriptions.kept(),
    };
  }
}

/** JSON keeps apart what a separator could join. */
const keyOf = (service: string, address: string): string => JSON.stringify([service, address]);

function isSamePublication(a: LocalPublication, b: LocalPublication): boolean {
  return a.protocol === b.protocol && a.ttlMs === b.ttlMs && sameEndpoint(a.endpoint, b.endpoint);
}
