/** Everything that moves bytes between processes: clock, wires, listeners, pools. Public as `heddle/transport`. */
export { createFileAccess } from './files.ts';
export { FlushList } from './flush.ts';
export {
  bytesMethod,
  GrpcCall,
  type GrpcCallOptions,
  GrpcChannel,
  type GrpcChannelOptions,
  GrpcMetadata,
  type GrpcMethod,
  type GrpcOutcome,
  GrpcStatus,
  type GrpcSurroundings,
  grpcStatusOfError,
  type MetadataInit,
  type MetadataValue,
} from './grpc/index.ts';
export { Listener } from './listener/listener.ts';
export type { ListenerLimits, ListenerOptions, ListenPlace, SocketSource } from './listener/options.ts';
export { createPool, type PoolSetup } from './pool/index.ts';
export { createResolver, type ResolverOptions } from './resolver.ts';
export { createKeepAlive, DrivenWheel, type KeepAlive, SystemClock } from './system-clock.ts';
export {
  type HandleChannel,
  HandOverReceiver,
  type HandOverResult,
  HandOverSender,
  processChannel,
} from './upgrade/index.ts';
export { formatAddress, parseAddress, type SocketAddress } from './wire/address.ts';
export { createDialer } from './wire/dial.ts';
export { SocketWire } from './wire/socket-wire.ts';
