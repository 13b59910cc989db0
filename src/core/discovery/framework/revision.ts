import { Backoff } from '../../base/backoff.ts';
import type { Timer } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { RegistryContext } from '../../contract/registry.ts';
import type { ApplicationMetadata, MetadataSource, ServiceInstance } from '../../contract/service-source.ts';

/** Waits between tries: 1 s, 2 s, 4 s, ... */
const retry = { baseMs: 1000, maxMs: 10_000 };
/** A source that never answers counts as one that failed. */
const answerLimitMs = 15_000;
/** Instances named to the source, which asks one after the other. */
const maxAsked = 10;

export interface RevisionOwner {
  /** Instances that have the revision now. */
  instancesOf(revision: Revision): readonly ServiceInstance[];
  onMetadata(revision: Revision): void;
  onTrouble(revision: Revision, reason: string): void;
}

/** What one revision of an application provides, asked for once, and again with back-off until it is known. */
export class Revision {
  readonly application: string;
  readonly name: string;
  metadata: ApplicationMetadata | null;
  /** Instances that say it, or are served by it. */
  users = 0;
  readonly #source: MetadataSource;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;
  readonly #owner: RevisionOwner;
  readonly #backoff: Backoff;
  #timer: Timer | null = null;
  #isAsking = false;
  #isClosed = false;

  /** @param metadata as it is known already, or null */
  constructor(
    application: string,
    name: string,
    metadata: ApplicationMetadata | null,
    source: MetadataSource,
    context: Pick<RegistryContext, 'clock' | 'random'>,
    owner: RevisionOwner,
  ) {
    this.application = application;
    this.name = name;
    this.metadata = metadata;
    this.#source = source;
    this.#context = context;
    this.#owner = owner;
    this.#backoff = new Backoff(retry, context.random);
  }

  /** Asks unless it is known, asked for, or waiting to be. */
  ask(): void {
    if (this.metadata !== null || this.#isAsking || this.#timer !== null || this.#isClosed) return;
    this.#isAsking = true;
    void this.#ask();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const { reason, metadata } = await this.#fetch();
    this.#isAsking = false;
    if (this.#isClosed) return;
    if (metadata !== null) {
      this.metadata = metadata;
      this.#owner.onMetadata(this);
      return;
    }
    this.#timer = this.#context.clock.setTimer(this.#backoff.nextMs(), () => {
      this.#timer = null;
      this.ask();
    });
    this.#owner.onTrouble(this, reason);
  }

  async #fetch(): Promise<{ readonly reason: string; readonly metadata: ApplicationMetadata | null }> {
    const { promise: limit, resolve } = Promise.withResolvers<'late'>();
    const timer = this.#context.clock.setTimer(answerLimitMs, () => resolve('late'));
    try {
      const asked = this.#source.fetch(this.application, this.name, this.#someInstances());
      const answer = await Promise.race([asked, limit]);
      if (answer === 'late') return { reason: `no answer in ${answerLimitMs} ms`, metadata: null };
      if (answer === null) return { reason: 'nobody knows this revision', metadata: null };
      if (answer.revision !== '' && answer.revision !== this.name) {
        return { reason: `the answer is about revision ${answer.revision}`, metadata: null };
      }
      return { reason: '', metadata: answer };
    } catch (thrown) {
      return { reason: messageOf(thrown), metadata: null };
    } finally {
      timer.cancel();
    }
  }

  #someInstances(): ServiceInstance[] {
    const all = [...this.#owner.instancesOf(this)];
    const some: ServiceInstance[] = [];
    while (all.length > 0 && some.length < maxAsked) {
      const at = Math.floor(this.#context.random.next() * all.length);
      some.push(all[at] as ServiceInstance);
      all[at] = all[all.length - 1] as ServiceInstance;
      all.pop();
    }
    return some;
  }
}
