import { lateModule } from './core/base/late-module.ts';
import {
  leastConnection,
  leastRequest,
  maglev,
  peakEwma,
  random,
  rendezvous,
  ringHash,
  roundRobin,
  weighted,
} from './core/cluster/balancers/index.ts';
import type { ExtensionSet } from './core/config/extensions.ts';
import { lateExtension } from './core/config/late-extension.ts';
import { dnsRegistry, fileRegistry, staticRegistry } from './core/discovery/index.ts';
import { memoryRegistry } from './core/discovery/local/index.ts';
import { accessLog } from './core/filters/access-log.ts';
import { cors } from './core/filters/cors.ts';
import { fault } from './core/filters/fault.ts';
import { forwardedHeaders } from './core/filters/forwarded-headers.ts';
import { grpcMetrics } from './core/filters/grpc-metrics.ts';
import { grpcWeb } from './core/filters/grpc-web.ts';
import { headerMutation } from './core/filters/header-mutation.ts';
import { headerToMetadata } from './core/filters/header-to-metadata.ts';
import { hop } from './core/filters/hop.ts';
import { ipAccess } from './core/filters/ip-access.ts';
import { localRateLimit } from './core/filters/local-rate-limit.ts';
import { payloadLimit } from './core/filters/payload-limit.ts';
import { requestId } from './core/filters/request-id.ts';
import { concurrency } from './core/limit/concurrency.ts';
import { slidingWindow } from './core/limit/sliding-window.ts';
import { localTokenBucket } from './core/limit/token-bucket.ts';
import { http1 } from './transport/codecs/http1/index.ts';
import { httpCheck } from './transport/health/http-check.ts';
import { tcpCheck } from './transport/health/tcp-check.ts';
import { networkIpAccess } from './transport/network-filters/ip-access.ts';
import { directorySecrets } from './transport/tls/directory-source.ts';

const from = <Module>(name: string): Module => lateModule<Module>(name, import.meta.url)();

/**
 * Every built-in extension, one line each. A user's own come through `createMesh(config, { use })`. What is large and
 * few configurations name is loaded when one does: a stand-in has the name until then.
 */
export const standard: ExtensionSet = {
  codecs: [
    http1,
    lateExtension(
      'http2',
      () => from<typeof import('./transport/codecs/http2/index.ts')>('./transport/codecs/http2/index').http2,
    ),
    lateExtension(
      'bolt',
      () => from<typeof import('./transport/codecs/bolt/index.ts')>('./transport/codecs/bolt/index').bolt,
    ),
    lateExtension(
      'dubbo',
      () => from<typeof import('./transport/codecs/dubbo/index.ts')>('./transport/codecs/dubbo/index').dubbo,
    ),
    lateExtension(
      'dubbo-thrift',
      () =>
        from<typeof import('./transport/codecs/dubbo-thrift/index.ts')>(
          './transport/codecs/dubbo-thrift/index',
        ).dubboThrift,
    ),
    lateExtension(
      'thrift',
      () =>
        from<typeof import('./transport/codecs/thrift/index.ts')>('./transport/codecs/thrift/index').thrift,
    ),
    lateExtension(
      'thrift-header',
      () =>
        from<typeof import('./transport/codecs/thrift/index.ts')>('./transport/codecs/thrift/index')
          .thriftHeader,
    ),
    lateExtension(
      'tars',
      () => from<typeof import('./transport/codecs/tars/index.ts')>('./transport/codecs/tars/index').tars,
    ),
    lateExtension(
      'detect',
      () => from<typeof import('./transport/detect/index.ts')>('./transport/detect/index').detect,
    ),
  ],
  filters: [
    accessLog,
    cors,
    fault,
    forwardedHeaders,
    grpcMetrics,
    grpcWeb,
    headerMutation,
    headerToMetadata,
    hop,
    ipAccess,
    localRateLimit,
    payloadLimit,
    requestId,
    lateExtension(
      'transcode',
      () => from<typeof import('./transport/transcode/index.ts')>('./transport/transcode/index').transcode,
    ),
  ],
  networkFilters: [
    lateExtension(
      'fault',
      () =>
        from<typeof import('./transport/network-filters/fault/index.ts')>(
          './transport/network-filters/fault/index',
        ).networkFault,
    ),
    networkIpAccess,
    lateExtension(
      'proxy-protocol',
      () =>
        from<typeof import('./transport/network-filters/proxy-protocol/index.ts')>(
          './transport/network-filters/proxy-protocol/index',
        ).proxyProtocol,
    ),
    lateExtension(
      'tcp-proxy',
      () =>
        from<typeof import('./transport/network-filters/tcp-proxy/index.ts')>(
          './transport/network-filters/tcp-proxy/index',
        ).tcpProxy,
    ),
    lateExtension(
      'udp-proxy',
      () =>
        from<typeof import('./transport/network-filters/udp-proxy/index.ts')>(
          './transport/network-filters/udp-proxy/index',
        ).udpProxy,
    ),
  ],
  balancers: [
    roundRobin,
    weighted,
    random,
    leastRequest,
    leastConnection,
    peakEwma,
    ringHash,
    maglev,
    rendezvous,
  ],
  registries: [
    staticRegistry,
    fileRegistry,
    dnsRegistry,
    memoryRegistry,
    lateExtension(
      'zookeeper',
      () =>
        from<typeof import('./transport/registries/zookeeper/index.ts')>(
          './transport/registries/zookeeper/index',
        ).zookeeperRegistry,
    ),
    lateExtension(
      'nacos',
      () =>
        from<typeof import('./transport/registries/nacos/index.ts')>('./transport/registries/nacos/index')
          .nacosRegistry,
    ),
  ],
  limiters: [localTokenBucket, concurrency, slidingWindow],
  healthChecks: [
    httpCheck,
    lateExtension(
      'grpc',
      () =>
        from<typeof import('./transport/health/grpc-check.ts')>('./transport/health/grpc-check').grpcCheck,
    ),
    tcpCheck,
  ],
  secretSources: [directorySecrets],
};
