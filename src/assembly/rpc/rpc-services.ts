import { HeddleError } from '../../core/base/errors.ts';
import type { UpstreamFactory } from '../../core/contract/cluster.ts';
import type { ListenerConfig } from '../../core/contract/config.ts';
import type { RpcProtocol } from '../../transport/rpc/call.ts';
import type { RpcEngines } from '../../transport/rpc/engine.ts';
import type { ClusterTable } from '../clusters.ts';
import { completeListener, defaultCluster } from '../default-config.ts';
import type { Runtime } from '../runtime.ts';
import { type RpcHandler, type RpcMethod, type Service, ServiceTable } from './service-table.ts';
import { serviceUpstream } from './service-upstream.ts';

/** A service that this process provides. */
export interface RpcServiceOptions {
  readonly protocol: RpcProtocol;
  /** Interface name, e.g. "com.example.Greeter". */
  readonly service: string;
  /** @default '' */
  readonly version?: string;
  /** Dubbo's group, SOFARPC's unique id. @default '' */
  readonly group?: string;
  /** Methods by name. One with a Java return type that its value does not show: `{ returns: 'long', handler }`. */
  readonly methods?: Readonly<
    Record<string, RpcMethod | { readonly returns: string; readonly handler: RpcMethod }>
  >;
  /** All methods in one, instead of `methods`. */
  readonly handler?: RpcHandler;
  /** Opens a listener; services of one protocol may share it. Without it routes and calls of this mesh reach the service. */
  readonly address?: string;
  /** Name of the cluster that the service becomes. @default the service */
  readonly cluster?: string;
}

/** A service that is provided. */
export interface RpcService extends AsyncDisposable {
  /** "host:port" in use; "" where no address was asked for. */
  readonly address: string;
  /** Ends it. Calls that run are finished, and its address is free when the last connection is gone. */
  close(): Promise<void>;
}

/** What the mesh does for its services. */
export interface ServiceHost {
  readonly runtime: Runtime;
  readonly clusters: ClusterTable;
  readonly engines: RpcEngines;
  /** Makes the listeners be those of the configuration and `listeners`. */
  applyListeners(): Promise<void>;
  addressOf(listener: string): string;
}

/** A service at an address. */
interface Placed {
  readonly service: string;
  readonly cluster: string;
}

interface OwnListener {
  readonly name: string;
  readonly protocol: RpcProtocol;
  readonly services: readonly Placed[];
  readonly config: ListenerConfig;
}

/** The services of one mesh and the listeners that were opened for them. */
export class RpcServices {
  readonly #host: ServiceHost;
  readonly #tables = new Map<string, ServiceTable>();
  /** By listener name. */
  readonly #listeners = new Map<string, OwnListener>();
  #serial = 0;

  constructor(host: ServiceHost) {
    this.#host = host;
  }

  /** Beside those of the configuration. */
  get listeners(): readonly ListenerConfig[] {
    return [...this.#listeners.values()].map((each) => each.config);
  }

  /**
   * @param upstream runs the calls of the cluster instead of the methods; null: they run here
   * @throws HeddleError ERR_PEER_MISSING, ERR_RPC_SERVICE, ERR_LISTENER_ADDRESS
   */
  async serve(options: RpcServiceOptions, upstream: UpstreamFactory | null): Promise<RpcService> {
    const service = serviceOf(options);
    this.#host.engines.get(options.protocol);
    const cluster = options.cluster ?? service.service;
    const table = this.#tableOf(cluster, upstream);
    table.add(service);
    const placed: Placed = { service: service.service, cluster };
    let listener = '';
    try {
      if (options.address !== undefined)
        listener = await this.#listen(options.address, options.protocol, placed);
    } catch (thrown) {
      table.remove(service);
      throw thrown;
    }
    const close = async (): Promise<void> => {
      table.remove(service);
      if (listener !== '') await this.#unlisten(listener, placed);
    };
    const address = listener === '' ? '' : this.#host.addressOf(listener);
    return { address, close, [Symbol.asyncDispose]: close };
  }

  #tableOf(cluster: string, given: UpstreamFactory | null): ServiceTable {
    const known = this.#tables.get(cluster);
    if (known !== undefined) return known;
    const { runtime, clusters, engines } = this.#host;
    const table = new ServiceTable();
    this.#tables.set(cluster, table);
    const upstream = given ?? serviceUpstream({ engines, table, logger: runtime.logger });
    clusters.serve(cluster, defaultCluster(cluster, runtime.extensions), upstream);
    return table;
  }

  /** Returns the listener's name. */
  async #listen(address: string, protocol: RpcProtocol, placed: Placed): Promise<string> {
    const known = this.#at(address);
    if (known !== undefined && known.protocol !== protocol) {
      throw new HeddleError('ERR_RPC_SERVICE', `${address} speaks ${known.protocol}, not ${protocol}`);
    }
    const name = known?.name ?? `rpc-${protocol}-${++this.#serial}`;
    const services = [...(known?.services ?? []), placed];
    // The address as it was asked for: the listener keeps its socket.
    const asked = known?.config.address ?? address;
    await this.#change(name, this.#listenerOf(name, asked, protocol, services));
    return name;
  }

  /** Port 0 is another free port each time; the address in use finds the listener again. */
  #at(address: string): OwnListener | undefined {
    return [...this.#listeners.values()].find(
      ({ name, config }) =>
        this.#host.addressOf(name) === address || (config.address === address && !address.endsWith(':0')),
    );
  }

  async #unlisten(name: string, placed: Placed): Promise<void> {
    const known = this.#listeners.get(name);
    if (known === undefined) return;
    const services = known.services.filter((each) => each !== placed);
    const { config, protocol } = known;
    await this.#change(
      name,
      services.length === 0 ? undefined : this.#listenerOf(name, config.address, protocol, services),
    );
  }

  async #change(name: string, next: OwnListener | undefined): Promise<void> {
    const before = this.#listeners.get(name);
    this.#set(name, next);
    try {
      await this.#host.applyListeners();
    } catch (thrown) {
      this.#set(name, before);
      throw thrown;
    }
  }

  #set(name: string, listener: OwnListener | undefined): void {
    if (listener === undefined) this.#listeners.delete(name);
    else this.#listeners.set(name, listener);
  }

  #listenerOf(
    name: string,
    address: string,
    protocol: RpcProtocol,
    services: readonly Placed[],
  ): OwnListener {
    // SOFARPC names version and unique id in the service: "com.example.Greeter:1.0".
    const routes = services.flatMap(({ service, cluster }) => [
      { match: { segmentPrefix: `/${service}` }, cluster },
      { match: { prefix: `/${service}:` }, cluster },
    ]);
    const virtualHosts = [{ name: 'services', domains: ['*'], routes }];
    const clusters = services.map((each) => each.cluster);
    const listener = { name, address, codec: protocol, virtualHosts };
    const config = completeListener(listener, clusters, this.#host.runtime.extensions);
    return { name, protocol, services, config };
  }
}

/** @throws HeddleError ERR_OPTION_INVALID */
export function serviceOf(options: RpcServiceOptions): Service {
  const { service, version = '', group = '', methods = null, handler = null } = options;
  if (service === '') throw new HeddleError('ERR_OPTION_INVALID', 'service: a name is needed');
  if ((methods === null) === (handler === null)) {
    throw new HeddleError('ERR_OPTION_INVALID', 'one of methods and handler is needed');
  }
  return { service, version, group, methods, handler };
}
