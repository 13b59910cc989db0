/** Our own gRPC client on the HTTP/2 codec: registries, control planes and services of the mesh itself are called by it. */
export { GrpcStatus } from '../../core/base/grpc-status.ts';
export { GrpcCall } from './call.ts';
export { GrpcChannel } from './channel.ts';
export { GrpcClient } from './client.ts';
export { grpcStatusOfError } from './errors.ts';
export type { GrpcOutcome } from './exchange.ts';
export { GrpcMetadata, type MetadataInit, type MetadataValue } from './metadata.ts';
export { bytesMethod, type GrpcMethod } from './method.ts';
export type { GrpcCallOptions, GrpcChannelOptions, GrpcSurroundings } from './options.ts';
