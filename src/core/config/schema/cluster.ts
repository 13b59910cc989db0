import * as v from 'valibot';
import { healthCheck, outlierDetection } from './cluster-health.ts';
import { locality, sharding, subsets } from './cluster-selection.ts';
import { fields, textOr } from './combine.ts';
import { balancer, codec, discovery } from './extension.ts';
import { clusterTls } from './tls.ts';
import { count, hostAddress, integer, milliseconds, name } from './values.ts';

export const endpointObject = fields({
  address: hostAddress,
  weight: v.optional(integer(0, 1_000_000), 1),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
  zone: v.optional(v.string(), ''),
  priority: v.optional(integer(0, 127), 0),
  hostname: v.optional(v.string(), ''),
});

const endpoint = v.pipe(
  textOr(hostAddress, endpointObject),
  v.transform(
    (given): v.InferOutput<typeof endpointObject> =>
      typeof given === 'string'
        ? { address: given, weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' }
        : given,
  ),
);

const ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const retryBudget = fields({
  ratio: v.optional(ratio, 0.2),
  minConcurrent: v.optional(count, 3),
});

export const circuitBreakers = fields({
  maxConnections: v.optional(count, 1024),
  maxPending: v.optional(count, 1024),
  maxRequests: v.optional(count, 1024),
  maxRetries: v.optional(count, 3),
  retryBudget: v.optional(retryBudget),
});

export const pool = fields({
  preconnect: v.optional(integer(0, 10_000), 0),
  maxConnectionsPerHost: v.optional(count, 0),
  maxRequestsPerConnection: v.optional(count, 0),
  idleTimeoutMs: v.optional(milliseconds, 60_000),
});

export const proxyProtocol = fields({
  version: v.optional(v.picklist([1, 2]), 2),
});

export const cluster = fields({
  name,
  endpoints: v.optional(v.array(endpoint), []),
  discovery: v.optional(discovery),
  sharding: v.optional(sharding),
  loadBalancer: v.optional(balancer, 'roundRobin'),
  subsets: v.optional(subsets),
  locality: v.optional(locality),
  panicThresholdPercent: v.optional(integer(0, 100), 50),
  overprovisioningPercent: v.optional(integer(100, 10_000), 140),
  codec: v.optional(codec, 'http1'),
  tls: v.optional(clusterTls),
  proxyProtocol: v.optional(proxyProtocol),
  connectTimeoutMs: v.optional(integer(1, 2_147_483_647), 5000),
  circuitBreakers: v.optional(circuitBreakers, {}),
  outlierDetection: v.optional(outlierDetection, {}),
  healthCheck: v.optional(healthCheck),
  pool: v.optional(pool, {}),
});
