import type { RpcRequest } from '../../transport/rpc/message.ts';

/** Dubbo's generic invocation, `$invoke(name, types, args)`, as the call that it stands for. */
export function genericCallOf(request: RpcRequest): RpcRequest {
  if (request.method !== '$invoke' || request.args.length !== 3) return request;
  const [method, types, args] = request.args;
  if (typeof method !== 'string' || !Array.isArray(args)) return request;
  const argTypes = Array.isArray(types) ? types.map(String) : args.map(() => 'java.lang.Object');
  return { ...request, method, args: args as unknown[], argTypes };
}
