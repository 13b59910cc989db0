/**
 * Heddle: a service mesh that a Node.js service imports.
 * @example
 * import { createMesh } from 'heddle';
 * await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: ['127.0.0.1:8080'] }] });
 * const user = await (await mesh.fetch('http://users/42')).json();
 */
export type { ClusterExplanation } from './assembly/explain/cluster.ts';
export type { RouteOutcome } from './assembly/explain/outcome.ts';
export type { ExplainRequest, Explanation } from './assembly/explain/request.ts';
export type { UsedModule } from './assembly/extension-modules.ts';
export type { FetchHandler } from './assembly/handler-upstream.ts';
export type { RpcResult } from './assembly/rpc/call.ts';
export type { RpcCallOptions, RpcReference, RpcTarget } from './assembly/rpc/reference.ts';
export type { RpcService, RpcServiceOptions } from './assembly/rpc/rpc-services.ts';
export type { RpcHandler, RpcMethod, RpcServiceCall } from './assembly/rpc/service-table.ts';
export type { Surroundings } from './assembly/runtime.ts';
export {
  type ConfigFileOptions,
  checkConfigFile,
  loadConfigFile,
  requireLoaded,
} from './config-file.ts';
export { type ErrorCode, type ErrorSource, errorCodes, type RetryAdvice } from './core/base/error-codes.ts';
export { HeddleError, messageOf } from './core/base/errors.ts';
export { type ConfigChange, changesBetween } from './core/config/changes.ts';
export { type CheckResult, checkConfig } from './core/config/check.ts';
export { type ConfigDiff, diffConfig } from './core/config/diff.ts';
export { type DumpOptions, dumpConfig } from './core/config/dump.ts';
export type { UsedExtension } from './core/config/extensions.ts';
export { defineConfig, type MeshConfig } from './core/config/input.ts';
export type { ConfigDialect, LoadResult } from './core/config/load.ts';
export { formatNotices, type Notice } from './core/config/mosn/index.ts';
export { formatProblems, type Problem } from './core/config/problems.ts';
export { planReload, type ReloadStep } from './core/config/reload-plan.ts';
export type { Balancer, BalancerDefinition, Endpoint, Host, HostSet } from './core/contract/cluster.ts';
export type { EffectiveConfig } from './core/contract/config.ts';
export type { LogFields, Logger, LogLevel } from './core/contract/logger.ts';
export {
  type FilterContext,
  type StreamFilter,
  type StreamFilterDefinition,
  Verdict,
} from './core/contract/stream-filter.ts';
export { createJsonLogger, silentLogger } from './core/observe/logger.ts';
export type {
  PooledAnswer,
  PooledFilterModule,
  PooledHook,
  PooledMessage,
} from './core/offload/filter-job.ts';
export type { PoolBounds } from './core/offload/pool-bounds.ts';
export { type PooledFilter, pooledFilter } from './core/offload/pooled-filter.ts';
export type { MeshResponse } from './core/stream/call.ts';
export type { CallBody, CallOptions } from './core/stream/start-call.ts';
export { createMesh } from './create-mesh.ts';
export type { MeshDispatcher } from './embedding/dispatcher/dispatcher.ts';
export type { MeshGrpc } from './embedding/grpc/mesh-grpc.ts';
export type { MeshAgent } from './embedding/http/agent.ts';
export type { ProtectedServer } from './embedding/ingress/ingress.ts';
export { interceptOutbound } from './embedding/outbound.ts';
export type { CallAnswer, MeshPort } from './embedding/port.ts';
export {
  type ClusterSocket,
  clusterSocket,
  type RedisConnectorClass,
  redisConnector,
} from './embedding/tcp/cluster-socket.ts';
export { type ExplainPlace, explain } from './explain.ts';
export { Mesh, type MeshOptions, type ReloadResult } from './mesh.ts';
export type { MeshApi, MeshHealth, MeshReloadOptions, WorkerOptions } from './mesh-api.ts';
export { type OpenAdmin, openAdmin } from './open-admin.ts';
export { Standalone, type StandaloneMonitor, type StandaloneOptions, startStandalone } from './standalone.ts';
export { standard } from './standard.ts';
export { Supervisor, type SupervisorOptions, startSupervisor } from './supervisor.ts';
export {
  bytesMethod,
  GrpcCall,
  type GrpcCallOptions,
  GrpcClient,
  GrpcMetadata,
  type GrpcMethod,
  GrpcStatus,
  grpcStatusOfError,
} from './transport/grpc/index.ts';
export type { RpcProtocol } from './transport/rpc/call.ts';
export { JavaException } from './transport/rpc/exception.ts';
export type { TypedValue } from './transport/rpc/java-types.ts';
export {
  type CertificateFiles,
  CertificateFolder,
  type IssueOptions,
  type RevocationFile,
  type RotationResult,
} from './transport/tls/x509/folder.ts';
export { version } from './version.ts';
