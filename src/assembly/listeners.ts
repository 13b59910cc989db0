import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { Codec } from '../core/contract/codec.ts';
import type { ListenerConfig } from '../core/contract/config.ts';
import { Listener } from '../transport/index.ts';
import type { ClusterTable } from './clusters.ts';
import { type BuiltPipeline, buildPipeline } from './pipelines.ts';
import type { Runtime } from './runtime.ts';

interface Entry {
  readonly config: ListenerConfig;
  readonly listener: Listener;
  readonly built: BuiltPipeline;
}

/** A reload that could be carried out: nothing has changed until `commit`. */
export interface PreparedListeners {
  commit(): Promise<void>;
}

/** How long a listener that a reload removed may finish what it carries. */
const removedDrainMs = 30_000;

/** The listeners of one mesh by name. A reload binds what is new first, so that a port that is taken changes nothing. */
export class ListenerTable {
  readonly #runtime: Runtime;
  readonly #clusters: ClusterTable;
  #entries = new Map<string, Entry>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(runtime: Runtime, clusters: ClusterTable) {
    this.#runtime = runtime;
    this.#clusters = clusters;
  }

  /** Name to the address in use, e.g. "127.0.0.1:40123" where port 0 was asked for. */
  get addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#entries].map(([name, { listener }]) => [name, listener.address]));
  }

  get all(): readonly Listener[] {
    return [...this.#entries.values()].map((entry) => entry.listener);
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS, ERR_CONFIG_INVALID; nothing has changed then */
  async prepare(configs: readonly ListenerConfig[]): Promise<PreparedListeners> {
    const next = new Map<string, Entry>();
    const started: Listener[] = [];
    try {
      for (const config of configs) {
        const before = this.#entries.get(config.name) ?? null;
        const entry = this.#entryOf(config, before);
        next.set(config.name, entry);
        if (entry.listener === before?.listener) continue;
        await entry.listener.start();
        started.push(entry.listener);
      }
    } catch (thrown) {
      await Promise.all(started.map((listener) => listener.close()));
      throw thrown;
    }
    return { commit: () => this.#commit(next) };
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...this.all.map((listener) => listener.drain(deadlineMs)), ...this.#leaving]);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((listener) => listener.close()));
    this.#entries.clear();
  }

  #entryOf(config: ListenerConfig, before: Entry | null): Entry {
    if (before !== null && canonicalJson(before.config) === canonicalJson(config)) return before;
    const built = buildPipeline(
      config.name,
      config,
      this.#runtime,
      this.#clusters.ref,
      before?.built ?? null,
    );
    const isSameSocket =
      before !== null &&
      before.config.address === config.address &&
      before.config.limits.backlog === config.limits.backlog &&
      canonicalJson(before.config.codec) === canonicalJson(config.codec);
    const listener = isSameSocket ? before.listener : this.#create(config, built);
    return { config, listener, built };
  }

  #create(config: ListenerConfig, built: BuiltPipeline): Listener {
    const codec = this.#runtime.extensions.codecs.find((each) => each.name === config.codec.name);
    if (codec === undefined) throw new HeddleError('ERR_CONFIG_INVALID', `no codec ${config.codec.name}`);
    return new Listener({
      name: config.name,
      address: config.address,
      codec: codec as Codec<never>,
      codecConfig: config.codec.config ?? {},
      context: this.#runtime.codec,
      pipeline: built.pipeline,
      limits: config.limits,
      logger: this.#runtime.logger,
      onGone: this.#clusters.unbind,
    });
  }

  async #commit(next: Map<string, Entry>): Promise<void> {
    const before = this.#entries;
    this.#entries = next;
    const kept = new Set([...next.values()].map((entry) => entry.listener));
    for (const entry of next.values()) entry.listener.update(entry.built.pipeline, entry.config.limits);
    for (const { listener } of before.values()) {
      if (!kept.has(listener)) this.#leave(listener);
    }
  }

  /** A removed listener finishes its streams beside the new ones. */
  #leave(listener: Listener): void {
    const leaving = listener.drain(removedDrainMs).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
