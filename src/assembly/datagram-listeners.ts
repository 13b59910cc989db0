import { canonicalJson } from '../core/config/canonical-json.ts';
import type { ListenerConfig } from '../core/contract/config.ts';
import type { DatagramHandler, NetworkFilterDefinition } from '../core/contract/network-filter.ts';
import { DatagramListener } from '../transport/listener/datagram-listener.ts';
import { openDatagrams } from '../transport/listener/datagram-socket.ts';
import type { ClusterTable } from './clusters.ts';
import { networkContext } from './network-chains.ts';
import type { Runtime } from './runtime.ts';

interface Entry {
  readonly config: ListenerConfig;
  readonly listener: DatagramListener;
  /** Given to the listener at the commit; null: it has what it needs. */
  readonly next: DatagramHandler | null;
}

/** The UDP listeners of one mesh by name; a reload binds what is new first. */
export class DatagramTable {
  readonly #runtime: Runtime;
  readonly #clusters: ClusterTable;
  #entries = new Map<string, Entry>();

  constructor(runtime: Runtime, clusters: ClusterTable) {
    this.#runtime = runtime;
    this.#clusters = clusters;
  }

  get all(): readonly DatagramListener[] {
    return [...this.#entries.values()].map((entry) => entry.listener);
  }

  /** Whether the listener is one of datagrams. */
  takes(config: ListenerConfig): boolean {
    return this.#definitionOf(config)?.createDatagrams !== undefined;
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS; nothing has changed then */
  async prepare(configs: readonly ListenerConfig[]): Promise<{ commit(): void; abandon(): Promise<void> }> {
    const next = new Map<string, Entry>();
    const started: DatagramListener[] = [];
    const abandon = async (): Promise<void> => {
      await Promise.all(started.map((listener) => listener.close()));
    };
    try {
      for (const config of configs) {
        const before = this.#entries.get(config.name);
        if (before?.config.address === config.address) {
          const isSame = canonicalJson(before.config) === canonicalJson(config);
          const handler = isSame ? null : this.#handler(config);
          next.set(config.name, { config, listener: before.listener, next: handler });
          continue;
        }
        const { clock, sockets } = this.#runtime;
        const listener = new DatagramListener(config.name, config.address, this.#handler(config), clock);
        const shared = sockets?.datagrams(config.name, config.address) ?? null;
        next.set(config.name, { config, listener: await listener.start(shared), next: null });
        started.push(listener);
      }
    } catch (thrown) {
      await abandon();
      throw thrown;
    }
    return { commit: () => this.#commit(next), abandon };
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all(this.all.map((listener) => listener.drain(deadlineMs)));
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((listener) => listener.close()));
    this.#entries.clear();
  }

  #commit(next: Map<string, Entry>): void {
    for (const [name, { listener }] of this.#entries) {
      // Its port is given up at once; datagrams have no connection to finish.
      if (next.get(name)?.listener !== listener) void listener.close();
    }
    for (const entry of next.values()) if (entry.next !== null) entry.listener.update(entry.next);
    this.#entries = next;
  }

  #handler(config: ListenerConfig): DatagramHandler {
    const definition = this.#definitionOf(config) as Required<NetworkFilterDefinition>;
    const context = { ...networkContext(config.name, this.#runtime, this.#clusters), openDatagrams };
    return definition.createDatagrams(config.networkFilters[0]?.config ?? {}, context);
  }

  #definitionOf(config: ListenerConfig): NetworkFilterDefinition | undefined {
    const name = config.networkFilters[0]?.name;
    return this.#runtime.extensions.networkFilters.find((each) => each.name === name);
  }
}
