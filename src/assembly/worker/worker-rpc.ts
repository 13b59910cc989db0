import { HeddleError } from '../../core/base/errors.ts';
import { RpcNames } from '../../core/base/rpc-names.ts';
import type { Logger } from '../../core/contract/logger.ts';
import { RpcEngines } from '../../transport/rpc/engine.ts';
import { type RpcCaller, RpcReference, type RpcTarget } from '../rpc/reference.ts';
import { type RpcService, type RpcServiceOptions, serviceOf } from '../rpc/rpc-services.ts';
import { ServiceTable } from '../rpc/service-table.ts';
import { serviceUpstream } from '../rpc/service-upstream.ts';
import type { AppHandlers } from './app-handlers.ts';
import type { WorkerHost } from './worker-host.ts';

/** What the worker is asked to provide; it runs the calls by the handler of that key. */
export interface RemoteService extends Omit<RpcServiceOptions, 'methods' | 'handler'> {
  readonly id: number;
  readonly key: number;
}

/**
 * Calls and services by method of a mesh in a worker. Values are read and written here, where they are used; the frames
 * cross, and everything else (connections, routes, retries, listeners) happens in the worker.
 */
export class WorkerRpc {
  readonly #host: WorkerHost;
  readonly #handlers: AppHandlers;
  readonly #engines = new RpcEngines(new RpcNames());
  readonly #caller: RpcCaller;
  readonly #logger: Logger;
  readonly #tables = new Map<string, ServiceTable>();
  readonly #served = new Map<number, RemoteService>();
  #lastId = 0;

  constructor(host: WorkerHost, handlers: AppHandlers, logger: Logger, isClosed: () => boolean) {
    this.#host = host;
    this.#handlers = handlers;
    this.#logger = logger;
    this.#caller = { proxy: host.core, pipeline: () => null, isClosed };
  }

  /** @throws HeddleError ERR_PEER_MISSING */
  reference(target: RpcTarget): RpcReference {
    return new RpcReference(target, this.#caller, this.#engines.get(target.protocol));
  }

  /** @throws HeddleError ERR_PEER_MISSING, ERR_RPC_SERVICE, ERR_LISTENER_ADDRESS */
  async serve(options: RpcServiceOptions): Promise<RpcService> {
    const service = serviceOf(options);
    this.#engines.get(options.protocol);
    const { methods: _methods, handler: _handler, ...data } = options;
    const cluster = options.cluster ?? service.service;
    const table = this.#tableOf(cluster);
    table.add(service);
    const id = ++this.#lastId;
    const asked: RemoteService = { ...data, cluster, id, key: this.#handlers.keyOf(cluster) };
    let address: string;
    try {
      address = (await this.#host.call('serveRpc', asked)) as string;
    } catch (thrown) {
      table.remove(service);
      throw thrown;
    }
    // A worker that is started again listens where this one did.
    this.#served.set(id, address === '' ? asked : { ...asked, address });
    if (address !== '') this.#host.hold();
    let isOver = false;
    const close = async (): Promise<void> => {
      if (isOver) return;
      isOver = true;
      table.remove(service);
      this.#served.delete(id);
      try {
        await this.#host.call('closeRpc', id);
      } catch (thrown) {
        // A worker that is gone serves nothing.
        if (!isGone(thrown)) throw thrown;
      } finally {
        if (address !== '') this.#host.letGo();
      }
    };
    return { address, close, [Symbol.asyncDispose]: close };
  }

  /** A worker was started again. */
  restore(): void {
    for (const service of this.#served.values()) {
      this.#host.call('serveRpc', service).catch((thrown: unknown) => {
        const { message } = HeddleError.from(thrown, 'ERR_RPC_SERVICE');
        this.#logger.error('a service is not provided any more', {
          service: service.service,
          error: message,
        });
      });
    }
  }

  #tableOf(cluster: string): ServiceTable {
    const known = this.#tables.get(cluster);
    if (known !== undefined) return known;
    const table = new ServiceTable();
    this.#tables.set(cluster, table);
    this.#handlers.put(cluster, serviceUpstream({ engines: this.#engines, table, logger: this.#logger }));
    return table;
  }
}

function isGone(thrown: unknown): boolean {
  const { code } = thrown as { code?: unknown };
  return code === 'ERR_WORKER_DOWN' || code === 'ERR_WORKER_LOST' || code === 'ERR_MESH_CLOSED';
}
