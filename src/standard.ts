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
import { bolt } from './transport/codecs/bolt/index.ts';
import { dubbo } from './transport/codecs/dubbo/index.ts';
import { dubboThrift } from './transport/codecs/dubbo-thrift/index.ts';
import { http1 } from './transport/codecs/http1/index.ts';
import { http2 } from './transport/codecs/http2/index.ts';
import { tars } from './transport/codecs/tars/index.ts';
import { thrift, thriftHeader } from './transport/codecs/thrift/index.ts';
import { detect } from './transport/detect/index.ts';
import { grpcCheck } from './transport/health/grpc-check.ts';
import { httpCheck } from './transport/health/http-check.ts';
import { tcpCheck } from './transport/health/tcp-check.ts';
import { networkFault } from './transport/network-filters/fault/index.ts';
import { networkIpAccess } from './transport/network-filters/ip-access.ts';
import { proxyProtocol } from './transport/network-filters/proxy-protocol/index.ts';
import { tcpProxy } from './transport/network-filters/tcp-proxy/index.ts';
import { udpProxy } from './transport/network-filters/udp-proxy/index.ts';
import { nacosRegistry } from './transport/registries/nacos/index.ts';
import { zookeeperRegistry } from './transport/registries/zookeeper/index.ts';
import { directorySecrets } from './transport/tls/directory-source.ts';
import { transcode } from './transport/transcode/index.ts';

/** Every built-in extension, one line each. A user's own come through `createMesh(config, { use })`. */
export const standard: ExtensionSet = {
  codecs: [http1, http2, bolt, dubbo, dubboThrift, thrift, thriftHeader, tars, detect],
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
    transcode,
  ],
  networkFilters: [networkFault, networkIpAccess, proxyProtocol, tcpProxy, udpProxy],
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
  registries: [staticRegistry, fileRegistry, dnsRegistry, memoryRegistry, zookeeperRegistry, nacosRegistry],
  limiters: [localTokenBucket, concurrency, slidingWindow],
  healthChecks: [httpCheck, grpcCheck, tcpCheck],
  secretSources: [directorySecrets],
};
