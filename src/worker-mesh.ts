import type { Duplex } from 'node:stream';
import { defaultCluster } from './assembly/default-config.ts';
import { loadExtensions, moduleUrls } from './assembly/extension-modules.ts';
import { type FetchHandler, handlerUpstream } from './assembly/handler-upstream.ts';
import { openRuntime } from './assembly/open-runtime.ts';
import { answerMonitorBy, isMonitored } from './assembly/pending-streams.ts';
import { enterProcess } from './assembly/process/enter.ts';
import type { RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
import type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
import { AppHandlers } from './assembly/worker/app-handlers.ts';
import { appTracing, beginListenerSpan } from './assembly/worker/app-tracing.ts';
import { Approvals } from './assembly/worker/approvals.ts';
import { askStreams } from './assembly/worker/ask-streams.ts';
import { httpEnd } from './assembly/worker/http-end.ts';
import { type IngressMesh, type IngressParts, LocalIngress } from './assembly/worker/local-ingress.ts';
import type { RemoteReload } from './assembly/worker/mesh-end.ts';
import { plain, WorkerConfig } from './assembly/worker/worker-config.ts';
import { WorkerHost } from './assembly/worker/worker-host.ts';
import { WorkerRpc } from './assembly/worker/worker-rpc.ts';
import { HeddleError, messageOf } from './core/base/errors.ts';
import { SeededRandom } from './core/base/random.ts';
import { siblingUrl } from './core/base/sibling.ts';
import { requireConfig } from './core/config/check.ts';
import { type ExtensionSet, mergeExtensions } from './core/config/extensions.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { Problem } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { Logger } from './core/contract/logger.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { PendingStream } from './core/contract/pending-stream.ts';
import { silentLogger } from './core/observe/logger.ts';
import { hasTracerProvider } from './core/observe/open-telemetry.ts';
import type { MeshResponse } from './core/stream/call.ts';
import { type CallOptions, startCall } from './core/stream/start-call.ts';
import { Embedding } from './embedding/embedding.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';
import { Mesh } from './mesh.ts';
import type { MeshHealth, MeshOptions, MeshReloadOptions, ReloadResult } from './mesh-api.ts';
import { MeshBase } from './mesh-base.ts';
import { standard } from './standard.ts';
import { SystemClock } from './transport/index.ts';
import { AppCore } from './transport/worker/app-core.ts';
import type { WorkerNotice } from './transport/worker/messages.ts';

const defaults = { maxHeapMb: 512, hangTimeoutMs: 10_000, startTimeoutMs: 30_000 };

/** What the worker says about a reload. */
interface ReloadAnswer {
  readonly applied: boolean;
  readonly problems: readonly Problem[];
  readonly config: unknown;
  readonly addresses: Readonly<Record<string, string>>;
}

/** A mesh whose data path runs in a thread of its own; the same to the program as one that runs here. */
export class WorkerMesh extends MeshBase {
  readonly listeners: { readonly addresses: Readonly<Record<string, string>> };
  protected readonly embedding: Embedding;
  readonly #config: WorkerConfig;
  readonly #core: AppCore;
  readonly #host: WorkerHost;
  readonly #handlers: AppHandlers;
  readonly #rpc: WorkerRpc;
  readonly #ingress: LocalIngress;
  readonly #approvals = new Approvals();
  readonly #use: MeshOptions['use'];
  #extensions: ExtensionSet = standard;
  readonly #logger: Logger;
  readonly #unanswer: () => void;
  #holdsListeners = false;

  /** @internal use `createMesh` */
  constructor(config: MeshConfig, options: MeshOptions) {
    super();
    if (options.surroundings !== undefined) {
      throw new HeddleError('ERR_WORKER_VALUE', 'surroundings hold functions');
    }
    const modules = moduleUrls(options.use);
    const known = new WorkerConfig(config);
    this.#config = known;
    this.listeners = {
      get addresses() {
        return known.addresses;
      },
    };
    this.#use = options.use;
    this.#logger = options.logger ?? silentLogger;
    const clock = new SystemClock();
    const random = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1);
    this.#core = new AppCore({
      clock,
      busy: (isBusy) => (isBusy ? this.#host.hold() : this.#host.letGo()),
      ...appTracing(random, () => known.hasStarted && known.current.inProcess.tracing.enabled),
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
        config: known.forStart(),
        modules,
        tracksStreams,
        logLevel: this.#logger.level,
      }),
      onReady: (notice) => this.#onReady(notice),
      onApprove: (id) => this.#approvals.ask(id),
      beginSpan: (id, request) => beginListenerSpan(this.#core, random, id, request),
      hasProvider: hasTracerProvider,
    });
    this.#rpc = new WorkerRpc(this.#host, this.#handlers, this.#logger, () => this.isClosed);
    this.#ingress = new LocalIngress((parts) => this.#ingressMesh(parts));
    this.embedding = this.#embed(clock);
    this.#unanswer = tracksStreams ? answerMonitorBy(() => this.#pendingStreams()) : () => {};
  }

  #embed(clock: SystemClock): Embedding {
    const { codec, pipeline } = httpEnd(this.#core, clock);
    const self = this;
    const hasCluster = (name: string): boolean => self.#config.hasCluster(name) || self.#handlers.has(name);
    return new Embedding(
      {
        get isClosed() {
          return self.isClosed;
        },
        get config() {
          return self.config;
        },
        clusters: { get: (name: string) => (hasCluster(name) ? name : null) },
        runtime: { codec },
        request: (call) => self.request(call),
        connect: (cluster) => self.connect(cluster),
        openHttp: () => self.openHttp(),
        knows: (authority) => self.knows(authority),
        inboundTrace: () => self.#ingress.inbound,
      },
      () => pipeline,
    );
  }

  get config(): EffectiveConfig {
    return this.#config.current;
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
    if (this.isClosed) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.request'));
    return startCall(this.#core, null, this.#ingress.traced(options));
  }

  async connect(cluster: string): Promise<Duplex> {
    this.refuseClosed('mesh.connect');
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

  /** Puts the mesh before a server of this thread. @returns takes it back @throws HeddleError ERR_OPTION_INVALID */
  protect(server: ProtectedServer): () => void {
    this.refuseClosed('mesh.protect');
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
    this.refuseClosed('mesh.serveRpc');
    return await this.#rpc.serve(options);
  }

  async reload(input: MeshConfig | EffectiveConfig, options: MeshReloadOptions = {}): Promise<ReloadResult> {
    this.refuseClosed('mesh.reload');
    const next = plain(input);
    const done = await this.#approvals.during(options.approve, async (approval) => {
      const asked: RemoteReload = { config: next, approval };
      return (await this.#host.call('reload', asked)) as ReloadAnswer;
    });
    if (done.applied) {
      this.#takeOver(done.config, done.addresses, next);
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

  reopenLogs(): void {
    this.#host.call('reopenLogs').catch(() => {});
  }

  protected async finish(deadlineMs: number): Promise<void> {
    // A worker that is gone, or goes meanwhile, has nothing left to finish.
    const drained = this.#host.call('drain', deadlineMs).catch(() => undefined);
    await Promise.all([drained, this.#ingress.drain(deadlineMs)]);
  }

  protected async end(): Promise<void> {
    this.#unanswer();
    await this.#ingress.close();
    await this.#host.close();
  }

  #onReady({ config, addresses }: Extract<WorkerNotice, { type: 'ready' }>): void {
    const isFirst = !this.#config.hasStarted;
    for (const [cluster, key] of this.#handlers.names) this.#host.tell({ type: 'serve', cluster, key });
    this.#takeOver(config, addresses);
    if (!isFirst) this.#rpc.restore();
  }

  #takeOver(config: unknown, addresses: Readonly<Record<string, string>>, input?: unknown): void {
    this.#config.takeOver(config, addresses, input);
    // Listeners keep a process alive, as they do in-process.
    const hasListeners = this.config.listeners.length > 0;
    if (hasListeners && !this.#holdsListeners) this.#host.hold();
    if (!hasListeners && this.#holdsListeners) this.#host.letGo();
    this.#holdsListeners = hasListeners;
  }

  /** Filters of modules run in the worker, and here where an ingress may name them. */
  async #loadForIngress({ ingress }: EffectiveConfig): Promise<void> {
    if (ingress === undefined || this.#extensions !== standard) return;
    this.#extensions = mergeExtensions(standard, await loadExtensions(this.#use));
  }

  #ingressMesh(parts: IngressParts): IngressMesh {
    const config = requireConfig({ ingress: {}, ...parts }, this.#extensions);
    const { runtime, ownLogs } = openRuntime(this.#extensions, config.buffers.limitBytes, {
      logger: this.#logger,
    });
    const mesh = new Mesh(config, runtime, ownLogs);
    mesh.start().catch((thrown: unknown) => {
      this.#logger.error('the ingress of this thread has no clusters', { error: messageOf(thrown) });
    });
    return mesh;
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
}

/** @throws HeddleError as `createMesh` */
export async function createWorkerMesh(config: MeshConfig, options: MeshOptions): Promise<WorkerMesh> {
  enterProcess(process.env);
  return await new WorkerMesh(config, options).start();
}
