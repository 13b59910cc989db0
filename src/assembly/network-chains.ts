import { HeddleError } from '../core/base/errors.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import { loadedExtension } from '../core/config/late-extension.ts';
import type { Codec } from '../core/contract/codec.ts';
import type { ListenerConfig, ListenerTlsConfig } from '../core/contract/config.ts';
import type { ExtensionConfig } from '../core/contract/extension.ts';
import type {
  ConnectionEnding,
  NetworkFilter,
  NetworkFilterContext,
} from '../core/contract/network-filter.ts';
import { Detector } from '../transport/detect/detector.ts';
import type { DetectConfig } from '../transport/detect/index.ts';
import { codecEnding, createChain, type NetworkChain } from '../transport/network-filters/chain.ts';
import { TlsAcceptor } from '../transport/tls/acceptor.ts';
import type { ClusterTable } from './clusters.ts';
import type { Runtime } from './runtime.ts';

/** A chain with what a reload needs to keep unchanged filters. */
export interface BuiltChain {
  /** Null: connections go straight to the codec. */
  readonly chain: NetworkChain | null;
  readonly filters: readonly { readonly key: string; readonly filter: NetworkFilter }[];
  /** What ends TLS; it watches its files until it is closed. */
  readonly tls: { readonly key: string; readonly acceptor: TlsAcceptor } | null;
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
  const context = networkContext(config.name, runtime, clusters);
  const filters = config.networkFilters.map((each, place) => {
    const key = canonicalJson([each.name, each.config ?? {}]);
    const kept = before?.filters[place];
    if (kept?.key === key) return kept;
    return { key, filter: definitionOf(each.name, runtime).create(each.config ?? {}, context) };
  });
  const all = filters.map((each) => each.filter);
  const last = all.at(-1);
  const terminal = last?.serve === undefined ? null : (last as Required<NetworkFilter>);
  const isDetected = codecNamed(config.codec.name, runtime).isDetector === true;
  if (filters.length === 0 && !isDetected && config.tls === undefined)
    return { chain: null, filters, tls: null };
  const beforeEnd = (): number => (terminal === null ? all.length : all.length - 1);
  const tls = config.tls === undefined ? null : tlsPart(config, config.tls, runtime, before?.tls ?? null);
  if (tls !== null) all.splice(beforeEnd(), 0, tls.acceptor);
  if (isDetected) all.splice(beforeEnd(), 0, detectorOf(config, terminal !== null, runtime));
  // Without a terminal filter a detector closes what it does not know: the ending is never reached then.
  const ending = terminal ?? endingOf(config.codec, runtime);
  return { chain: createChain(config.name, all, ending, runtime.codec, runtime.logger), filters, tls };
}

/** ALPN offers what the listener speaks; a terminal network filter speaks nothing itself. */
function tlsPart(
  config: ListenerConfig,
  tls: ListenerTlsConfig,
  runtime: Runtime,
  before: BuiltChain['tls'],
): NonNullable<BuiltChain['tls']> {
  const codec = codecNamed(config.codec.name, runtime);
  const choices =
    codec.isDetector === true
      ? (config.codec.config as DetectConfig).codecs.map((each) => codecNamed(each.name, runtime))
      : [codec];
  const isSpoken = !config.networkFilters.some(({ name }) => definitionOf(name, runtime).isTerminal === true);
  const spoken = isSpoken || codec.isDetector === true ? choices.flatMap((each) => each.alpn ?? []) : [];
  const protocols = tls.alpn ?? spoken;
  const key = canonicalJson([tls, protocols]);
  if (before?.key === key) return before;
  return { key, acceptor: new TlsAcceptor(tls, protocols, config.name, runtime) };
}

function detectorOf(config: ListenerConfig, hasFallback: boolean, runtime: Runtime): Detector {
  const own = config.codec.config as DetectConfig;
  const candidates = own.codecs.map((each) => ({
    codec: codecNamed(each.name, runtime),
    ending: endingOf(each, runtime),
  }));
  return new Detector(own, candidates, hasFallback, config.name, runtime.metrics);
}

/** What network filters of one listener may use. */
export function networkContext(
  owner: string,
  runtime: Runtime,
  clusters: ClusterTable,
): NetworkFilterContext {
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
      return cluster === null
        ? null
        : { cluster, permits: cluster.breakers, proxyProtocol, dial: clusters.dialerOf(name) };
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

function endingOf(codec: ExtensionConfig, runtime: Runtime): ConnectionEnding {
  return codecEnding(codecNamed(codec.name, runtime), codec.config ?? {}, runtime.codec);
}

function codecNamed(name: string, runtime: Runtime): Codec {
  const codec = runtime.extensions.codecs.find((each) => each.name === name);
  if (codec === undefined) throw new HeddleError('ERR_CONFIG_INVALID', `no codec ${name}`);
  return loadedExtension(codec);
}
