/** Clients and servers that share a list, through the code that a mesh runs: deltas in, deltas counted. */
import {
  type SchemeName,
  ServiceListShard,
  type ShardDelta,
  type ShardOptions,
  type ShardServer,
} from '../../src/sharding/index.ts';

export interface Scenario {
  readonly clients: number;
  readonly servers: number;
  readonly size: ShardOptions['size'];
  readonly scheme: SchemeName;
  readonly ringPoints?: number;
  /** Weights 1 to 4 in turn. */
  readonly isWeighted?: boolean;
  /** Zones that clients and servers are spread over (1). */
  readonly zones?: number;
}

export interface Balance {
  /** Of connections per server, divided by its weight. */
  readonly cv: number;
  readonly maxToMean: number;
  readonly minToMean: number;
}

export type Server = ShardServer & { readonly metadata: Readonly<Record<string, string>> };

/** Pods of a Kubernetes cluster: addresses in /24 blocks, one after the other. */
const podAddress = (i: number, generation: number): string =>
  `10.${64 + generation}.${i >> 7}.${(i & 127) + 2}`;

function serverOf(scenario: Scenario, i: number, generation = 0): Server {
  const weight = scenario.isWeighted === true ? 1 + (i % 4) : 1;
  const zone = `zone-${i % (scenario.zones ?? 1)}`;
  return { address: `${podAddress(i, generation)}:8080`, weight, zone, metadata: { slot: String(i) } };
}

export class Fleet {
  readonly #scenario: Scenario;
  readonly #shards: ServiceListShard<Server>[];
  readonly #servers = new Map<string, Server>();

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#shards = Array.from({ length: scenario.clients }, (_, client) => this.#shardOf(client));
    this.apply({
      added: Array.from({ length: scenario.servers }, (_, i) => serverOf(scenario, i)),
      removed: [],
      changed: [],
    });
  }

  get connections(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.members().length, 0);
  }

  servers(): Server[] {
    return [...this.#servers.values()];
  }

  /** @returns the connections opened */
  apply(delta: ShardDelta<Server>): number {
    for (const address of delta.removed) this.#servers.delete(address);
    for (const server of delta.added) this.#servers.set(server.address, server);
    return this.#shards.reduce((sum, shard) => sum + shard.apply(delta).added.length, 0);
  }

  /** Connections to these servers. */
  count(addresses: ReadonlySet<string>): number {
    const isOurs = (server: Server): boolean => addresses.has(server.address);
    return this.#shards.reduce((sum, shard) => sum + shard.members().filter(isOurs).length, 0);
  }

  balance(): Balance {
    const counts = new Map<string, number>();
    for (const shard of this.#shards) {
      for (const { address } of shard.members()) counts.set(address, (counts.get(address) ?? 0) + 1);
    }
    const loads = this.servers().map(({ address, weight }) => (counts.get(address) ?? 0) / weight);
    return balanceOf(loads);
  }

  #shardOf(client: number): ServiceListShard<Server> {
    const { size, scheme, ringPoints, zones } = this.#scenario;
    return new ServiceListShard({
      scheme,
      size,
      ringPoints,
      clientKey: podAddress(client, 100),
      clientIndex: client,
      zone: zones === undefined ? '' : `zone-${client % zones}`,
    });
  }
}

export function balanceOf(loads: readonly number[]): Balance {
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  const variance = loads.reduce((sum, load) => sum + (load - mean) ** 2, 0) / loads.length;
  return {
    cv: Math.sqrt(variance) / mean,
    maxToMean: Math.max(...loads) / mean,
    minToMean: Math.min(...loads) / mean,
  };
}

export interface Churn {
  /** Share of the connections after the change that were opened for it, and the least that any scheme could do. */
  readonly opened: number;
  readonly ideal: number;
}

/** Adds `count` servers to the fleet. */
export function grow(fleet: Fleet, scenario: Scenario, count: number): Churn {
  const added = Array.from({ length: count }, (_, i) => serverOf(scenario, scenario.servers + i));
  const opened = fleet.apply({ added, removed: [], changed: [] });
  const weightOf = (servers: readonly Server[]): number =>
    servers.reduce((sum, { weight }) => sum + weight, 0);
  return { opened: opened / fleet.connections, ideal: weightOf(added) / weightOf(fleet.servers()) };
}

/** Takes every tenth server away. */
export function shrink(fleet: Fleet): Churn {
  const before = fleet.connections;
  const removed = everyTenth(fleet).map((server) => server.address);
  const kept = before - fleet.count(new Set(removed));
  const opened = fleet.apply({ added: [], removed, changed: [] });
  const after = fleet.connections;
  return { opened: opened / after, ideal: Math.max(0, after - kept) / after };
}

/** Gives every tenth server a new address, as a rolling update does. */
export function replace(fleet: Fleet, scenario: Scenario): Churn {
  const old = everyTenth(fleet);
  const added = old.map((server) => ({
    ...serverOf(scenario, Number(server.metadata['slot']), 1),
    weight: server.weight,
  }));
  const lost = fleet.count(new Set(old.map((server) => server.address)));
  const opened = fleet.apply({ added, removed: old.map((server) => server.address), changed: [] });
  return { opened: opened / fleet.connections, ideal: lost / fleet.connections };
}

function everyTenth(fleet: Fleet): Server[] {
  return fleet.servers().filter((_, i) => i % 10 === 3);
}
