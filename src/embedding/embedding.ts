import type { Duplex } from 'node:stream';
import { lateModule } from '../core/base/late-module.ts';
import type { CodecContext } from '../core/contract/codec.ts';
import type { EffectiveConfig } from '../core/contract/config.ts';
import type { Pipeline } from '../core/contract/pipeline.ts';
import { createKeepAlive, type KeepAlive } from '../transport/system-clock.ts';
import { MeshDispatcher } from './dispatcher/dispatcher.ts';
import { globalDispatcher } from './dispatcher/global.ts';
import type { MeshGrpc } from './grpc/mesh-grpc.ts';
import { MeshAgent } from './http/agent.ts';
import { InProcessHttp } from './http/in-process.ts';
import { KnownNames } from './known-names.ts';
import type { MeshPort } from './port.ts';

/** What of a mesh of this process its adapters are made from. */
export interface EmbeddedMesh
  extends Pick<MeshPort, 'request' | 'connect' | 'openHttp' | 'knows' | 'inboundTrace'> {
  readonly isClosed: boolean;
  readonly config: EffectiveConfig;
  readonly clusters: { get(name: string): unknown };
  readonly runtime: { readonly codec: CodecContext };
}

/** The adapters of one mesh of this process, made on first use. */
export class Embedding {
  readonly #mesh: EmbeddedMesh;
  readonly #pipeline: () => Pipeline;
  readonly #keepAlive: KeepAlive = createKeepAlive();
  #http: InProcessHttp | null = null;
  #names: KnownNames | null = null;
  #namesOf: EffectiveConfig | null = null;
  #dispatcher: MeshDispatcher | null = null;
  #grpc: MeshGrpc | null = null;
  #agent: MeshAgent | null = null;
  #httpsAgent: MeshAgent | null = null;

  constructor(mesh: EmbeddedMesh, pipeline: () => Pipeline) {
    this.#mesh = mesh;
    this.#pipeline = pipeline;
  }

  /** False once the mesh is closed: calls then go where they would have gone without it. */
  knows(authority: string): boolean {
    const mesh = this.#mesh;
    if (mesh.isClosed) return false;
    if (this.#namesOf !== mesh.config) {
      this.#namesOf = mesh.config;
      this.#names = new KnownNames(
        mesh.config.inProcess.virtualHosts,
        (name) => mesh.clusters.get(name) !== null,
      );
    }
    return (this.#names as KnownNames).has(authority);
  }

  openHttp(): Duplex {
    this.#http ??= new InProcessHttp({
      codec: this.#mesh.runtime.codec,
      keepAlive: this.#keepAlive,
      pipeline: this.#pipeline,
      isClosed: () => this.#mesh.isClosed,
    });
    return this.#http.open();
  }

  get dispatcher(): MeshDispatcher {
    const mesh = this.#mesh;
    this.#dispatcher ??= new MeshDispatcher(mesh, globalDispatcher);
    return this.#dispatcher;
  }

  get agent(): MeshAgent {
    this.#agent ??= new MeshAgent(this.#mesh, 80);
    return this.#agent;
  }

  get httpsAgent(): MeshAgent {
    this.#httpsAgent ??= new MeshAgent(this.#mesh, 443);
    return this.#httpsAgent;
  }

  get grpc(): MeshGrpc {
    const load = lateModule<typeof import('./grpc/mesh-grpc.ts')>('./grpc/mesh-grpc', import.meta.url);
    this.#grpc ??= new (load().MeshGrpc)(this.#mesh);
    return this.#grpc;
  }

  close(): void {
    this.#http?.closeAll();
    this.#agent?.destroy();
    this.#httpsAgent?.destroy();
    this.#keepAlive.close();
  }
}
