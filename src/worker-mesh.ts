import type { Duplex } from 'node:stream';
import { defaultCluster } from './assembly/default-config.ts';
import { loadExtensions, moduleUrls } from './assembly/extension-modules.ts';
import { callOfFetch, fetchResponse } from './assembly/fetch.ts';
import { type FetchHandler, handlerUpstream } from './assembly/handler-upstream.ts';
import { openRuntime } from './assembly/open-runtime.ts';
import { answerMonitorBy, isMonitored } from './assembly/pending-streams.ts';
import { enterProcess } from './assembly/process/enter.ts';
import type { RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
import type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
import { AppHandlers } from './assembly/worker/app-handlers.ts';
import { appTracing } from './assembly/worker/app-tracing.ts';
import { askStreams } from './assembly/worker/ask-streams.ts';
import { httpEnd } from './assembly/worker/http-end.ts';
import { type IngressMesh, LocalIngress } from './assembly/worker/local-ingress.ts';
import { WorkerHost } from './assembly/worker/worker-host.ts';
import { WorkerRpc } from './assembly/worker/worker-rpc.ts';
import { HeddleError } from './core/base/errors.ts';
import { SeededRandom } from './core/base/random.ts';
import { siblingUrl } from './core/base/sibling.ts';
import { requireConfig } from './core/config/check.ts';
import { dumpConfig } from './core/config/dump.ts';
import { type ExtensionSet, mergeExtensions } from './core/config/extensions.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { Problem } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { Logger } from './core/contract/logger.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { PendingStream } from './core/contract/pending-stream.ts';
import { silentLogger } from './core/observe/logger.ts';
import type { MeshResponse } from './core/stream/call.ts';
import { type CallOptions, startCall } from './core/stream/start-call.ts';
import type { MeshDispatcher } from './embedding/dispatcher/dispatcher.ts';
import { Embedding } from './embedding/embedding.ts';
import type { MeshGrpc } from './embedding/grpc/mesh-grpc.ts';
import type { MeshAgent } from './embedding/http/agent.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';
import { Mesh } from './mesh.ts';
import type { MeshApi, MeshHealth, MeshOptions, MeshReloadOptions, ReloadResult } from './mesh-api.ts';
import { standard } from './standard.ts';
import { SystemClock } from './transport/index.ts';
import { AppCore } from './transport/worker/app-core.ts';
import type { WorkerNotice } from './transport/worker/messages.ts';
import { packValues, unpackValues } from './transport/worker/plain-values.ts';

const defaults = { maxHeapMb: 512, hangTimeoutMs: 10_000, startTimeoutMs: 30_000 };

/** What the worker says about a reload. */
interface RemoteReload {
  readonly applied: boolean;
  readonly problems: readonly Problem[];
  readonly config: unknown;
  readonly addresses: Readonly<Record<string, string>>;
}

/** A mesh whose data path runs in a thread of its own; the same to the program as one that runs here. */
export class WorkerMesh implements MeshApi {
  readonly listeners: { addresses: Readonly<Record<string, string>> } = { addresses: {} };
  readonly #core: AppCore;
  readonly #host: WorkerHost;
  readonly #handlers: AppHandlers;
  readonly #rpc: WorkerRpc;
  readonly #ingress: LocalIngress;
  readonly #use: MeshOptions['use'];
  #extensions: ExtensionSet = standard;
  readonly #embedding: Embedding;
  readonly #logger: Logger;
  readonly #unanswer: () => void;
  readonly #closed = Promise.withResolvers<void>();
  /** What a worker is started with: as it was given, plain. */
  #input: unknown;
  /** Addresses that were asked for with port 0, as they were bound: a worker that is started again keeps them. */
  #bound: Readonly<Record<string, string>> = {};
  #config: EffectiveConfig | null = null;
  #clusterNames: ReadonlySet<string> = new Set();
  #holdsListeners = false;
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /** @internal use `createMesh` */
  constructor(config: MeshConfig, options: MeshOptions) {
    if (options.surroundings !== undefined) {
      throw new HeddleError('ERR_WORKER_VALUE', 'surroundings hold functions');
    }
    const modules = moduleUrls(options.use);
    const { mode: _mode, ...rest } = config;
    this.#input = packValues(rest);
    this.#logger = options.logger ?? silentLogger;
    const clock = new SystemClock();
    const random = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
    this.#core = new AppCore({
      clock,
      busy: (isBusy) => (isBusy ? this.#host.hold() : this.#host.letGo()),
      ...appTracing(random, () => this.#config?.inProcess.tracing.enabled ?? false),
    });
    this.#handlers = new AppHandlers(this.#core.handlers);
    const tracksStreams = options.tracksStreams ?? isMonitored();
    this.#host = new WorkerHost(this.#core, {
      ...defaults,
      ...options.worker,
      url: siblingUrl('./mesh.worker', import.meta.url),
      clock,
      random,
      logger: this.#logger,
      workerData: () => ({
        config: this.#startConfig(),
        modules,
        tracksStreams,
        logLevel: this.#logger.level,
      }),
      onReady: (notice) => this.#onReady(notice),
    });
    this.#rpc = new WorkerRpc(this.#host, this.#handlers, this.#logger, () => this.isClosed);
    this.#use = options.use;
    this.#ingress = new LocalIngress((ingress) => this.#ingressMesh(ingress));
    const { codec, pipeline } = httpEnd(this.#core, clock);
    const clusters = { get: (name: string) => (this.#hasCluster(name) ? name : null) };
    const self = this;
    this.#embedding = new Embedding(
      {
        get isClosed() {
          return self.isClosed;
        },
        get config() {
          return self.config;
        },
        clusters,
        runtime: { codec },
        request: (call) => this.request(call),
        connect: (cluster) => this.connect(cluster),
        openHttp: () => this.openHttp(),
        knows: (authority) => this.knows(authority),
        inboundTrace: () => this.#ingress.inbound,
      },
      () => pipeline,
    );
    this.#unanswer = tracksStreams ? answerMonitorBy(() => this.#pendingStreams()) : () => {};
  }

  get config(): EffectiveConfig {
    if (this.#config === null) throw new HeddleError('ERR_BUG', 'a mesh without a configuration');
    return this.#config;
  }

  get isClosed(): boolean {
    return this.#closing !== null;
  }

  get isDraining(): boolean {
    return this.#draining !== null;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get dispatcher(): MeshDispatcher {
    return this.#embedding.dispatcher;
  }

  get grpc(): MeshGrpc {
    return this.#embedding.grpc;
  }

  get agent(): MeshAgent {
    return this.#embedding.agent;
  }

  get httpsAgent(): MeshAgent {
    return this.#embedding.httpsAgent;
  }

  /** @internal */
  async start(): Promise<this> {
    try {
      await this.#host.start();
      await this.#loadForIngress(this.config);
    } catch (thrown) {
      this.#unanswer();
      throw thrown;
    }
    return this;
  }

  request(options: CallOptions): Promise<MeshResponse> {
    if (this.#closing !== null) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.request'));
    return startCall(this.#core, null, this.#ingress.traced(options));
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchResponse(await this.request(callOfFetch(input, init)));
  }

  async connect(cluster: string): Promise<Duplex> {
    this.#refuseClosed('mesh.connect');
    const { writer, tunnels } = this.#host;
    if (writer === null) throw new HeddleError('ERR_WORKER_DOWN', 'mesh.connect');
    const id = tunnels.nextId();
    this.#host.hold();
    const tunnel = tunnels.open(id, writer, () => this.#host.letGo());
    // Told apart below: a failed dial rejects, and is no error of a stream that nobody has.
    tunnel.once('error', () => {});
    try {
      await this.#host.call('connect', { id, cluster });
    } catch (thrown) {
      tunnel.cut(0);
      throw thrown;
    }
    return tunnel;
  }

  knows(authority: string): boolean {
    return this.#embedding.knows(authority);
  }

  openHttp(): Duplex {
    this.#refuseClosed('mesh.openHttp');
    return this.#embedding.openHttp();
  }

  /** Puts the mesh before a server of this thread. @returns takes it back @throws HeddleError ERR_OPTION_INVALID */
  protect(server: ProtectedServer): () => void {
    this.#refuseClosed('mesh.protect');
    return this.#ingress.protect(server, this.config);
  }

  handle(cluster: string, handler: FetchHandler): void {
    defaultCluster(cluster, standard);
    const isNew = !this.#handlers.has(cluster);
    const key = this.#handlers.put(cluster, handlerUpstream(handler, this.#logger));
    if (isNew && this.#host.isUp) this.#host.tell({ type: 'serve', cluster, key });
  }

  rpc(target: RpcTarget): RpcReference {
    return this.#rpc.reference(target);
  }

  async serveRpc(options: RpcServiceOptions): Promise<RpcService> {
    this.#refuseClosed('mesh.serveRpc');
    return await this.#rpc.serve(options);
  }

  async reload(input: MeshConfig | EffectiveConfig, options: MeshReloadOptions = {}): Promise<ReloadResult> {
    this.#refuseClosed('mesh.reload');
    if (options.approve !== undefined) {
      throw new HeddleError('ERR_WORKER_VALUE', 'reload: approve is a function');
    }
    const { mode: _mode, ...rest } = input;
    const next = packValues(rest);
    const done = (await this.#host.call('reload', next)) as RemoteReload;
    if (done.applied) {
      this.#input = next;
      this.#takeOver(done.config, done.addresses);
      await this.#loadForIngress(this.config);
      await this.#ingress.reload(this.config);
    }
    return { applied: done.applied, problems: done.problems };
  }

  async health(): Promise<MeshHealth> {
    const part = { part: 'worker', ...this.#host.health };
    if (!this.#host.isUp) return { status: part.status, parts: [part] };
    const inside = (await this.#host.call('health')) as MeshHealth;
    return { status: inside.status, parts: [part, ...inside.parts] };
  }

  async metrics(): Promise<MetricsSnapshot> {
    const inside = (await this.#host.call('metrics')) as MetricsSnapshot;
    return { ...inside, series: [...inside.series, ...(await this.#ingress.metrics())] };
  }

  dump(): unknown {
    return dumpConfig(this.config);
  }

  reopenLogs(): void {
    this.#host.call('reopenLogs').catch(() => {});
  }

  drain(deadlineMs = 30_000): Promise<void> {
    this.#draining ??= this.#drainNow(deadlineMs);
    return this.#draining;
  }

  async #drainNow(deadlineMs: number): Promise<void> {
    // A worker that is gone, or goes meanwhile, has nothing left to finish.
    const drained = this.#host.call('drain', deadlineMs).catch(() => undefined);
    await Promise.all([drained, this.#ingress.drain(deadlineMs)]);
    await this.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    this.#unanswer();
    this.#embedding.close();
    await this.#ingress.close();
    await this.#host.close();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onReady({ config, addresses }: Extract<WorkerNotice, { type: 'ready' }>): void {
    const isFirst = this.#config === null;
    for (const [cluster, key] of this.#handlers.names) this.#host.tell({ type: 'serve', cluster, key });
    this.#takeOver(config, addresses);
    if (!isFirst) this.#rpc.restore();
  }

  #takeOver(config: unknown, addresses: Readonly<Record<string, string>>): void {
    this.#config = unpackValues(config) as EffectiveConfig;
    this.listeners.addresses = addresses;
    this.#bound = addresses;
    this.#clusterNames = new Set(this.#config.clusters.map((each) => each.name));
    // Listeners keep a process alive, as they do in-process.
    const hasListeners = this.#config.listeners.length > 0;
    if (hasListeners && !this.#holdsListeners) this.#host.hold();
    if (!hasListeners && this.#holdsListeners) this.#host.letGo();
    this.#holdsListeners = hasListeners;
  }

  /** The configuration with the addresses that its listeners had: who knows them finds them there again. */
  #startConfig(): unknown {
    const input = this.#input as { listeners?: unknown };
    if (!Array.isArray(input.listeners)) return input;
    const listeners = input.listeners.map((each: { name?: unknown; address?: unknown }) => {
      const bound = this.#bound[String(each?.name)];
      const wantsAny = typeof each?.address === 'string' && each.address.endsWith(':0');
      return bound !== undefined && wantsAny ? { ...each, address: bound } : each;
    });
    return { ...input, listeners };
  }

  /** Filters of modules run in the worker, and here where an ingress may name them. */
  async #loadForIngress({ ingress }: EffectiveConfig): Promise<void> {
    if (ingress === undefined || this.#extensions !== standard) return;
    this.#extensions = mergeExtensions(standard, await loadExtensions(this.#use));
  }

  #ingressMesh(ingress: EffectiveConfig['ingress']): IngressMesh {
    const config = requireConfig({ ingress: ingress ?? {} }, this.#extensions);
    const { runtime, ownLogs } = openRuntime(this.#extensions, config.buffers.limitBytes, {
      logger: this.#logger,
    });
    return new Mesh(config, runtime, ownLogs);
  }

  #hasCluster(name: string): boolean {
    return this.#clusterNames.has(name) || this.#handlers.has(name);
  }

  #pendingStreams(): readonly PendingStream[] {
    const thread = this.#host.isUp ? this.#host.thread : null;
    this.#host.writer?.flush();
    const known = thread === null ? null : askStreams(thread);
    if (known !== null) return known;
    // A worker that does not answer: what this thread knows of them.
    return [...this.#core.streams].map((s) => ({
      route: '',
      upstream: s.req.authority,
      phase: 'worker',
      ageMs: 0,
    }));
  }

  #refuseClosed(what: string): void {
    if (this.#closing !== null || (this.#draining !== null && what === 'mesh.reload')) {
      throw new HeddleError('ERR_MESH_CLOSED', what);
    }
  }
}

/** @throws HeddleError as `createMesh` */
export async function createWorkerMesh(config: MeshConfig, options: MeshOptions): Promise<WorkerMesh> {
  enterProcess(process.env);
  return await new WorkerMesh(config, options).start();
}
