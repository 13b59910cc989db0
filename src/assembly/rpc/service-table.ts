import { HeddleError } from '../../core/base/errors.ts';
import type { RpcRequest } from '../../transport/rpc/call.ts';

/** What a method gets besides its arguments. */
export interface RpcServiceCall {
  readonly service: string;
  readonly version: string;
  readonly group: string;
  readonly method: string;
  /** Java types that the caller named. */
  readonly argTypes: readonly string[];
  readonly attachments: Readonly<Record<string, string>>;
  /** Texts to send back beside the value. */
  readonly responseAttachments: Record<string, string>;
  /** Address of the caller, "" for calls of this process. */
  readonly peerAddress: string;
  /** Aborts when the caller went away or its time is up. */
  readonly signal: AbortSignal;
}

/** One method: gets the arguments, then the call. What it returns, or the promise gives, is the result. */
// biome-ignore lint/suspicious/noExplicitAny: methods declare their own parameters
export type RpcMethod = (...args: any[]) => unknown;

/** All methods in one. */
export type RpcHandler = (args: readonly unknown[], call: RpcServiceCall) => unknown;

export interface Service {
  readonly service: string;
  readonly version: string;
  readonly group: string;
  readonly methods: Readonly<
    Record<string, RpcMethod | { readonly returns: string; readonly handler: RpcMethod }>
  > | null;
  readonly handler: RpcHandler | null;
}

/** What is called, found. */
export interface FoundMethod {
  readonly run: (args: readonly unknown[], call: RpcServiceCall) => unknown;
  /** Java type of the result; "": what it looks like. */
  readonly returns: string;
}

/** Services by name, version and group. */
export class ServiceTable {
  readonly #services = new Map<string, Service>();

  get size(): number {
    return this.#services.size;
  }

  /** @throws HeddleError ERR_RPC_SERVICE when it is there already */
  add(service: Service): void {
    const key = keyOf(service);
    if (this.#services.has(key)) throw new HeddleError('ERR_RPC_SERVICE', `${key} is provided already`);
    this.#services.set(key, service);
  }

  remove(service: Service): void {
    this.#services.delete(keyOf(service));
  }

  /** The method, or why there is none. */
  find(request: RpcRequest): FoundMethod | string {
    const service = this.#services.get(keyOf(request));
    if (service === undefined) return `no service ${keyOf(request)}`;
    if (service.handler !== null) return { run: service.handler, returns: '' };
    const { methods } = service;
    // Names come from strangers: what an object inherits is no method.
    const found =
      methods !== null && Object.hasOwn(methods, request.method) ? methods[request.method] : undefined;
    if (found === undefined) return `no method ${request.method} in ${keyOf(request)}`;
    const method = typeof found === 'function' ? found : found.handler;
    const returns = typeof found === 'function' ? '' : found.returns;
    return { run: (args, call) => method.call(methods, ...args, call), returns };
  }
}

/** "0.0.0" is Dubbo's way to say none. */
function keyOf({ service, version, group }: { service: string; version: string; group: string }): string {
  const own = version === '0.0.0' ? '' : version;
  return `${service}${own === '' ? '' : `:${own}`}${group === '' ? '' : `@${group}`}`;
}
