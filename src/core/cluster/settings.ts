import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { BalancerDefinition, UpstreamFactory } from '../contract/cluster.ts';
import type { LocalityConfig, SubsetsConfig } from '../contract/cluster-config.ts';
import type { ExtensionConfig } from '../contract/extension.ts';
import type { Logger } from '../contract/logger.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { CircuitBreakerSettings } from './circuit-breakers.ts';
import type { EjectionSettings } from './health/ejections.ts';
import type { ComparisonSettings } from './health/outlier.ts';

/** The part of a cluster's configuration that the cluster itself uses; the rest is the transport's and the registry's. */
export interface ClusterSettings {
  readonly name: string;
  /** Connect limit of one try (5 s). */
  readonly connectTimeoutMs: number;
  /** ({ name: 'roundRobin' }) */
  readonly loadBalancer: ExtensionConfig;
  readonly circuitBreakers: CircuitBreakerSettings;
  readonly outlierDetection: OutlierSettings;
  /** Per cent of healthy hosts below which all hosts get traffic (50); 0 = never. */
  readonly panicThresholdPercent?: number | undefined;
  /** Per cent by which a priority is taken to have more hosts than it needs before traffic spills over (140). */
  readonly overprovisioningPercent?: number | undefined;
  /** Balancing over zones (none). */
  readonly locality?: LocalityConfig | undefined;
  /** Subsets by metadata (none). */
  readonly subsets?: SubsetsConfig | undefined;
  /** Make upstreams as soon as hosts are known (pool.preconnect above 0), not on first use. */
  readonly pool?: { readonly preconnect: number } | undefined;
}

export interface OutlierSettings extends EjectionSettings, ComparisonSettings {
  /** 5xx answers, failed connects, resets and timeouts in a row that eject a host (5); 0 = off. */
  readonly consecutiveErrors: number;
}

/** What a cluster needs from outside. */
export interface ClusterDependencies {
  readonly createUpstream: UpstreamFactory;
  /** By name; the configuration chooses. */
  readonly balancers: ReadonlyMap<string, BalancerDefinition>;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export const defaultCircuitBreakers: CircuitBreakerSettings = {
  maxConnections: 1024,
  maxPending: 1024,
  maxRequests: 1024,
  maxRetries: 3,
};

export const defaultOutlierDetection: OutlierSettings = {
  consecutiveErrors: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 10,
};

export const defaultPanicThresholdPercent = 50;

/** Settings with every default; for tests and callers without the configuration loader. */
export function clusterSettings(given: Partial<ClusterSettings> & { name: string }): ClusterSettings {
  return {
    connectTimeoutMs: 5000,
    loadBalancer: { name: 'roundRobin' },
    circuitBreakers: defaultCircuitBreakers,
    outlierDetection: defaultOutlierDetection,
    panicThresholdPercent: defaultPanicThresholdPercent,
    ...given,
  };
}
