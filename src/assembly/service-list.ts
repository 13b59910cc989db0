import { hostname } from 'node:os';
import type { ClusterConfig, DiscoveryConfig, ShardingConfig } from '../core/contract/config.ts';
import type { Registry, RegistryDelta } from '../core/contract/registry.ts';
import { ShardedRegistry } from '../core/discovery/index.ts';
import type { ShardOptions, ShardSize } from '../sharding/index.ts';
import type { Registries } from './registries.ts';
import type { Runtime } from './runtime.ts';

/** A cluster's service list as it comes: fixed or from a registry, the whole of it or the part that falls to this mesh. */
export interface ServiceList {
  /** Resolves when the first list has come. */
  readonly listed: Promise<void>;
  unsubscribe(): void;
  /** What the cluster found out about a host: a stand-in joins for one that is not well. */
  setHealth(address: string, isHealthy: boolean): void;
}

export function subscribeList(
  runtime: Runtime,
  registries: Registries,
  config: ClusterConfig,
  onDelta: (delta: RegistryDelta) => void,
): ServiceList {
  const { sharding, discovery, name } = config;
  const { promise: listed, resolve } = Promise.withResolvers<void>();
  const pass = (delta: RegistryDelta): void => {
    onDelta(delta);
    resolve();
  };
  const source = sourceOf(registries, config, discovery);
  const sharded =
    sharding === undefined ? null : new ShardedRegistry(source, shardOptions(sharding), runtime.clock);
  const service = discovery?.service ?? name;
  const unsubscribe = (sharded ?? source).subscribe(service, pass);
  return {
    listed,
    unsubscribe,
    setHealth: (address, isHealthy) => sharded?.setHealth(service, address, isHealthy),
  };
}

/** The whole list as a registry of one service; those behind it are shared and closed by who owns them. */
function sourceOf(
  registries: Registries,
  config: ClusterConfig,
  discovery: DiscoveryConfig | undefined,
): Registry {
  return {
    subscribe(service, onDelta) {
      if (discovery !== undefined) return registries.subscribe(discovery, onDelta);
      onDelta({ service, version: 1, full: true, added: config.endpoints, removed: [], changed: [] });
      return () => {};
    },
    health: () => ({ status: 'ok', reason: '', sinceMs: 0 }),
    close: async () => {},
  };
}

function shardOptions(sharding: ShardingConfig): ShardOptions {
  const { scheme, minSize, zone, spares, clientKey, clientIndex, slotKey, ringPoints } = sharding;
  return {
    scheme,
    size: sizeOf(sharding),
    minSize,
    zone,
    maxSpares: spares,
    clientKey: clientKey ?? hostname(),
    clientIndex,
    slotKey,
    ringPoints,
  };
}

function sizeOf({ fraction, size, connectionsPerServer = 1, clients = 1 }: ShardingConfig): ShardSize {
  if (fraction !== undefined) return { fraction };
  return size !== undefined ? { count: size } : { connectionsPerServer, clients };
}
