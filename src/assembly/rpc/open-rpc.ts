import type { UpstreamFactory } from '../../core/contract/cluster.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import { RpcEngines } from '../../transport/rpc/engine.ts';
import type { ClusterTable } from '../clusters.ts';
import type { Runtime } from '../runtime.ts';
import { type RpcCaller, RpcReference, type RpcTarget } from './reference.ts';
import { type RpcService, type RpcServiceOptions, RpcServices } from './rpc-services.ts';

/** What a mesh lends its RPC side. */
export interface RpcHost {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  /** Of in-process calls. */
  pipeline(): Pipeline;
  isClosed(): boolean;
  addressOf(listener: string): string;
  /** Makes the listeners be those of the configuration and those of the services. */
  applyListeners(): Promise<void>;
}

/** Engines, calls and services of one mesh. */
export class OpenRpc {
  readonly #engines: RpcEngines;
  readonly #services: RpcServices;
  readonly #caller: RpcCaller;

  constructor(host: RpcHost) {
    const { runtime, clusters } = host;
    this.#engines = new RpcEngines(runtime.codec.names);
    this.#services = new RpcServices({
      runtime,
      clusters,
      engines: this.#engines,
      applyListeners: () => host.applyListeners(),
      addressOf: (listener) => host.addressOf(listener),
    });
    this.#caller = { proxy: runtime.proxy, pipeline: () => host.pipeline(), isClosed: () => host.isClosed() };
  }

  /** Listeners that services opened. */
  get listeners(): RpcServices['listeners'] {
    return this.#services.listeners;
  }

  /** @throws HeddleError ERR_PEER_MISSING */
  reference(target: RpcTarget): RpcReference {
    return new RpcReference(target, this.#caller, this.#engines.get(target.protocol));
  }

  /** @param upstream runs the calls instead of the methods */
  serve(options: RpcServiceOptions, upstream: UpstreamFactory | null): Promise<RpcService> {
    return this.#services.serve(options, upstream);
  }
}
