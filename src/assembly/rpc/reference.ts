import { HeddleError } from '../../core/base/errors.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { CallEntry } from '../../core/stream/start-call.ts';
import { noAttachments, type RpcProtocol, type RpcRequest } from '../../transport/rpc/call.ts';
import type { RpcEngine } from '../../transport/rpc/engine.ts';
import { genericRequestOf } from '../../transport/rpc/generic.ts';
import { inferType } from '../../transport/rpc/java-types.ts';
import { RpcCall, type RpcResult } from './call.ts';

/** A service of another process, or of this one, that `mesh.rpc` calls. */
export interface RpcTarget {
  readonly protocol: RpcProtocol;
  /** Interface name, e.g. "com.example.Greeter". */
  readonly service: string;
  /** @default '' */
  readonly version?: string;
  /** Dubbo's group, SOFARPC's unique id. @default '' */
  readonly group?: string;
  /** What routes see as authority; without virtual hosts the name of a cluster. @default the service */
  readonly cluster?: string;
  /** Of calls that set none; 0 leaves it to the route. @default 0 */
  readonly timeoutMs?: number;
}

export interface RpcCallOptions {
  /** The whole call; the other end is told, too. 0: the route's limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Texts beside the arguments: Dubbo attachments, SOFARPC request properties. */
  readonly attachments?: Readonly<Record<string, string>>;
  /** Java types of the parameters, e.g. `['java.lang.String', 'long']`. @default what each argument looks like */
  readonly argTypes?: readonly string[];
  /** No answer is wanted: resolves when the request has left. @default false */
  readonly oneway?: boolean;
  /** Dubbo's generic invocation: plain objects stand for classes in both directions. @default false */
  readonly generic?: boolean;
  /** The inbound stream that causes this call: its trace goes on. */
  readonly parent?: Stream;
}

/** Made by the mesh: what a reference works with. */
export interface RpcCaller {
  readonly proxy: CallEntry;
  /** Of in-process calls; a reload changes it. Null where they enter another thread's. */
  pipeline(): Pipeline | null;
  isClosed(): boolean;
}

/**
 * Calls methods of one service. A call goes the way of `mesh.request`: the same filters, routes, balancers, retries,
 * metrics and logs. Get one from `mesh.rpc` and keep it.
 */
export class RpcReference {
  readonly target: RpcTarget;
  readonly #caller: RpcCaller;
  readonly #engine: RpcEngine;

  /** @internal use `mesh.rpc` */
  constructor(target: RpcTarget, caller: RpcCaller, engine: RpcEngine) {
    this.target = target;
    this.#caller = caller;
    this.#engine = engine;
  }

  /**
   * Calls a method and gives its result.
   *
   * @throws HeddleError ERR_RPC_EXCEPTION when the method threw (`context.remoteClass`, `context.remoteMessage`),
   *   ERR_RPC_REFUSED, ERR_RPC_VALUE, ERR_REQUEST_TIMEOUT and the other codes of `mesh.request`
   */
  async invoke(
    method: string,
    args: readonly unknown[] = [],
    options: RpcCallOptions = {},
  ): Promise<unknown> {
    return (await this.call(method, args, options)).value;
  }

  /** As `invoke`, with the attachments that came back. */
  call(method: string, args: readonly unknown[] = [], options: RpcCallOptions = {}): Promise<RpcResult> {
    if (this.#caller.isClosed()) return Promise.reject(new HeddleError('ERR_MESH_CLOSED', 'mesh.rpc'));
    const { signal } = options;
    if (signal?.aborted) {
      const cause: unknown = signal.reason;
      return Promise.reject(new HeddleError('ERR_REQUEST_ABORTED', 'the signal had fired before', { cause }));
    }
    return new Promise((resolve, reject) => {
      const frame = this.#engine.messages.encodeRequest(this.#request(method, args, options));
      this.#start(frame, options, new RpcCall(this.#engine, resolve, reject));
    });
  }

  #start(frame: Buffer, options: RpcCallOptions, call: RpcCall): void {
    const { proxy } = this.#caller;
    const s = proxy.acquire();
    try {
      this.#engine.readRequest(s.req, frame);
    } catch (thrown) {
      proxy.release(s);
      throw thrown;
    }
    s.req.authorityText = this.target.cluster ?? this.target.service;
    s.down = call;
    s.protocol = 'call';
    s.pipeline = this.#caller.pipeline();
    s.requestOwned = true;
    s.parent = options.parent ?? null;
    const timeoutMs = this.#timeoutMs(options);
    if (timeoutMs > 0) s.routeDeadlineMs = proxy.context.clock.now() + timeoutMs;
    if (options.signal) call.abortWith(proxy, s, options.signal);
    proxy.requestHead(s, frame, s.req.bodyStart, s.req.bodyEnd, true);
  }

  #timeoutMs(options: RpcCallOptions): number {
    const given = options.timeoutMs ?? this.target.timeoutMs ?? 0;
    if (Number.isInteger(given) && given >= 0 && given <= 0x7fffffff) return given;
    throw new HeddleError('ERR_OPTION_INVALID', `timeoutMs ${given}: an integer from 0 is needed`);
  }

  #request(method: string, args: readonly unknown[], options: RpcCallOptions): RpcRequest {
    const { service, version = '', group = '' } = this.target;
    const argTypes = options.argTypes ?? args.map(inferType);
    if (argTypes.length !== args.length) {
      throw new HeddleError('ERR_OPTION_INVALID', `${argTypes.length} argTypes for ${args.length} arguments`);
    }
    if (method === '') throw new HeddleError('ERR_OPTION_INVALID', 'the method has no name');
    const call = {
      service,
      version,
      group,
      method,
      args,
      argTypes,
      attachments: options.attachments ?? noAttachments,
      timeoutMs: this.#timeoutMs(options),
      isOneway: options.oneway ?? false,
    };
    if (options.generic !== true) return call;
    if (this.target.protocol !== 'dubbo') {
      throw new HeddleError('ERR_OPTION_INVALID', 'generic: only Dubbo has it');
    }
    return genericRequestOf(call, options.argTypes ?? null);
  }
}
