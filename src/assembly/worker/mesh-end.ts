import { pipeline as pump } from 'node:stream';
import type { HeddleError } from '../../core/base/errors.ts';
import type { MeshConfig } from '../../core/config/input.ts';
import type { UpstreamFactory } from '../../core/contract/cluster.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { ForeignPosition } from '../../core/observe/tracing.ts';
import { AppUpstreams } from '../../transport/worker/app-upstream.ts';
import { CallServer } from '../../transport/worker/call-server.ts';
import { answerControl, type ControlCall, type ControlMethods } from '../../transport/worker/control.ts';
import type { BellEnd } from '../../transport/worker/doorbell.ts';
import { FrameType } from '../../transport/worker/frame.ts';
import type { FrameView } from '../../transport/worker/frame-view.ts';
import { writeOutcome } from '../../transport/worker/frame-writer.ts';
import type { FrameReceiver, ThreadLink } from '../../transport/worker/link.ts';
import type { AppNotice, WorkerNotice } from '../../transport/worker/messages.ts';
import { packValues, unpackValues } from '../../transport/worker/plain-values.ts';
import { Tunnels } from '../../transport/worker/tunnel.ts';
import type { RpcService, RpcServiceOptions } from '../rpc/rpc-services.ts';
import type { Runtime } from '../runtime.ts';
import type { ListenerSpans } from './listener-spans.ts';
import type { RemoteService } from './worker-rpc.ts';

/** What the worker's end needs of the mesh that runs there. */
export interface InnerMesh {
  readonly runtime: Runtime;
  readonly config: EffectiveConfig;
  readonly callPipeline: Pipeline;
  readonly listeners: { readonly addresses: Readonly<Record<string, string>> };
  connect(cluster: string): Promise<import('node:stream').Duplex>;
  serveBy(cluster: string, upstream: UpstreamFactory): void;
  serveRpcBy(options: RpcServiceOptions, upstream: UpstreamFactory): Promise<RpcService>;
  reload(
    input: MeshConfig,
    options: { readonly approve?: () => Promise<boolean> },
  ): Promise<{ readonly applied: boolean; readonly problems: readonly unknown[] }>;
  health(): Promise<unknown>;
  metrics(): Promise<unknown>;
  reopenLogs(): void;
  drain(deadlineMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** A reload as it crosses. */
export interface RemoteReload {
  /** Packed by `packValues`. */
  readonly config: unknown;
  /** Number by which the program is asked for its approval, 0: it is not asked. */
  readonly approval: number;
}

/** The thread that the mesh runs in. */
export interface ThreadOfMesh {
  readonly spans: ListenerSpans;
  /** The application listens to the bell. */
  useBell(end: BellEnd): void;
  /** The mesh is closed and the application was told. */
  end(): void;
}

/** The worker's end of the link: streams of the application enter the mesh here, and its questions are answered. */
export class MeshEnd implements FrameReceiver {
  readonly #mesh: InnerMesh;
  readonly #link: ThreadLink;
  readonly #calls: CallServer;
  readonly #upstreams: AppUpstreams;
  readonly #tunnels = new Tunnels();
  readonly #services = new Map<number, RpcService>();
  readonly #approvals = new Map<number, (applies: boolean) => void>();
  readonly #thread: ThreadOfMesh;
  readonly #methods: ControlMethods = {
    connect: (argument: { id: number; cluster: string }) => this.#connect(argument),
    serveRpc: (argument: RemoteService) => this.#serveRpc(argument),
    closeRpc: (id: number) => this.#closeRpc(id),
    reload: (asked: RemoteReload) => this.#reload(asked),
    health: () => this.#mesh.health(),
    metrics: () => this.#mesh.metrics(),
    reopenLogs: () => this.#mesh.reopenLogs(),
    drain: (deadlineMs: number) => this.#mesh.drain(deadlineMs),
    close: () => this.#close(),
  };

  constructor(mesh: InnerMesh, link: ThreadLink, thread: ThreadOfMesh) {
    this.#mesh = mesh;
    this.#link = link;
    this.#thread = thread;
    const { proxy, clock } = mesh.runtime;
    const { writer } = link;
    this.#upstreams = new AppUpstreams(writer, proxy);
    this.#calls = new CallServer({
      writer,
      sink: proxy,
      clock,
      pipeline: () => mesh.callPipeline,
      markTraced(s: Stream, id: number): void {
        s.span = new ForeignPosition((ended) =>
          writeOutcome(writer, FrameType.outcome, id, ended, ended.code),
        );
      },
    });
  }

  onRequest(frame: FrameView): void {
    this.#calls.onRequest(frame);
  }

  onResponse(frame: FrameView): void {
    this.#upstreams.onResponse(frame);
  }

  onData(frame: FrameView): void {
    if (this.#tunnels.isOne(frame.id)) this.#tunnels.onData(frame);
    else if ((frame.id & 1) === 0) this.#calls.onData(frame);
    else this.#upstreams.onData(frame);
  }

  /** The application sends none. */
  onTrailers(): void {}

  onFailed(): void {}

  onOutcome(): void {}

  onReset(id: number, code: number): void {
    if (this.#tunnels.isOne(id)) this.#tunnels.onReset(id, code);
    else if ((id & 1) === 0) this.#calls.onReset(id);
    else this.#upstreams.onReset(id, code);
  }

  onCredit(id: number, bytes: number): void {
    if (this.#tunnels.isOne(id)) this.#tunnels.onCredit(id, bytes);
    else if ((id & 1) === 0) this.#calls.onCredit(id, bytes);
    else this.#upstreams.onCredit(id, bytes);
  }

  onControl(message: unknown): void {
    const said = message as ControlCall | AppNotice;
    if (said.type === 'call') answerControl(said, this.#methods, (answer) => this.#answer(said, answer));
    else if (said.type === 'serve') this.#mesh.serveBy(said.cluster, this.#upstreams.factory(said.key));
    else if (said.type === 'span') this.#thread.spans.answered(said.id, said.fields);
    else if (said.type === 'approval') this.#onApproval(said.id, said.applies);
    else if (said.type === 'bell') this.#thread.useBell(said.end);
    else if (said.type === 'logLevel') this.#mesh.runtime.logger.level = said.level;
  }

  #answer(call: ControlCall, answer: object): void {
    this.#link.post(answer);
    if (call.method === 'close') this.#thread.end();
  }

  async #connect({ id, cluster }: { id: number; cluster: string }): Promise<void> {
    const tunnel = await this.#mesh.connect(cluster);
    const across = this.#tunnels.open(id, this.#link.writer);
    const failed = (error: unknown): void => {
      if (error && !across.destroyed) across.destroy(error as HeddleError);
    };
    pump(tunnel, across, failed);
    pump(across, tunnel, () => {});
  }

  async #serveRpc({ id, key, ...options }: RemoteService): Promise<string> {
    const run = (): never => {
      throw new Error('methods run on the thread of the application');
    };
    const upstream = this.#upstreams.factory(key);
    const service = await this.#mesh.serveRpcBy({ ...options, handler: run }, upstream);
    this.#services.set(id, service);
    return service.address;
  }

  async #closeRpc(id: number): Promise<void> {
    const service = this.#services.get(id);
    this.#services.delete(id);
    await service?.close();
  }

  async #reload({ config, approval }: RemoteReload): Promise<unknown> {
    const options = approval === 0 ? {} : { approve: () => this.#askApproval(approval) };
    const { applied, problems } = await this.#mesh.reload(unpackValues(config) as MeshConfig, options);
    const { addresses } = this.#mesh.listeners;
    return { applied, problems, config: packValues(this.#mesh.config), addresses: { ...addresses } };
  }

  #askApproval(id: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#approvals.set(id, resolve);
    this.#link.post({ type: 'approve', id } satisfies WorkerNotice);
    return promise;
  }

  #onApproval(id: number, applies: boolean): void {
    this.#approvals.get(id)?.(applies);
    this.#approvals.delete(id);
  }

  async #close(): Promise<void> {
    await this.#mesh.close();
    this.#tunnels.closeAll(0);
  }
}
