import type { Duplex } from 'node:stream';
import { textChecks } from './assembly/check-texts.ts';
import { ClusterTable } from './assembly/clusters.ts';
import { ConfiguredClusters } from './assembly/configured-clusters.ts';
import { connectToCluster } from './assembly/connect.ts';
import { defaultCluster } from './assembly/default-config.ts';
import { loadExtensions } from './assembly/extension-modules.ts';
import { type FetchHandler, handlerUpstream } from './assembly/handler-upstream.ts';
import { holdOpen } from './assembly/hold-open.ts';
import { ListenerTable } from './assembly/listeners.ts';
import { LocalRegistrySide } from './assembly/local-registry/index.ts';
import { NameRouter } from './assembly/name-router.ts';
import { openRuntime } from './assembly/open-runtime.ts';
import { answerMonitor } from './assembly/pending-streams.ts';
import { type BuiltPipeline, buildPipeline } from './assembly/pipelines.ts';
import { RpcSide } from './assembly/rpc/index.ts';
import type { RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
import type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
import type { Runtime } from './assembly/runtime.ts';
import { untilQuiet } from './assembly/until-quiet.ts';
import { channels } from './core/base/channels.ts';
import { HeddleError } from './core/base/errors.ts';
import { checkConfig, requireConfig } from './core/config/check.ts';
import { diffConfig } from './core/config/diff.ts';
import { mergeExtensions } from './core/config/extensions.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { UpstreamFactory } from './core/contract/cluster.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { Pipeline } from './core/contract/pipeline.ts';
import type { MeshResponse } from './core/stream/call.ts';
import { type CallOptions, startCall } from './core/stream/start-call.ts';
import { Embedding } from './embedding/embedding.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';
import { IngressSide } from './embedding/ingress/side.ts';
import type { InboundTrace } from './embedding/ingress/trace-scope.ts';
import type { MeshHealth, MeshOptions, MeshReloadOptions, ReloadResult } from './mesh-api.ts';
import { MeshBase } from './mesh-base.ts';
import { standard } from './standard.ts';
import type { OpenLogOutputs } from './transport/log-output.ts';

export type { MeshOptions, MeshReloadOptions, ReloadResult };

/**
 * A mesh: listeners, filters, routes and clusters as one configuration describes them, and the ways in for the
 * program that imports it. Close it (`await using`, `close`, `drain`) to give sockets and timers back.
 */
export class Mesh extends MeshBase {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  readonly listeners: ListenerTable;
  /** @internal */
  readonly localRegistry: LocalRegistrySide;
  #config: EffectiveConfig;
  #inProcess: BuiltPipeline;
  #reloading: Promise<unknown> = Promise.resolve();
  readonly #tunnels = new Set<Duplex>();
  readonly #names: NameRouter;
  readonly #rpc: RpcSide;
  readonly #unanswer: () => void;
  readonly #logs: OpenLogOutputs | null;
  protected readonly embedding: Embedding;
  readonly #configured: ConfiguredClusters;
  readonly #ingress: IngressSide;

  /** @internal use `createMesh`. @param logs outputs that the mesh opened itself and closes */
  constructor(config: EffectiveConfig, runtime: Runtime, logs: OpenLogOutputs | null) {
    super();
    this.#config = config;
    this.#logs = logs;
    this.runtime = runtime;
    this.clusters = new ClusterTable(runtime);
    this.#configured = new ConfiguredClusters(this.clusters);
    this.#names = new NameRouter(this.clusters.ref, (name) => this.clusters.get(name) !== null);
    this.listeners = new ListenerTable(runtime, this.clusters);
    this.localRegistry = new LocalRegistrySide(runtime, this.clusters.registries);
    this.#inProcess = this.#buildInProcess(config, null);
    this.#rpc = new RpcSide({
      runtime,
      clusters: this.clusters,
      pipeline: () => this.#inProcess.pipeline,
      isClosed: () => this.isClosed,
      addressOf: (listener) => this.listeners.addresses[listener] ?? '',
      applyListeners: () => this.#afterReload(() => this.#applyListeners()),
    });
    this.#unanswer = answerMonitor(runtime);
    this.embedding = new Embedding(this, () => this.#inProcess.pipeline);
    this.#ingress = new IngressSide(runtime, this.clusters.ref, () => this.isClosed, config);
  }

  /** The configuration in force, every default filled in. */
  get config(): EffectiveConfig {
    return this.#config;
  }

  /** Opens access logs anew after a rotation moved them. */
  reopenLogs(): void {
    this.#logs?.reopen();
  }

  /** @internal */
  async start(): Promise<this> {
    try {
      await this.localRegistry.start(this.#config);
      await this.#configured.start(this.#config);
      (await this.listeners.prepare(this.#config.listeners)).commit();
      this.localRegistry.publish(this.#config);
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
    if (this.isClosed) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.request'));
    return startCall(this.runtime.proxy, this.#inProcess.pipeline, this.#ingress.traced(options));
  }

  /** A raw byte connection to a host of the cluster. Rejects when there is no host or it cannot be reached. */
  async connect(cluster: string): Promise<Duplex> {
    this.refuseClosed('mesh.connect');
    const tunnel = await connectToCluster(this.runtime, this.clusters, cluster);
    if (this.isClosed) tunnel.destroy();
    this.refuseClosed('mesh.connect');
    this.#tunnels.add(tunnel);
    tunnel.once('close', () => this.#tunnels.delete(tunnel));
    return tunnel;
  }

  /** Puts the mesh before a server, see docs/embedding.md. @returns takes it back @throws HeddleError ERR_OPTION_INVALID */
  protect(server: ProtectedServer): () => void {
    this.refuseClosed('mesh.protect');
    return this.#ingress.protect(server);
  }

  /** @internal for calls that do not come by `request` */
  readonly inboundTrace = (): InboundTrace | null => this.#ingress.inbound;

  /** Serves a cluster by code of this process; the cluster is made when the configuration does not have it. */
  handle(cluster: string, handler: FetchHandler): void {
    this.serveBy(cluster, handlerUpstream(handler, this.runtime.logger));
  }

  /** @internal */
  serveBy(cluster: string, upstream: UpstreamFactory): void {
    this.clusters.serve(cluster, defaultCluster(cluster, this.runtime.extensions), upstream);
  }

  /** @internal of calls of this process */
  get callPipeline(): Pipeline {
    return this.#inProcess.pipeline;
  }

  async health(): Promise<MeshHealth> {
    const { healthAnswer } = await import('./assembly/admin-sections.ts');
    return healthAnswer(this).body as MeshHealth;
  }

  async metrics(): Promise<MetricsSnapshot> {
    return this.runtime.metrics.totals();
  }

  /**
   * A service to call by method, over Bolt or Dubbo. Calls take the way of `request`. See docs/rpc.md.
   *
   * @throws HeddleError ERR_PEER_MISSING when the protocol's hessian library is not installed
   */
  rpc(target: RpcTarget): RpcReference {
    return this.#rpc.reference(target);
  }

  /**
   * Provides a service by code of this process: to routes and calls of this mesh, and at `address` to others.
   *
   * @throws HeddleError ERR_PEER_MISSING, ERR_RPC_SERVICE, ERR_LISTENER_ADDRESS
   */
  async serveRpc(options: RpcServiceOptions): Promise<RpcService> {
    return await this.serveRpcBy(options, null);
  }

  /** @internal @param upstream runs the calls instead of the methods */
  async serveRpcBy(options: RpcServiceOptions, upstream: UpstreamFactory | null): Promise<RpcService> {
    this.refuseClosed('mesh.serveRpc');
    return await this.#rpc.serve(options, upstream);
  }

  /**
   * Takes over another configuration. What did not change keeps its objects: listening sockets, connections, health,
   * counts, limiter windows; requests in flight end on what they began with. A refused one changes nothing. Reloads
   * run one after the other.
   *
   * @throws HeddleError ERR_LISTENER_ADDRESS when an address cannot be bound; the running configuration stays
   */
  reload(input: MeshConfig | EffectiveConfig, options: MeshReloadOptions = {}): Promise<ReloadResult> {
    return this.#afterReload(() => this.#reloadNow(input, options));
  }

  /** What changes listeners or clusters happens one after the other. */
  #afterReload<Result>(change: () => Promise<Result>): Promise<Result> {
    const next = this.#reloading.then(change);
    this.#reloading = next.catch(() => undefined);
    return next;
  }

  async #applyListeners(): Promise<void> {
    if (this.isClosed) return;
    const prepared = await this.listeners.prepare([...this.#config.listeners, ...this.#rpc.listeners]);
    if (this.isClosed) await prepared.abandon();
    else prepared.commit();
  }

  async #reloadNow(
    input: MeshConfig | EffectiveConfig,
    { approve }: MeshReloadOptions,
  ): Promise<ReloadResult> {
    this.refuseClosed('mesh.reload');
    const checked = checkConfig(input, this.runtime.extensions, textChecks);
    if (checked.config === null) return { applied: false, problems: checked.problems };
    const next = checked.config;
    const inProcess = this.#buildInProcess(next, this.#inProcess);
    const ingress = this.#ingress.prepare(next);
    const prepared = await this.listeners.prepare([...next.listeners, ...this.#rpc.listeners]);
    try {
      this.refuseClosed('mesh.reload');
      await this.#configured.add(next, this.#config);
      this.refuseClosed('mesh.reload');
      if (approve !== undefined && !(await approve())) {
        this.#configured.restore(this.#config);
        await prepared.abandon();
        return { applied: false, problems: [] };
      }
      this.refuseClosed('mesh.reload');
    } catch (thrown) {
      await prepared.abandon();
      throw thrown;
    }
    if (channels.configReload.hasSubscribers) {
      channels.configReload.publish({ diff: diffConfig(this.#config, next) });
    }
    this.#inProcess = inProcess;
    this.#ingress.commit(ingress);
    this.#config = next;
    this.runtime.codec.budget.limitBytes = next.buffers.limitBytes;
    prepared.commit();
    this.localRegistry.reload(next);
    this.#configured.keepOnly(next);
    this.runtime.credentials.refresh();
    return { applied: true, problems: [] };
  }

  protected async finish(deadlineMs: number): Promise<void> {
    const { clock, proxy } = this.runtime;
    const untilMs = clock.now() + deadlineMs;
    await this.listeners.drain(deadlineMs);
    const isBusy = (): boolean => proxy.active + this.#tunnels.size > 0 && !this.isClosed;
    await untilQuiet(clock, untilMs, isBusy);
  }

  protected async end(): Promise<void> {
    this.#unanswer();
    await this.listeners.close();
    for (const tunnel of this.#tunnels) tunnel.destroy();
    await this.localRegistry.close();
    await this.clusters.close();
    this.runtime.credentials.close();
    for (const run of this.runtime.closers) await run();
    await this.#logs?.close();
    this.runtime.wheel.close();
    this.runtime.keepAlive.close();
  }

  #buildInProcess(config: EffectiveConfig, before: BuiltPipeline | null): BuiltPipeline {
    return buildPipeline('inProcess', config.inProcess, this.runtime, this.clusters.ref, before, this.#names);
  }
}

/** Starts a mesh on this thread. @throws HeddleError ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS */
export async function createMesh(config: MeshConfig = {}, options: MeshOptions = {}): Promise<Mesh> {
  const extensions = mergeExtensions(standard, await loadExtensions(options.use));
  const effective = requireConfig(config, extensions, textChecks);
  const { runtime, ownLogs } = openRuntime(extensions, effective.buffers.limitBytes, options);
  return holdOpen(new Mesh(effective, runtime, ownLogs).start());
}
