import { HeddleError } from '../../core/base/errors.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { RpcOutcome } from '../../transport/rpc/call.ts';
import { protocolOf } from '../../transport/rpc/engine.ts';
import { statusNameOf } from '../../transport/rpc/status.ts';

/** What a caller's promise rejects with where the other end did not give a value. */
export function outcomeError(outcome: Exclude<RpcOutcome, { kind: 'value' }>, s: Stream): HeddleError {
  const { service, rpcMethod } = s.req;
  const where = {
    service,
    method: rpcMethod,
    cluster: s.cluster?.name ?? null,
    host: s.host?.address ?? null,
  };
  if (outcome.kind === 'exception') {
    const { className, message, stack } = outcome.exception;
    return new HeddleError('ERR_RPC_EXCEPTION', `${className}: ${message} (${service}.${rpcMethod})`, {
      context: {
        ...where,
        remoteClass: className,
        remoteMessage: message,
        remoteStack: stack,
        attachments: outcome.attachments,
      },
    });
  }
  const { status, message } = outcome;
  const protocol = protocolOf(s.res);
  const name = protocol === null ? `status ${status}` : statusNameOf(protocol, status);
  const context = { ...where, protocolStatus: status, statusName: name, remoteMessage: message };
  const detail = message === '' || message === name ? name : `${name}, ${message}`;
  const isTimeout = s.res.status === 504;
  return new HeddleError(
    isTimeout ? 'ERR_REQUEST_TIMEOUT' : 'ERR_RPC_REFUSED',
    `${detail} (${service}.${rpcMethod})`,
    { context },
  );
}
