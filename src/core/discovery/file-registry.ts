import * as v from 'valibot';
import { messageOf } from '../base/errors.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { Registry, RegistryContext, RegistryDefinition, RegistryDelta } from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';
import { RegistryHealth } from './registry-health.ts';
import { ServiceFeed } from './service-feed.ts';
import { parseServiceFile } from './service-file.ts';

const config = v.strictObject({
  /** YAML or JSON, see `parseServiceFile`. */
  path: v.pipe(v.string(), v.minLength(1)),
  /** Take an empty list for what it says; without it the last list that was not empty serves on (false). */
  allowEmpty: v.optional(v.boolean(), false),
});
type Config = v.InferOutput<typeof config>;

/** A service list in a file that is watched. Bad content, a missing file or service keep the last good list. */
class FileRegistry implements Registry {
  readonly #config: Config;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #feeds = new Map<string, ServiceFeed>();
  readonly #unwatch: () => void;
  #services: ReadonlyMap<string, readonly Endpoint[]> | null = null;
  /** Why the file cannot be used, "" when it can; null before it was read. */
  #problem: string | null = null;
  /** Reads run one after the other; a change during one asks for another. */
  #reading: Promise<void> | null = null;
  #isStale = false;
  #isClosed = false;

  constructor(given: Config, context: RegistryContext) {
    this.#config = given;
    this.#context = context;
    this.#health = new RegistryHealth(`file ${given.path}`, context.clock, context.logger, context.metrics);
    this.#unwatch = context.files.watch(given.path, () => this.#read());
    this.#read();
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const feed = this.#feeds.get(service) ?? this.#addFeed(service);
    const unsubscribe = feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (feed.listenerCount > 0 || this.#feeds.get(service) !== feed) return;
      this.#feeds.delete(service);
      this.#health.forget(service);
      feed.close();
    };
  }

  troubleOf(service: string): string {
    return this.#health.reasonOf(service);
  }

  health(): Health {
    return this.#health.toHealth();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    await this.#reading;
  }

  #addFeed(service: string): ServiceFeed {
    const { clock, logger } = this.#context;
    const feed = new ServiceFeed(service, clock, logger, { allowEmpty: this.#config.allowEmpty });
    this.#feeds.set(service, feed);
    if (this.#problem !== null) this.#publish(feed, this.#problem);
    return feed;
  }

  #read(): void {
    this.#isStale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
  }

  async #readAll(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      const problem = await this.#load();
      if (this.#isClosed) return;
      this.#problem = problem;
      for (const feed of this.#feeds.values()) this.#publish(feed, problem);
    }
  }

  /** @returns why the content cannot be used, "" when it can */
  async #load(): Promise<string> {
    let text: string;
    try {
      text = await this.#context.files.readText(this.#config.path);
    } catch (thrown) {
      return messageOf(thrown);
    }
    const file = parseServiceFile(text);
    if (file.problem !== undefined) return file.problem;
    this.#services = file.services;
    return '';
  }

  #publish(feed: ServiceFeed, fileProblem: string): void {
    // A service that is asked for while the file is bad gets what the file said before.
    const listProblem = fileProblem === '' || !feed.hasList ? this.#publishList(feed) : '';
    const problem = fileProblem === '' ? listProblem : fileProblem;
    if (problem === '') this.#health.well(feed.service);
    else this.#health.trouble(feed.service, problem, feed.hasList);
  }

  #publishList(feed: ServiceFeed): string {
    const list = this.#services?.get(feed.service);
    if (list === undefined) return 'the file does not list this service';
    return feed.publish(list) ? '' : 'the file lists no endpoint; allowEmpty would take that';
  }
}

export const fileRegistry: RegistryDefinition<Config> = {
  name: 'file',
  config,
  create: (given, context) => new FileRegistry(given, context),
};
