import { HeddleError } from '../../core/base/errors.ts';
import { GrpcStatus, grpcStatusName } from '../../core/base/grpc-status.ts';
import type { GrpcOutcome } from './exchange.ts';
import { statusDetails } from './metadata.ts';

/**
 * What a call that did not end with OK is rejected with. `context`: `status` (number), `statusName`, `message`,
 * `details` (bytes of google.rpc.Status, or null), `trailers` (plain object), `reason` (why, where no answer of the
 * server ended it, else ""), `method`.
 */
export function grpcError(method: string, outcome: GrpcOutcome, cause?: unknown): HeddleError {
  const statusName = grpcStatusName(outcome.status);
  const said = outcome.message === '' ? '' : `: ${outcome.message}`;
  return new HeddleError('ERR_GRPC_STATUS', `${method} ${outcome.status} ${statusName}${said}`, {
    context: {
      status: outcome.status,
      statusName,
      message: outcome.message,
      details: outcome.trailers.getBinary(statusDetails),
      trailers: outcome.trailers.toObject(),
      reason: outcome.reason,
      method,
    },
    retry: outcome.unprocessed ? 'yes' : 'no',
    ...(cause !== undefined && { cause }),
  });
}

/** The status that an error of a call stands for; unknown (2) for any other error, ok (0) for none. */
export function grpcStatusOfError(error: unknown): number {
  if (error === null || error === undefined) return GrpcStatus.ok;
  const status = error instanceof HeddleError ? error.context['status'] : undefined;
  return error instanceof HeddleError && error.code === 'ERR_GRPC_STATUS' && typeof status === 'number'
    ? status
    : GrpcStatus.unknown;
}
