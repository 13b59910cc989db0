import { lateModule } from '../../core/base/late-module.ts';
import type { UpstreamFactory } from '../../core/contract/cluster.ts';
import type { OpenRpc, RpcHost } from './open-rpc.ts';
import type { RpcReference, RpcTarget } from './reference.ts';
import type { RpcService, RpcServiceOptions } from './rpc-services.ts';

/** Calls and services of one mesh. Their protocols are loaded with the first one. */
export class RpcSide {
  readonly #host: RpcHost;
  #opened: OpenRpc | null = null;

  constructor(host: RpcHost) {
    this.#host = host;
  }

  /** Listeners that services opened. */
  get listeners(): OpenRpc['listeners'] {
    return this.#opened?.listeners ?? [];
  }

  /** @throws HeddleError ERR_PEER_MISSING */
  reference(target: RpcTarget): RpcReference {
    return this.#open().reference(target);
  }

  /** @param upstream runs the calls instead of the methods */
  async serve(options: RpcServiceOptions, upstream: UpstreamFactory | null): Promise<RpcService> {
    return await this.#open().serve(options, upstream);
  }

  #open(): OpenRpc {
    const load = lateModule<typeof import('./open-rpc.ts')>('./open-rpc', import.meta.url);
    this.#opened ??= new (load().OpenRpc)(this.#host);
    return this.#opened;
  }
}
