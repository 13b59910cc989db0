import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { MetricsSnapshot } from '../../core/contract/metrics.ts';
import type { CallOptions } from '../../core/stream/start-call.ts';
import type { ProtectedServer } from '../../embedding/ingress/ingress.ts';
import { type InboundTrace, withTrace } from '../../embedding/ingress/trace-scope.ts';

/** What an ingress works by: clusters only where its routes may name them. */
export interface IngressParts {
  readonly ingress?: EffectiveConfig['ingress'];
  readonly clusters?: EffectiveConfig['clusters'];
}

function partsOf({ ingress, clusters }: EffectiveConfig): IngressParts {
  if (ingress === undefined) return {};
  return ingress.virtualHosts.length === 0 ? { ingress } : { ingress, clusters };
}

/** What protects servers on this thread: a mesh of this process with an ingress and the clusters that it may route to. */
export interface IngressMesh {
  protect(server: ProtectedServer): () => void;
  inboundTrace(): InboundTrace | null;
  metrics(): Promise<MetricsSnapshot>;
  reload(config: IngressParts): Promise<unknown>;
  drain(deadlineMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Ingress protection of a mesh whose data path is in a worker: servers and their requests are on this thread, so it is, too. */
export class LocalIngress {
  readonly #create: (parts: IngressParts) => IngressMesh;
  #mesh: IngressMesh | null = null;

  /** @param create makes the mesh when the first server is protected */
  constructor(create: (parts: IngressParts) => IngressMesh) {
    this.#create = create;
  }

  get inbound(): InboundTrace | null {
    return this.#mesh === null ? null : this.#mesh.inboundTrace();
  }

  /** @throws HeddleError ERR_OPTION_INVALID, ERR_CONFIG_INVALID */
  protect(server: ProtectedServer, config: EffectiveConfig): () => void {
    this.#mesh ??= this.#create(partsOf(config));
    return this.#mesh.protect(server);
  }

  /** A call, with the trace of the request that it is made for. */
  traced(options: CallOptions): CallOptions {
    return this.#mesh === null ? options : withTrace(options, this.#mesh.inboundTrace());
  }

  async reload(config: EffectiveConfig): Promise<void> {
    await this.#mesh?.reload(partsOf(config));
  }

  async metrics(): Promise<MetricsSnapshot['series']> {
    return this.#mesh === null ? [] : (await this.#mesh.metrics()).series;
  }

  async drain(deadlineMs: number): Promise<void> {
    await this.#mesh?.drain(deadlineMs);
  }

  async close(): Promise<void> {
    await this.#mesh?.close();
  }
}
