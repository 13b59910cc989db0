import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import { loadedExtension } from '../core/config/late-extension.ts';
import type { Codec } from '../core/contract/codec.ts';
import type { ListenerConfig } from '../core/contract/config.ts';
import { Listener } from '../transport/listener/listener.ts';
import type { ClusterTable } from './clusters.ts';
import { DatagramTable } from './datagram-listeners.ts';
import { type BuiltChain, buildChain } from './network-chains.ts';
import { type BuiltPipeline, buildPipeline } from './pipelines.ts';
import type { Runtime } from './runtime.ts';

interface Entry {
  readonly config: ListenerConfig;
  readonly listener: Listener;
  readonly built: BuiltPipeline;
  readonly chain: BuiltChain;
  /** The listener that has the address now and gives its socket away at the commit. */
  readonly donor: Listener | null;
}

/** A reload that could be carried out: nothing has changed until `commit`. */
export interface PreparedListeners {
  commit(): void;
  /** Closes what was bound for it. */
  abandon(): Promise<void>;
}

/** How long a listener that a reload removed may finish what it carries. */
const removedDrainMs = 30_000;

/** The listeners of one mesh by name. A reload binds what is new first, so that a port that is taken changes nothing. */
export class ListenerTable {
  readonly #runtime: Runtime;
  readonly #clusters: ClusterTable;
  #entries = new Map<string, Entry>();
  readonly #leaving = new Map<Listener, Promise<void>>();
  readonly datagrams: DatagramTable;

  constructor(runtime: Runtime, clusters: ClusterTable) {
    this.#runtime = runtime;
    this.#clusters = clusters;
    this.datagrams = new DatagramTable(runtime, clusters);
  }

  /** Name to the address in use, e.g. "127.0.0.1:40123" where port 0 was asked for. */
  get addresses(): Readonly<Record<string, string>> {
    const all = [...this.all, ...this.datagrams.all];
    return Object.fromEntries(all.map((listener) => [listener.name, listener.address]));
  }

  get all(): readonly Listener[] {
    return [...this.#entries.values()].map((entry) => entry.listener);
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS, ERR_CONFIG_INVALID; nothing has changed then */
  async prepare(configs: readonly ListenerConfig[]): Promise<PreparedListeners> {
    const streams = await this.#prepareStreams(configs.filter((config) => !this.datagrams.takes(config)));
    try {
      const datagrams = await this.datagrams.prepare(
        configs.filter((config) => this.datagrams.takes(config)),
      );
      const commit = (): void => {
        streams.commit();
        datagrams.commit();
      };
      return { commit, abandon: () => Promise.all([streams.abandon(), datagrams.abandon()]).then(() => {}) };
    } catch (thrown) {
      await streams.abandon();
      throw thrown;
    }
  }

  async #prepareStreams(configs: readonly ListenerConfig[]): Promise<PreparedListeners> {
    const next = new Map<string, Entry>();
    const started: Listener[] = [];
    const abandon = async (): Promise<void> => {
      const kept = new Set([...this.#entries.values()].map(({ chain }) => chain.tls?.acceptor));
      for (const { chain } of next.values()) if (!kept.has(chain.tls?.acceptor)) chain.tls?.acceptor.close();
      await Promise.all(started.map((listener) => listener.close()));
    };
    const addresses = new Map(configs.map((config) => [config.name, config.address]));
    try {
      for (const config of configs) {
        const entry = this.#entryOf(config, addresses);
        next.set(config.name, entry);
        if (entry.listener === this.#entries.get(config.name)?.listener || entry.donor !== null) continue;
        await entry.listener.start();
        started.push(entry.listener);
      }
    } catch (thrown) {
      await abandon();
      throw thrown;
    }
    return { commit: () => this.#commit(next), abandon };
  }

  /** What was published is taken back first: callers learn that it goes while it still answers. */
  async drain(deadlineMs: number): Promise<void> {
    await this.#clusters.registries.withdrawAll(deadlineMs);
    const streams = this.all.map((listener) => listener.drain(deadlineMs));
    await Promise.all([...streams, ...this.#leaving.values(), this.datagrams.drain(deadlineMs)]);
  }

  /** Ends everything now, removed listeners that were still finishing included. */
  async close(): Promise<void> {
    const streams = [...this.all, ...this.#leaving.keys()].map((listener) => listener.close());
    await Promise.all([...streams, this.datagrams.close()]);
    for (const { chain } of this.#entries.values()) chain.tls?.acceptor.close();
    this.#entries.clear();
  }

  #entryOf(config: ListenerConfig, addresses: ReadonlyMap<string, string>): Entry {
    const before = this.#entries.get(config.name) ?? null;
    if (before !== null && canonicalJson(before.config) === canonicalJson(config)) return before;
    const built = buildPipeline(
      config.name,
      config,
      this.#runtime,
      this.#clusters.ref,
      before?.built ?? null,
    );
    const chain = buildChain(config, this.#runtime, this.#clusters, before?.chain ?? null);
    if (before !== null && isSameListener(before, config)) {
      if (before.config.limits.backlog !== config.limits.backlog) this.#warnOfBacklog(config.name);
      return { config, listener: before.listener, built, chain, donor: null };
    }
    const listener = this.#create(config, built, chain);
    return { config, listener, built, chain, donor: this.#donorOf(config, addresses) };
  }

  /** Who has the address that `config` wants and will not need it: a listener of another codec or another name. */
  #donorOf(config: ListenerConfig, addresses: ReadonlyMap<string, string>): Listener | null {
    const own = this.#entries.get(config.name);
    if (own !== undefined && hasAddress(own, config.address)) return own.listener;
    if (config.address.endsWith(':0')) return null;
    for (const [name, entry] of this.#entries) {
      if (hasAddress(entry, config.address) && addresses.get(name) !== config.address) return entry.listener;
    }
    return null;
  }

  /** Binding anew would refuse connections for a moment and drop those that wait: the socket stays. */
  #warnOfBacklog(listener: string): void {
    this.#runtime.logger.warn('a changed backlog counts from the next start on', { listener });
  }

  #create(config: ListenerConfig, built: BuiltPipeline, { chain }: BuiltChain): Listener {
    const found = this.#runtime.extensions.codecs.find((each) => each.name === config.codec.name);
    if (found === undefined) throw new HeddleError('ERR_CONFIG_INVALID', `no codec ${config.codec.name}`);
    const codec = loadedExtension(found);
    return new Listener({
      name: config.name,
      address: config.address,
      codec: codec as Codec<never>,
      codecConfig: config.codec.config ?? {},
      context: this.#runtime.codec,
      pipeline: built.pipeline,
      chain,
      limits: config.limits,
      logger: this.#runtime.logger,
      onGone: this.#clusters.unbind,
      sockets: this.#runtime.sockets,
    });
  }

  #commit(next: Map<string, Entry>): void {
    const before = this.#entries;
    this.#entries = new Map();
    const kept = new Set<Listener>();
    for (const [name, entry] of next) {
      kept.add(entry.listener);
      if (entry.donor !== null) entry.listener.takeOver(entry.donor);
      entry.listener.update(entry.built.pipeline, entry.config.limits, entry.chain.chain);
      this.#entries.set(name, { ...entry, donor: null });
    }
    const acceptors = new Set([...next.values()].map(({ chain }) => chain.tls?.acceptor));
    for (const { listener, chain } of before.values()) {
      if (!kept.has(listener)) this.#leave(listener);
      if (!acceptors.has(chain.tls?.acceptor)) chain.tls?.acceptor.close();
    }
  }

  /** A removed listener finishes its streams beside the new ones. */
  #leave(listener: Listener): void {
    const leaving = listener.drain(removedDrainMs).finally(() => this.#leaving.delete(listener));
    this.#leaving.set(listener, leaving);
  }
}

/** Asked for it, or got it where it asked for port 0. */
function hasAddress(entry: Entry, address: string): boolean {
  return entry.config.address === address || entry.listener.address === address;
}

/** Can the listener go on with only its pipeline and limits changed? */
function isSameListener(before: Entry, config: ListenerConfig): boolean {
  return (
    hasAddress(before, config.address) && canonicalJson(before.config.codec) === canonicalJson(config.codec)
  );
}
