import type { Duplex } from 'node:stream';
import { callOfFetch, fetchResponse } from './assembly/fetch.ts';
import type { FetchHandler } from './assembly/handler-upstream.ts';
import { holdOpen } from './assembly/hold-open.ts';
import type { RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
import type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
import { HeddleError } from './core/base/errors.ts';
import { dumpConfig } from './core/config/dump.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { MeshResponse } from './core/stream/call.ts';
import type { CallOptions } from './core/stream/start-call.ts';
import type { MeshDispatcher } from './embedding/dispatcher/dispatcher.ts';
import type { Embedding } from './embedding/embedding.ts';
import type { MeshGrpc } from './embedding/grpc/mesh-grpc.ts';
import type { MeshAgent } from './embedding/http/agent.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';
import type { MeshApi, MeshHealth, MeshReloadOptions, ReloadResult } from './mesh-api.ts';

/**
 * What is the same in a mesh wherever its data path runs: the ways in that end in `request` and `openHttp`, and the order
 * of its life. `mesh.ts` runs on this thread, `worker-mesh.ts` speaks to one that runs on another.
 */
export abstract class MeshBase implements MeshApi {
  abstract readonly config: EffectiveConfig;
  abstract readonly listeners: MeshApi['listeners'];
  protected abstract readonly embedding: Embedding;
  readonly #closed = Promise.withResolvers<void>();
  #draining: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  abstract request(options: CallOptions): Promise<MeshResponse>;
  abstract connect(cluster: string): Promise<Duplex>;
  abstract protect(server: ProtectedServer): () => void;
  abstract handle(cluster: string, handler: FetchHandler): void;
  abstract rpc(target: RpcTarget): RpcReference;
  abstract serveRpc(options: RpcServiceOptions): Promise<RpcService>;
  abstract reload(input: MeshConfig | EffectiveConfig, options?: MeshReloadOptions): Promise<ReloadResult>;
  abstract health(): Promise<MeshHealth>;
  abstract metrics(): Promise<MetricsSnapshot>;
  abstract reopenLogs(): void;
  /** Lets what runs finish; `close` follows. */
  protected abstract finish(deadlineMs: number): Promise<void>;
  /** Gives everything back. */
  protected abstract end(): Promise<void>;

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
    return dumpConfig(this.config);
  }

  /** `fetch` for names that the mesh knows: `mesh.fetch('http://users/42')`. */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchResponse(await this.request(callOfFetch(input, init)));
  }

  /** Does the mesh answer calls to this authority? @param authority "host" or "host:port", in lower case */
  knows(authority: string): boolean {
    return this.embedding.knows(authority);
  }

  /** The mesh as an undici dispatcher: `setGlobalDispatcher(mesh.dispatcher)`, `fetch(url, { dispatcher })`. */
  get dispatcher(): MeshDispatcher {
    return this.embedding.dispatcher;
  }

  /** The mesh as an agent of `node:http`; names that it does not know go by Node's global agent. */
  get agent(): MeshAgent {
    return this.embedding.agent;
  }

  /** The same for `node:https`: clusters with `tls` speak it to their hosts. */
  get httpsAgent(): MeshAgent {
    return this.embedding.httpsAgent;
  }

  /** gRPC through the mesh: a client of our own, channels for @grpc/grpc-js, transports for @connectrpc/connect. */
  get grpc(): MeshGrpc {
    return this.embedding.grpc;
  }

  /** A connection into the mesh that speaks HTTP/1.1, for clients that take a stream. */
  openHttp(): Duplex {
    this.refuseClosed('mesh.openHttp');
    return this.embedding.openHttp();
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
    await this.finish(deadlineMs);
    await this.close();
  }

  /** Ends everything now. */
  close(): Promise<void> {
    this.#closing ??= holdOpen(this.#closeNow());
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    this.embedding.close();
    await this.end();
    this.#closed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @throws HeddleError ERR_MESH_CLOSED */
  protected refuseClosed(what: string): void {
    if (this.#closing !== null || (this.#draining !== null && what === 'mesh.reload')) {
      throw new HeddleError('ERR_MESH_CLOSED', what);
    }
  }
}
