import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { BalancerDefinition, Endpoint, UpstreamFactory } from '../contract/cluster.ts';
import type { LocalityConfig, SubsetsConfig } from '../contract/cluster-config.ts';
import type { HealthCheckConfig, OutlierDetectionConfig } from '../contract/cluster-health-config.ts';
import type { ExtensionConfig } from '../contract/extension.ts';
import type { HostProbe } from '../contract/health-check.ts';
import type { Logger } from '../contract/logger.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { CircuitBreakerSettings } from './circuit-breakers.ts';
import type { EjectionSettings } from './health/ejections.ts';

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
  /** Active checks (none). */
  readonly healthCheck?: HealthCheckConfig | undefined;
  /** Make upstreams as soon as hosts are known (pool.preconnect above 0), not on first use. */
  readonly pool?: { readonly preconnect: number } | undefined;
}

/** Kinds that are not named are off. */
export type OutlierSettings = EjectionSettings &
  Pick<OutlierDetectionConfig, 'consecutiveErrors'> &
  Partial<OutlierDetectionConfig>;

/** What a cluster needs from outside. */
export interface ClusterDependencies {
  readonly createUpstream: UpstreamFactory;
  /** By name; the configuration chooses. */
  readonly balancers: ReadonlyMap<string, BalancerDefinition>;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** For clusters with active checks. */
  readonly checks?: CheckDependencies | undefined;
  /** Told when a host becomes healthy or unhealthy, by checks or by ejection (nobody). */
  readonly onHealthChange?: ((address: string, isHealthy: boolean) => void) | undefined;
}

/** What active checks need: the wheel they wait on, and who asks. */
export interface CheckDependencies {
  readonly wheel: TimerWheel;
  /** Called again when a reload changed the check or how hosts are dialled. */
  openProbes(settings: ClusterSettings, check: HealthCheckConfig): (host: Endpoint) => HostProbe;
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
