import type { ExtensionConfig } from './extension.ts';

/** When a host is taken out because of its answers. */
export interface OutlierDetectionConfig {
  /** 5xx answers, resets and failed connects in a row; 0 = off (5). */
  readonly consecutiveErrors: number;
  /** Answers 502, 503 and 504 in a row, resets and failed connects included; 0 = off (0). */
  readonly consecutiveGatewayErrors: number;
  /** Failed connects, resets and timeouts count by themselves, answers by themselves (false). */
  readonly splitLocalOriginErrors: boolean;
  /** With `splitLocalOriginErrors`: failed connects, resets and timeouts in a row; 0 = off (5). */
  readonly consecutiveLocalOriginErrors: number;
  /** Takes out hosts that succeed much less often than the others (off). */
  readonly successRate?: SuccessRateConfig | undefined;
  /** Takes out hosts that fail too often, whatever the others do (off). */
  readonly failurePercentage?: FailurePercentageConfig | undefined;
  /** Takes out hosts that fail several times as often as all together: MOSN's fault tolerance (off). */
  readonly relativeErrorRate?: RelativeErrorRateConfig | undefined;
  /** How often rates are looked at, over the requests since the last time (10000). */
  readonly intervalMs: number;
  /** First ejection; grows with each further one (30000). */
  readonly baseEjectionMs: number;
  /** Longest ejection (300000). */
  readonly maxEjectionMs: number;
  /** Share of hosts that may be ejected; one always may (10). */
  readonly maxEjectionPercent: number;
  /** An active check that succeeds ends an ejection (true). */
  readonly healthyCheckReturns: boolean;
}

/** Ejects hosts whose success rate lies below mean - stdevFactor * standard deviation of all. */
export interface SuccessRateConfig {
  /** Hosts with enough requests that are needed for a comparison (5). */
  readonly minHosts: number;
  /** Requests of a host within the interval to be compared (100). */
  readonly requestVolume: number;
  /** (1.9). */
  readonly stdevFactor: number;
}

/** Ejects hosts of whose requests at least this share fail. */
export interface FailurePercentageConfig {
  /** Per cent of failed requests (85). */
  readonly thresholdPercent: number;
  /** Hosts with enough requests that are needed (5). */
  readonly minHosts: number;
  /** Requests of a host within the interval to be judged (50). */
  readonly requestVolume: number;
}

/** Ejects hosts whose error rate is at least `multiple` times that of the whole cluster. */
export interface RelativeErrorRateConfig {
  /** (5). */
  readonly multiple: number;
  /** Requests of a host within the interval to be compared (10). */
  readonly requestVolume: number;
}

/**
 * Active checks of the hosts of a cluster: a kind by name with its configuration, and when to ask. A host that joins gets
 * traffic from its first good check on, whatever the threshold; one that served before checks began keeps it until they fail.
 */
export interface HealthCheckConfig extends ExtensionConfig {
  /** The kind: http | tcp, or one of your own. */
  readonly name: string;
  /** Configuration of that kind, see below. */
  readonly config?: unknown;
  /** From the end of one check of a host to the next (5000). */
  readonly intervalMs: number;
  /** A check that has not ended by then has failed (1000). */
  readonly timeoutMs: number;
  /** Good checks in a row that make an unhealthy host healthy (2). */
  readonly healthyThreshold: number;
  /** Failed checks in a row that make a healthy host unhealthy (3). */
  readonly unhealthyThreshold: number;
  /** Each wait is longer by up to this much, by chance (0). */
  readonly intervalJitterMs: number;
  /** Each wait is longer by up to this share of itself, by chance (10). */
  readonly intervalJitterPercent: number;
  /** The first check of a host waits up to this long, by chance (as long as it takes to spread many hosts: 0.5 ms each). */
  readonly initialJitterMs?: number | undefined;
  /** Interval of healthy hosts while the cluster gets no traffic (60000). */
  readonly noTrafficIntervalMs: number;
  /** Interval of hosts that are unhealthy (that of the others). */
  readonly unhealthyIntervalMs?: number | undefined;
  /** Checks of a host use one connection for as long as it lasts; false: each makes its own (true). */
  readonly reuseConnection: boolean;
  /** Checks of this cluster at once; the others wait their turn (100). */
  readonly maxConcurrent: number;
}
