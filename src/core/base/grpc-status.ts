import { Code } from './codes.ts';

/** Statuses of gRPC calls (grpc/grpc doc/statuscodes.md). */
export const GrpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;
export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

/** Indexed by status: the names of the specification. */
export const grpcStatusNames: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** "NOT_FOUND" for 5; "UNKNOWN" for a number that is none. */
export function grpcStatusName(status: number): string {
  return grpcStatusNames[status] ?? 'UNKNOWN';
}

/** The value of a `grpc-status` field; a text that is no status reads as unknown, as every implementation does. */
export function readGrpcStatus(text: string): number {
  const status = /^\d{1,2}$/.test(text) ? Number(text) : GrpcStatus.unknown;
  return status < grpcStatusNames.length ? status : GrpcStatus.unknown;
}

/** What an answer of HTTP without `grpc-status` means (grpc/grpc doc/http-grpc-status-mapping.md). */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.internal;
    case 401:
      return GrpcStatus.unauthenticated;
    case 403:
      return GrpcStatus.permissionDenied;
    case 404:
      return GrpcStatus.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.unavailable;
    default:
      return GrpcStatus.unknown;
  }
}

/**
 * As HTTP would have said it (google/rpc/code.proto). UNIMPLEMENTED is 404 instead of 501: a caller who asks for what is
 * not there says nothing about the host.
 */
const httpStatuses: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 404, 500, 503, 500, 401,
];

export function httpStatusOfGrpc(status: number): number {
  return httpStatuses[status] ?? 500;
}

/** Why a stream ended early, as a gRPC status. */
export function grpcStatusOfCode(code: number): number {
  switch (code) {
    case Code.none:
      return GrpcStatus.unknown;
    case Code.downstreamClosed:
    case Code.downstreamIdle:
    case Code.aborted:
      return GrpcStatus.cancelled;
    case Code.requestTimeout:
    case Code.headerTimeout:
    case Code.perTryTimeout:
    case Code.routeTimeout:
    case Code.streamIdle:
    case Code.upstreamIdle:
    case Code.maxDuration:
      return GrpcStatus.deadlineExceeded;
    case Code.headersTooLarge:
    case Code.uriTooLong:
    case Code.payloadTooLarge:
    case Code.bufferOverflow:
      return GrpcStatus.resourceExhausted;
    case Code.noRoute:
      return GrpcStatus.unimplemented;
    case Code.downstreamProtocol:
    case Code.upstreamProtocol:
    case Code.upgradeRefused:
    case Code.filterFailed:
    case Code.filterClosed:
      return GrpcStatus.internal;
    default:
      return GrpcStatus.unavailable;
  }
}
