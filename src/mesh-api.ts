import type { Duplex } from 'node:stream';
import type { UsedModule } from './assembly/extension-modules.ts';
import type { FetchHandler } from './assembly/handler-upstream.ts';
import type { RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
import type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
import type { Surroundings } from './assembly/runtime.ts';
import type { MeshConfig } from './core/config/input.ts';
import type { Problem } from './core/config/problems.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import type { Logger } from './core/contract/logger.ts';
import type { MetricsSnapshot } from './core/contract/metrics.ts';
import type { Health } from './core/contract/state.ts';
import type { MeshResponse } from './core/stream/call.ts';
import type { CallOptions } from './core/stream/start-call.ts';
import type { MeshDispatcher } from './embedding/dispatcher/dispatcher.ts';
import type { MeshGrpc } from './embedding/grpc/mesh-grpc.ts';
import type { MeshAgent } from './embedding/http/agent.ts';
import type { ProtectedServer } from './embedding/ingress/ingress.ts';

export interface MeshOptions {
  /**
   * Your own codecs, filters, balancers, registries and limiters beside the built-in ones, or `file:` URLs of modules
   * whose default export they are. With mode "worker" URLs only.
   */
  readonly use?: readonly UsedModule[] | undefined;
  /** @default silent */
  readonly logger?: Logger;
  /** Keeps a set of the streams in progress, for the monitor (about 40 ns a stream). @default true where a monitor runs */
  readonly tracksStreams?: boolean;
  /** Replaces clock, chance, disk, resolver, dialler: for tests. Not with mode "worker". */
  readonly surroundings?: Partial<Surroundings>;
  /** With mode "worker". */
  readonly worker?: WorkerOptions;
}

/** Bounds of the worker thread. */
export interface WorkerOptions {
  /** Old-space limit of the thread; beyond it the worker ends and is started again. @default 512 */
  readonly maxHeapMb?: number;
  /** A worker whose loop does not turn for this long is ended and started again; 0 = never. @default 10000 */
  readonly hangTimeoutMs?: number;
  /** @default 30000 */
  readonly startTimeoutMs?: number;
}

export interface MeshReloadOptions {
  /** Asked when all is ready and nothing has changed for anybody yet; false: the running configuration stays. */
  readonly approve?: () => Promise<boolean>;
}

/** What a reload did. */
export interface ReloadResult {
  readonly applied: boolean;
  /** Why it was refused; the running configuration stays. */
  readonly problems: readonly Problem[];
}

/** The state of a mesh and of its parts; the worst part decides. */
export interface MeshHealth {
  readonly status: Health['status'];
  readonly parts: readonly ({ readonly part: string } & Health)[];
}

/** What a mesh is to the program that imports it, on the program's thread or in a worker. */
export interface MeshApi extends AsyncDisposable {
  /** The configuration in force, every default filled in. */
  readonly config: EffectiveConfig;
  readonly isClosed: boolean;
  /** From the beginning of a drain on. */
  readonly isDraining: boolean;
  /** Resolves when the mesh is closed, whoever asked for it. */
  readonly closed: Promise<void>;
  /** Of the configuration's listeners, "host:port" by name. */
  readonly listeners: { readonly addresses: Readonly<Record<string, string>> };
  /** The mesh as an undici dispatcher, and as an agent of `node:http` and `node:https`. */
  readonly dispatcher: MeshDispatcher;
  readonly agent: MeshAgent;
  readonly httpsAgent: MeshAgent;
  /** gRPC through the mesh: a client of our own, channels for @grpc/grpc-js, transports for @connectrpc/connect. */
  readonly grpc: MeshGrpc;
  /** One promise a call. @throws HeddleError when there was no answer */
  request(options: CallOptions): Promise<MeshResponse>;
  /** `fetch` for names that the mesh knows. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** A raw byte connection to a host of the cluster. */
  connect(cluster: string): Promise<Duplex>;
  /** Does the mesh answer calls to this authority? @param authority "host" or "host:port", in lower case */
  knows(authority: string): boolean;
  /** A connection into the mesh that speaks HTTP/1.1, for clients that take a stream. */
  openHttp(): Duplex;
  /** Puts the mesh before a server of this program, see docs/embedding.md. @returns takes it back */
  protect(server: ProtectedServer): () => void;
  /** Serves a cluster by code of this thread. */
  handle(cluster: string, handler: FetchHandler): void;
  /** A service to call by method, over Bolt or Dubbo. */
  rpc(target: RpcTarget): RpcReference;
  /** Provides a service by code of this thread. */
  serveRpc(options: RpcServiceOptions): Promise<RpcService>;
  /** Takes over another configuration. */
  reload(input: MeshConfig | EffectiveConfig, options?: MeshReloadOptions): Promise<ReloadResult>;
  health(): Promise<MeshHealth>;
  /** Every counter, gauge and histogram of docs/metrics.md. */
  metrics(): Promise<MetricsSnapshot>;
  /** The effective configuration as plain data, secrets redacted. */
  dump(): unknown;
  /** Opens access logs anew after a rotation moved them. */
  reopenLogs(): void;
  /** Stops accepting, lets what runs finish for up to `deadlineMs` (30,000), then closes. */
  drain(deadlineMs?: number): Promise<void>;
  /** Ends everything now. */
  close(): Promise<void>;
}
