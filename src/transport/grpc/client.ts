import { HeddleError } from '../../core/base/errors.ts';
import { GrpcCall, pathOf } from './call.ts';
import { GrpcExchange } from './exchange.ts';
import type { GrpcMethod } from './method.ts';
import type { GrpcCallOptions } from './options.ts';

/**
 * The four kinds of calls, over whatever carries them. Every kind rejects, or throws where messages are read, with
 * HeddleError ERR_GRPC_STATUS unless the call ended with OK; see `grpcError` for its context.
 */
export abstract class GrpcClient {
  /** Sends the head and gives `exchange` its carrier. @throws HeddleError ERR_MESH_CLOSED, ERR_HEADER_INVALID, ERR_REQUEST_INVALID */
  abstract start(path: string, exchange: GrpcExchange, options: GrpcCallOptions): void;
  protected abstract maxReceiveBytes(options: GrpcCallOptions): number;
  protected abstract maxSendBytes(): number;

  /** One message each way. */
  async unary<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: GrpcCallOptions = {},
  ): Promise<Response> {
    const call = this.open(method, options);
    call.sendLast(request);
    return await call.only();
  }

  /** One message there, many back: read the call. */
  serverStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: GrpcCallOptions = {},
  ): GrpcCall<Request, Response> {
    const call = this.open(method, options);
    call.sendLast(request);
    return call;
  }

  /** Many messages there, as fast as the server takes them, one back. It may answer before all were sent. */
  async clientStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    requests: Iterable<Request> | AsyncIterable<Request>,
    options: GrpcCallOptions = {},
  ): Promise<Response> {
    const call = this.open(method, options);
    const sending = sendAll(call, requests);
    try {
      return await call.only();
    } catch (thrown) {
      throw sending.failure ?? thrown;
    }
  }

  /** Messages both ways, in any order. */
  open<Request, Response>(
    method: GrpcMethod<Request, Response>,
    options: GrpcCallOptions = {},
  ): GrpcCall<Request, Response> {
    const path = pathOf(method);
    if (!/^(\/[\w.$-]+)+$/.test(path)) {
      throw new HeddleError('ERR_REQUEST_INVALID', `gRPC method ${JSON.stringify(path)}`);
    }
    const call = new GrpcCall(method, this.maxSendBytes());
    const exchange = new GrpcExchange(this.maxReceiveBytes(options), call);
    call.begin(exchange, options.signal);
    if (!exchange.isOver) this.start(path, exchange, options);
    return call;
  }
}

/** Sends until the source or the call is over. @returns what the source threw, once it has: it is why the call was cancelled */
function sendAll<Request>(
  call: GrpcCall<Request, unknown>,
  requests: Iterable<Request> | AsyncIterable<Request>,
): { readonly failure: unknown } {
  const sending = { failure: undefined as unknown, isOver: false };
  void call.outcome.then(() => {
    sending.isOver = true;
  });
  const send = async (): Promise<void> => {
    try {
      for await (const request of requests) {
        if (sending.isOver) return;
        await call.send(request);
      }
      call.end();
    } catch (thrown) {
      sending.failure = thrown;
      call.cancel();
    }
  };
  void send();
  return sending;
}
