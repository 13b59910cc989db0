import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { Codec } from '../core/contract/codec.ts';
import type { ListenerConfig } from '../core/contract/config.ts';
import type { NetworkFilter, NetworkFilterContext } from '../core/contract/network-filter.ts';
import { codecEnding, createChain, type NetworkChain } from '../transport/network-filters/chain.ts';
import type { ClusterTable } from './clusters.ts';
import type { Runtime } from './runtime.ts';

/** A chain with what a reload needs to keep unchanged filters. */
export interface BuiltChain {
  /** Null: connections go straight to the codec. */
  readonly chain: NetworkChain | null;
  readonly filters: readonly { readonly key: string; readonly filter: NetworkFilter }[];
}

/**
 * Builds what a listener's connections meet before their codec. A filter whose name, place and configuration did not
 * change is taken over from `before` with its state.
 *
 * @throws HeddleError ERR_CONFIG_INVALID when a filter cannot be built: nothing starts without it
 */
export function buildChain(
  config: ListenerConfig,
  runtime: Runtime,
  clusters: ClusterTable,
  before: BuiltChain | null,
): BuiltChain {
  const context = contextOf(config.name, runtime, clusters);
  const filters = config.networkFilters.map((each, place) => {
    const key = canonicalJson([each.name, each.config ?? {}]);
    const kept = before?.filters[place];
    if (kept?.key === key) return kept;
    return { key, filter: definitionOf(each.name, runtime).create(each.config ?? {}, context) };
  });
  if (filters.length === 0) return { chain: null, filters };
  const all = filters.map((each) => each.filter);
  const last = all.at(-1);
  const ending = last?.serve === undefined ? codecOf(config, runtime) : (last as Required<NetworkFilter>);
  return { chain: createChain(config.name, all, ending, runtime.codec, runtime.logger), filters };
}

function contextOf(owner: string, runtime: Runtime, clusters: ClusterTable): NetworkFilterContext {
  const { clock, random, logger, metrics, logs, codec, dial, proxy } = runtime;
  return {
    clock,
    random,
    logger,
    metrics,
    logs,
    codec,
    dial,
    owner,
    cluster: (name) => {
      const cluster = clusters.get(name);
      const proxyProtocol = clusters.configOf(name)?.proxyProtocol?.version ?? null;
      return cluster === null ? null : { cluster, permits: cluster.breakers, proxyProtocol };
    },
    acquireStream: () => proxy.acquire(),
    releaseStream: (s) => proxy.release(s),
  };
}

function definitionOf(name: string, runtime: Runtime) {
  const definition = runtime.extensions.networkFilters.find((each) => each.name === name);
  if (definition === undefined) {
    throw new HeddleError('ERR_CONFIG_INVALID', `no network filter is named ${JSON.stringify(name)}`);
  }
  return definition;
}

function codecOf(config: ListenerConfig, runtime: Runtime) {
  const codec = runtime.extensions.codecs.find((each) => each.name === config.codec.name);
  if (codec === undefined) throw new HeddleError('ERR_CONFIG_INVALID', `no codec ${config.codec.name}`);
  return codecEnding(codec as Codec<unknown>, config.codec.config ?? {}, runtime.codec);
}
