import type { Duplex } from 'node:stream';
import { ClusterTable } from './assembly/clusters.ts';
import { connectToCluster } from './assembly/connect.ts';
import { callOfFetch, fetchResponse } from './assembly/fetch.ts';
import { type FetchHandler, handlerUpstream } from './assembly/handler-upstream.ts';
import { ListenerTable } from './assembly/listeners.ts';
import { NameRouter } from './assembly/name-router.ts';
import { type BuiltPipeline, buildPipeline } from './assembly/pipelines.ts';
import { createRuntime, type Runtime, type Surroundings } from './assembly/runtime.ts';
import { HeddleError } from './core/base/errors.ts';
import { checkConfig, requireConfig } from './core/config/check.ts';
import { dumpConfig } from './core/config/dump.ts';
import { mergeExtensions, type UsedExtension } from './core/config/extensions.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { Problem } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { Logger } from './core/contract/logger.ts';
import { silentLogger } from './core/observe/logger.ts';
import { type CallOptions, type MeshResponse, startCall } from './core/stream/call.ts';
import { standard } from './standard.ts';
import { createFileAccess } from './transport/files.ts';
import { SystemClock } from './transport/index.ts';
import { createLogOutputs, type OpenLogOutputs } from './transport/log-output.ts';
import { createResolver } from './transport/resolver.ts';

/** How long a start or a reload waits for the first list of a registry. */
const warmLimitMs = 5000;

export interface MeshOptions {
  /** Your own codecs, filters, balancers, registries and limiters beside the built-in ones. */
  readonly use?: readonly UsedExtension[];
  /** @default silent */
  readonly logger?: Logger;
  /** Keeps a set of the streams in progress, for the profile of pending streams (about 40 ns a stream). @default false */
  readonly tracksStreams?: boolean;
  /** Replaces clock, chance, disk, resolver, dialler: for tests. */
  readonly surroundings?: Partial<Surroundings>;
}

/** What a reload did. */
export interface ReloadResult {
  readonly applied: boolean;
  /** Why it was refused; the running configuration stays. */
  readonly problems: readonly Problem[];
}

/**
 * A mesh: listeners, filters, routes and clusters as one configuration describes them, and the ways in for the
 * program that imports it. Close it (`await using`, `close`, `drain`) to give sockets and timers back.
 */
export class Mesh implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  readonly listeners: ListenerTable;
  #config: EffectiveConfig;
  #inProcess: BuiltPipeline;
  #isClosed = false;
  readonly #names: NameRouter;
  readonly #logs: OpenLogOutputs | null;
  readonly #closed = Promise.withResolvers<void>();

  /** @internal use `createMesh`. @param logs outputs that the mesh opened itself and closes */
  constructor(config: EffectiveConfig, runtime: Runtime, logs: OpenLogOutputs | null) {
    this.#config = config;
    this.#logs = logs;
    this.runtime = runtime;
    this.clusters = new ClusterTable(runtime);
    this.#names = new NameRouter(this.clusters.ref, (name) => this.clusters.get(name) !== null);
    this.listeners = new ListenerTable(runtime, this.clusters);
    this.#inProcess = this.#buildInProcess(config, null);
  }

  /** The configuration in force, every default filled in. */
  get config(): EffectiveConfig {
    return this.#config;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the mesh is closed, whoever asked for it. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** The effective configuration as plain data. Running it gives an identical mesh, but for secrets, which are redacted. */
  dump(): unknown {
    return dumpConfig(this.#config);
  }

  /** Opens access logs anew after a rotation moved them. */
  reopenLogs(): void {
    this.#logs?.reopen();
  }

  /** @internal */
  async start(): Promise<this> {
    try {
      for (const cluster of this.#config.clusters) this.clusters.put(cluster);
      await this.clusters.warm(warmLimitMs);
      const prepared = await this.listeners.prepare(this.#config.listeners);
      await prepared.commit();
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
    return this;
  }

  /**
   * The fast way in: one promise a call, no sockets of its own. Resolves with whatever status the upstream or a filter
   * gave; rejects with a HeddleError when there was no answer (`code`, `retry`, `context.reason`).
   */
  request(options: CallOptions): Promise<MeshResponse> {
    if (this.#isClosed) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.request'));
    return startCall(this.runtime.proxy, this.#inProcess.pipeline, options);
  }

  /** `fetch` for names that the mesh knows: `mesh.fetch('http://users/42')`. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchResponse(await this.request(callOfFetch(input, init)));
  }

  /** A raw byte connection to a host of the cluster. Rejects when there is no host or it cannot be reached. */
  connect(cluster: string): Promise<Duplex> {
    if (this.#isClosed) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.connect'));
    return connectToCluster(this.runtime, this.clusters, cluster);
  }

  /** Serves a cluster by code of this process; the cluster is made when the configuration does not have it. */
  handle(cluster: string, handler: FetchHandler): void {
    const config = requireConfig({ clusters: [{ name: cluster }] }, this.runtime.extensions).clusters[0];
    if (config === undefined) throw new HeddleError('ERR_BUG', 'a cluster without defaults');
    this.clusters.serve(cluster, config, handlerUpstream(handler, this.runtime.logger));
  }

  /**
   * Takes over another configuration. What did not change keeps its objects: listening sockets, connections, health,
   * counts, limiter windows; requests in flight end on what they began with. A refused one changes nothing.
   */
  async reload(input: MeshConfig | EffectiveConfig): Promise<ReloadResult> {
    if (this.#isClosed) throw new HeddleError('ERR_MESH_CLOSED', 'mesh.reload');
    const checked = checkConfig(input, this.runtime.extensions);
    if (checked.config === null) return { applied: false, problems: checked.problems };
    const next = checked.config;
    const inProcess = this.#buildInProcess(next, this.#inProcess);
    const prepared = await this.listeners.prepare(next.listeners);
    for (const cluster of next.clusters) this.clusters.put(cluster);
    await this.clusters.warm(warmLimitMs);
    this.#inProcess = inProcess;
    this.#config = next;
    await prepared.commit();
    this.clusters.keepOnly(new Set(next.clusters.map((each) => each.name)));
    return { applied: true, problems: [] };
  }

  /** Stops accepting, lets requests finish for up to `deadlineMs`, then closes. @param deadlineMs default 30,000 */
  async drain(deadlineMs = 30_000): Promise<void> {
    await this.listeners.drain(deadlineMs);
    await this.close();
  }

  /** Ends everything now. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.listeners.close();
    await this.clusters.close();
    await this.#logs?.close();
    this.runtime.wheel.close();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #buildInProcess(config: EffectiveConfig, before: BuiltPipeline | null): BuiltPipeline {
    return buildPipeline('inProcess', config.inProcess, this.runtime, this.clusters.ref, before, this.#names);
  }
}

/**
 * Starts a mesh. Without listeners it opens no socket: use `mesh.request`, `mesh.fetch`, `mesh.connect`.
 *
 * @throws HeddleError ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS
 * @example
 * await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: ['127.0.0.1:8080'] }] });
 * const response = await mesh.fetch('http://users/42');
 */
export async function createMesh(config: MeshConfig = {}, options: MeshOptions = {}): Promise<Mesh> {
  const extensions = mergeExtensions(standard, options.use);
  const effective = requireConfig(config, extensions);
  const given = options.surroundings ?? {};
  const clock = given.clock ?? new SystemClock();
  const logger = options.logger ?? given.logger ?? silentLogger;
  const ownLogs = given.logs === undefined ? createLogOutputs({ logger }) : null;
  const runtime = createRuntime(
    extensions,
    {
      ...given,
      clock,
      logger,
      logs: given.logs ?? (ownLogs as OpenLogOutputs),
      files: given.files ?? createFileAccess(clock),
      resolver: given.resolver ?? createResolver(),
    },
    { bufferLimitBytes: effective.buffers.limitBytes, tracksStreams: options.tracksStreams ?? false },
  );
  return new Mesh(effective, runtime, ownLogs).start();
}
