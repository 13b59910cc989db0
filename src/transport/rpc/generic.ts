import type { RpcRequest } from './call.ts';

const genericTypes = ['java.lang.String', 'java.lang.String[]', 'java.lang.Object[]'];

/**
 * The same call as Dubbo's generic invocation, `$invoke(name, types, args)`: the provider makes its classes of plain
 * maps, and maps of its results.
 *
 * @param types null where nobody gave them: the provider knows them if the method's name is its only one
 */
export function genericRequestOf(request: RpcRequest, types: readonly string[] | null): RpcRequest {
  return {
    ...request,
    method: '$invoke',
    args: [request.method, types, request.args],
    argTypes: genericTypes,
    attachments: { ...request.attachments, generic: 'true' },
  };
}

/** The call that a generic invocation stands for; any other call as it is. */
export function genericCallOf(request: RpcRequest): RpcRequest {
  if (request.method !== '$invoke' || request.args.length !== 3) return request;
  const [method, types, args] = request.args;
  if (typeof method !== 'string' || !Array.isArray(args)) return request;
  const argTypes = Array.isArray(types) ? types.map(String) : args.map(() => 'java.lang.Object');
  return { ...request, method, args: args as unknown[], argTypes };
}
