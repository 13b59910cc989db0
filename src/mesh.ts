import type { Duplex } from 'node:stream';
import { healthAnswer } from './assembly/admin-sections.ts';
import { textChecks } from './assembly/check-texts.ts';
import { ClusterTable } from './assembly/clusters.ts';
import { connectToCluster } from './assembly/connect.ts';
import { defaultCluster } from './assembly/default-config.ts';
import { loadExtensions } from './assembly/extension-modules.ts';
import { callOfFetch, fetchResponse } from './assembly/fetch.ts';
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
import { dumpConfig } from './core/config/dump.ts';
import { mergeExtensions } from './core/config/extensions.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { UpstreamFactory } from './core/contract/cluster.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { Pipeline } from './core/contract/pipeline.ts';
import type { MeshResponse } from './core/stream/call.ts';
import { type CallOptions, startCall } from './core/stream/start-call.ts';
import type { MeshDispatcher } from './embedding/dispatcher/dispatcher.ts';
import { Embedding } from './embedding/embedding.ts';
import type { MeshGrpc } from './embedding/grpc/mesh-grpc.ts';
import type { MeshAgent } from './embedding/http/agent.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';
import { IngressSide } from './embedding/ingress/side.ts';
import type { InboundTrace } from './embedding/ingress/trace-scope.ts';
import type { MeshApi, MeshHealth, MeshOptions, MeshReloadOptions, ReloadResult } from './mesh-api.ts';
import { standard } from './standard.ts';
import type { OpenLogOutputs } from './transport/log-output.ts';

export type { MeshOptions, MeshReloadOptions, ReloadResult };

/** How long a start or a reload waits for the first list of a registry. */
const warmLimitMs = 5000;

/**
 * A mesh: listeners, filters, routes and clusters as one configuration describes them, and the ways in for the
 * program that imports it. Close it (`await using`, `close`, `drain`) to give sockets and timers back.
 */
export class Mesh implements MeshApi {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  readonly listeners: ListenerTable;
  /** @internal */
  readonly localRegistry: LocalRegistrySide;
  #config: EffectiveConfig;
  #inProcess: BuiltPipeline;
  #reloading: Promise<unknown> = Promise.resolve();
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  readonly #tunnels = new Set<Duplex>();
  readonly #names: NameRouter;
  readonly #rpc: RpcSide;
  readonly #unanswer: () => void;
  readonly #logs: OpenLogOutputs | null;
  readonly #embedding: Embedding;
  readonly #ingress: IngressSide;
  readonly #closed = Promise.withResolvers<void>();

  /** @internal use `createMesh`. @param logs outputs that the mesh opened itself and closes */
  constructor(config: EffectiveConfig, runtime: Runtime, logs: OpenLogOutputs | null) {
    this.#config = config;
    this.#logs = logs;
    this.runtime = runtime;
    this.clusters = new ClusterTable(runtime);
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
    this.#embedding = new Embedding(this, () => this.#inProcess.pipeline);
    this.#ingress = new IngressSide(runtime, this.clusters.ref, () => this.isClosed, config);
  }

  /** The configuration in force, every default filled in. */
  get config(): EffectiveConfig {
    return this.#config;
  }

  get isClosed(): boolean {
    return this.#closing !== null;
  }

  /** From the beginning of a drain on. */
  get isDraining(): boolean {
    return this.#draining !== null;
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
      await this.localRegistry.start(this.#config);
      this.#putAll(this.#config);
      await this.clusters.warm(warmLimitMs);
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
    if (this.#closing !== null) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.request'));
    return startCall(this.runtime.proxy, this.#inProcess.pipeline, this.#ingress.traced(options));
  }

  /** `fetch` for names that the mesh knows: `mesh.fetch('http://users/42')`. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchResponse(await this.request(callOfFetch(input, init)));
  }

  /** A raw byte connection to a host of the cluster. Rejects when there is no host or it cannot be reached. */
  async connect(cluster: string): Promise<Duplex> {
    this.#refuseClosed('mesh.connect');
    const tunnel = await connectToCluster(this.runtime, this.clusters, cluster);
    if (this.#closing !== null) tunnel.destroy();
    this.#refuseClosed('mesh.connect');
    this.#tunnels.add(tunnel);
    tunnel.once('close', () => this.#tunnels.delete(tunnel));
    return tunnel;
  }

  /** Does the mesh answer calls to this authority? @param authority "host" or "host:port", in lower case */
  knows(authority: string): boolean {
    return this.#embedding.knows(authority);
  }

  /** The mesh as an undici dispatcher: `setGlobalDispatcher(mesh.dispatcher)`, `fetch(url, { dispatcher })`. */
  get dispatcher(): MeshDispatcher {
    return this.#embedding.dispatcher;
  }

  /** The mesh as an agent of `node:http`; names that it does not know go by Node's global agent. */
  get agent(): MeshAgent {
    return this.#embedding.agent;
  }

  /** The same for `node:https`: clusters with `tls` speak it to their hosts. */
  get httpsAgent(): MeshAgent {
    return this.#embedding.httpsAgent;
  }

  /** gRPC through the mesh: a client of our own, channels for @grpc/grpc-js, transports for @connectrpc/connect. */
  get grpc(): MeshGrpc {
    return this.#embedding.grpc;
  }

  /** Puts the mesh before a server, see docs/embedding.md. @returns takes it back @throws HeddleError ERR_OPTION_INVALID */
  protect(server: ProtectedServer): () => void {
    this.#refuseClosed('mesh.protect');
    return this.#ingress.protect(server);
  }

  /** @internal for calls that do not come by `request` */
  readonly inboundTrace = (): InboundTrace | null => this.#ingress.inbound;

  /** A connection into the mesh that speaks HTTP/1.1, for clients that take a stream. */
  openHttp(): Duplex {
    this.#refuseClosed('mesh.openHttp');
    return this.#embedding.openHttp();
  }

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
    this.#refuseClosed('mesh.serveRpc');
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
    if (this.#closing !== null) return;
    const prepared = await this.listeners.prepare([...this.#config.listeners, ...this.#rpc.listeners]);
    if (this.#closing === null) prepared.commit();
    else await prepared.abandon();
  }

  async #reloadNow(
    input: MeshConfig | EffectiveConfig,
    { approve }: MeshReloadOptions,
  ): Promise<ReloadResult> {
    this.#refuseClosed('mesh.reload');
    const checked = checkConfig(input, this.runtime.extensions, textChecks);
    if (checked.config === null) return { applied: false, problems: checked.problems };
    const next = checked.config;
    const inProcess = this.#buildInProcess(next, this.#inProcess);
    const ingress = this.#ingress.prepare(next);
    const prepared = await this.listeners.prepare([...next.listeners, ...this.#rpc.listeners]);
    try {
      this.#refuseClosed('mesh.reload');
      this.#putClusters(next);
      await this.clusters.warm(warmLimitMs);
      this.#refuseClosed('mesh.reload');
      if (approve !== undefined && !(await approve())) {
        this.#putAll(this.#config);
        this.clusters.keepOnly(namesOf(this.#config));
        await prepared.abandon();
        return { applied: false, problems: [] };
      }
      this.#refuseClosed('mesh.reload');
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
    this.clusters.keepOnly(namesOf(next));
    this.runtime.credentials.refresh();
    return { applied: true, problems: [] };
  }

  #putAll(config: EffectiveConfig): void {
    this.clusters.registries.lastGoodDirectory = config.lastGood?.directory ?? null;
    for (const cluster of config.clusters) this.clusters.put(cluster);
  }

  /** All of them or none. */
  #putClusters(next: EffectiveConfig): void {
    try {
      this.#putAll(next);
    } catch (thrown) {
      this.#putAll(this.#config);
      this.clusters.keepOnly(namesOf(this.#config));
      throw thrown;
    }
  }

  /**
   * Stops accepting, lets requests and tunnels finish for up to `deadlineMs`, calls of this process included, then
   * closes. @param deadlineMs default 30,000; the first call's counts
   */
  drain(deadlineMs = 30_000): Promise<void> {
    this.#draining ??= holdOpen(this.#drainNow(deadlineMs));
    return this.#draining;
  }

  async #drainNow(deadlineMs: number): Promise<void> {
    const { clock, proxy } = this.runtime;
    const untilMs = clock.now() + deadlineMs;
    await this.listeners.drain(deadlineMs);
    const isBusy = (): boolean => proxy.active + this.#tunnels.size > 0 && this.#closing === null;
    await untilQuiet(clock, untilMs, isBusy);
    await this.close();
  }

  /** Ends everything now. */
  close(): Promise<void> {
    this.#closing ??= holdOpen(this.#closeNow());
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    this.#unanswer();
    this.#embedding.close();
    await this.listeners.close();
    for (const tunnel of this.#tunnels) tunnel.destroy();
    await this.localRegistry.close();
    await this.clusters.close();
    this.runtime.credentials.close();
    for (const run of this.runtime.closers) await run();
    await this.#logs?.close();
    this.runtime.wheel.close();
    this.runtime.keepAlive.close();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refuseClosed(what: string): void {
    if (this.#closing !== null || (this.#draining !== null && what === 'mesh.reload')) {
      throw new HeddleError('ERR_MESH_CLOSED', what);
    }
  }

  #buildInProcess(config: EffectiveConfig, before: BuiltPipeline | null): BuiltPipeline {
    return buildPipeline('inProcess', config.inProcess, this.runtime, this.clusters.ref, before, this.#names);
  }
}

const namesOf = (config: EffectiveConfig): ReadonlySet<string> =>
  new Set(config.clusters.map((each) => each.name));

/** Starts a mesh on this thread. @throws HeddleError ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS */
export async function createMesh(config: MeshConfig = {}, options: MeshOptions = {}): Promise<Mesh> {
  const extensions = mergeExtensions(standard, await loadExtensions(options.use));
  const effective = requireConfig(config, extensions, textChecks);
  const { runtime, ownLogs } = openRuntime(extensions, effective.buffers.limitBytes, options);
  return holdOpen(new Mesh(effective, runtime, ownLogs).start());
}
