import { BufferBudget, WriteSlab } from '../core/base/buffers.ts';
import type { Clock } from '../core/base/clock.ts';
import { HeddleError } from '../core/base/errors.ts';
import { type Random, SeededRandom } from '../core/base/random.ts';
import { RpcNames } from '../core/base/rpc-names.ts';
import { TextCache } from '../core/base/text-cache.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { ExtensionSet } from '../core/config/extensions.ts';
import type { CodecContext } from '../core/contract/codec.ts';
import type { ExtensionConfig } from '../core/contract/extension.ts';
import type { LogOutputs } from '../core/contract/log-output.ts';
import type { Logger } from '../core/contract/logger.ts';
import type { Pipeline } from '../core/contract/pipeline.ts';
import type { FileAccess, RegistryContext, RegistryDialer, Resolver } from '../core/contract/registry.ts';
import { TurnWrites } from '../core/contract/turn-writes.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { MetricsTable } from '../core/observe/metrics.ts';
import { StreamProxy } from '../core/stream/proxy.ts';
import { FlushList } from '../transport/flush.ts';
import type { SocketSource } from '../transport/listener/options.ts';
import { createKeepAlive, DrivenWheel, type KeepAlive, SystemClock } from '../transport/system-clock.ts';
import type { TlsSurroundings } from '../transport/tls/acceptor.ts';
import { CredentialTable } from '../transport/tls/credential-table.ts';
import { TlsDialing } from '../transport/tls/dial.ts';
import { createDialer } from '../transport/wire/dial.ts';

/** Everything ambient, injected once: two meshes in one process share none of it. */
export interface Surroundings {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger: Logger;
  readonly files: FileAccess;
  readonly resolver: Resolver;
  readonly logs: LogOutputs;
  readonly dial?: Dialer;
  /** Listening sockets of a process that does not bind them itself (bound here). */
  readonly sockets?: SocketSource;
  /** Processes that share the traffic (1). */
  readonly processes?: number;
  /** This loop is a proxy's own: what is written may wait for the end of the turn (false). */
  readonly ownsLoop?: boolean;
  /** Spans of another thread (the streams' own). */
  readonly spans?: ForeignSpans;
}

/** Puts the spans of another thread around the streams of a pipeline. */
interface ForeignSpans {
  around(pipeline: Pipeline): Pipeline;
}

/** What all parts of one mesh share. */
export interface Runtime extends RegistryContext {
  readonly wheel: DrivenWheel;
  readonly metrics: MetricsTable;
  readonly proxy: StreamProxy;
  readonly dial: Dialer;
  readonly logs: LogOutputs;
  readonly extensions: ExtensionSet;
  readonly keepAlive: KeepAlive;
  /** Run when the mesh closes. */
  readonly closers: (() => unknown)[];
  readonly sockets: SocketSource | null;
  readonly spans: ForeignSpans | null;
  /** What TLS of listeners and clusters proves itself and verifies others with. */
  readonly credentials: CredentialTable;
}

export interface RuntimeOptions {
  /** Bytes held over all connections and streams. */
  readonly bufferLimitBytes: number;
  /** Keeps the set of streams in progress for the pending-stream profile. */
  readonly tracksStreams: boolean;
}

export function createRuntime(
  extensions: ExtensionSet,
  surroundings: Surroundings,
  options: RuntimeOptions,
): Runtime {
  const clock = surroundings.clock ?? new SystemClock();
  const random = surroundings.random ?? new SeededRandom(chance(), [chance(), chance(), chance()]);
  const wheel = new DrivenWheel(clock);
  const metrics = new MetricsTable();
  const budget = new BufferBudget(options.bufferLimitBytes);
  const { logger, files, resolver, logs } = surroundings;
  const keepAlive = createKeepAlive();
  const proxy = new StreamProxy(
    { clock, wheel, random, metrics, logger, budget, keepAlive },
    options.tracksStreams,
  );
  const flushList = new FlushList();
  const codec: CodecContext = {
    sink: proxy,
    clock,
    wheel,
    slab: new WriteSlab(),
    writes: new TurnWrites(surroundings.ownsLoop === true ? flushList.add : null),
    texts: new TextCache(),
    names: new RpcNames(),
    budget,
    metrics,
    flushLater: flushList.add,
  };
  const dial = surroundings.dial ?? createDialer(clock, wheel);
  const credentials: CredentialTable = new CredentialTable({ clock, logger, metrics, files }, (source) =>
    openSource(source, extensions, runtime),
  );
  const dialer = registryDialer(dial, { clock, wheel, metrics, logger, credentials });
  const runtime: Runtime = {
    clock,
    random,
    logger,
    metrics,
    wheel,
    proxy,
    codec,
    dial,
    dialer,
    files,
    resolver,
    logs,
    extensions,
    keepAlive,
    closers: [],
    credentials,
    sockets: surroundings.sockets ?? null,
    spans: surroundings.spans ?? null,
    processes: surroundings.processes ?? 1,
  };
  return runtime;
}

/** Registries come and go with reloads: one that is dialled again with the same settings watches no file twice. */
function registryDialer(dial: Dialer, surroundings: TlsSurroundings): RegistryDialer {
  const known = new Map<string, TlsDialing>();
  return (name, tls, alpn) => {
    if (tls === null) return dial;
    const key = canonicalJson([name, tls, alpn]);
    const dialling =
      known.get(key) ?? new TlsDialing(tls, tls.alpn ?? alpn, `registry ${name}`, surroundings);
    known.set(key, dialling);
    return dialling.dial;
  };
}

function openSource({ name, config }: ExtensionConfig, extensions: ExtensionSet, runtime: Runtime) {
  const definition = extensions.secretSources.find((each) => each.name === name);
  if (definition === undefined) {
    throw new HeddleError('ERR_CONFIG_INVALID', `no secret source is named ${JSON.stringify(name)}`);
  }
  return definition.create(config ?? {}, runtime);
}

/** 32 bits. Math.random begins with chance of the system, and Web Crypto would cost 10 ms to load. */
const chance = (): number => Math.random() * 2 ** 32;
