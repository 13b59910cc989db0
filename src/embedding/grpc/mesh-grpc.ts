import type { GrpcClient } from '../../transport/grpc/client.ts';
import type { MeshPort } from '../port.ts';
import {
  type ConnectOptions,
  type ConnectRequest,
  type ConnectResponse,
  connectClient,
  connectDefaults,
} from './connect.ts';
import { MeshJsChannel } from './js-channel.ts';
import { PortClient } from './port-client.ts';

/**
 * gRPC through a mesh from the program that imports it: filters, routes, balancers, retries, limits, metrics and logs as
 * for any call. Clusters need `codec: http2`.
 *
 * @example
 * const users = new UsersClient('unused', grpc.credentials.createInsecure(), { channelOverride: mesh.grpc.channel('users') });
 * const orders = createClient(Orders, mesh.grpc.connectTransport(createTransport, { baseUrl: 'http://orders' }));
 */
export class MeshGrpc {
  readonly #port: Pick<MeshPort, 'request'>;
  /** The HTTP client of transports of @connectrpc/connect (`httpClient`). */
  readonly connectClient: (request: ConnectRequest) => Promise<ConnectResponse>;

  constructor(port: Pick<MeshPort, 'request'>) {
    this.#port = port;
    this.connectClient = connectClient(port);
  }

  /** Heddle's own client. @param authority as routes see it; without own virtual hosts the name of a cluster */
  client(authority: string): GrpcClient {
    return new PortClient(this.#port, authority);
  }

  /** A channel for clients of @grpc/grpc-js: their option `channelOverride`. @param options.maxReceiveBytes default 4 MiB */
  channel(authority: string, options: { readonly maxReceiveBytes?: number } = {}): MeshJsChannel {
    return new MeshJsChannel(this.#port, authority, options.maxReceiveBytes);
  }

  /**
   * A transport for clients of @connectrpc/connect.
   *
   * @param createTransport of `@connectrpc/connect/protocol-grpc`, `.../protocol-connect` or `.../protocol-grpc-web`
   * @param options `baseUrl` is "http://" and the authority as routes see it
   */
  connectTransport<Transport>(
    createTransport: (options: never) => Transport,
    options: ConnectOptions,
  ): Transport {
    const all = { ...connectDefaults(options), httpClient: this.connectClient };
    return createTransport(all as never);
  }
}
