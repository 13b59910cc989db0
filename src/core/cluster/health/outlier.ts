import type { Clock, Timer } from '../../base/clock.ts';
import type {
  FailurePercentageConfig,
  OutlierDetectionConfig,
  RelativeErrorRateConfig,
  SuccessRateConfig,
} from '../../contract/cluster-health-config.ts';
import type { ClusterHost } from '../host.ts';
import type { EjectionKind } from './ejections.ts';
import { Outcome } from './passive.ts';

/** Comparison of the hosts of a cluster with each other; each part absent = off. */
export type ComparisonSettings = Partial<
  Pick<OutlierDetectionConfig, 'intervalMs' | 'successRate' | 'failurePercentage' | 'relativeErrorRate'>
>;

const defaultIntervalMs = 10_000;

/** Counts tries per host and compares the hosts once per interval; no timer runs while there is no traffic. */
export class Outliers {
  settings: ComparisonSettings;
  readonly #clock: Clock;
  readonly #eject: (host: ClusterHost, kind: EjectionKind) => void;
  /** Hosts with a try in this interval. */
  #seen: ClusterHost[] = [];
  #timer: Timer | null = null;

  constructor(
    settings: ComparisonSettings,
    clock: Clock,
    eject: (host: ClusterHost, kind: EjectionKind) => void,
  ) {
    this.settings = settings;
    this.#clock = clock;
    this.#eject = eject;
  }

  get isOn(): boolean {
    const { successRate, failurePercentage, relativeErrorRate } = this.settings;
    return successRate !== undefined || failurePercentage !== undefined || relativeErrorRate !== undefined;
  }

  add(host: ClusterHost, outcome: Outcome): void {
    if (outcome === Outcome.unknown || host.isRemoved) return;
    if (host.windowTries === 0) this.#seen.push(host);
    host.windowTries++;
    if (outcome === Outcome.serverError) host.windowErrors++;
    if (this.#timer === null) {
      const intervalMs = this.settings.intervalMs ?? defaultIntervalMs;
      this.#timer = this.#clock.setTimer(intervalMs, () => this.#compare());
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#seen = [];
  }

  #compare(): void {
    this.#timer = null;
    const seen = this.#seen;
    this.#seen = [];
    const { successRate, failurePercentage, relativeErrorRate } = this.settings;
    const worst: [ClusterHost, EjectionKind][] = [];
    if (successRate !== undefined) {
      for (const host of belowSuccess(seen, successRate)) worst.push([host, 'successRate']);
    }
    if (failurePercentage !== undefined) {
      for (const host of aboveShare(seen, failurePercentage)) worst.push([host, 'failurePercentage']);
    }
    if (relativeErrorRate !== undefined) {
      for (const host of aboveErrors(seen, relativeErrorRate)) worst.push([host, 'relativeErrorRate']);
    }
    // The worst first: there may not be room for all.
    worst.sort(([a], [b]) => errorRate(b) - errorRate(a));
    for (const [host, kind] of worst) this.#eject(host, kind);
    for (const host of seen) host.windowTries = host.windowErrors = 0;
  }
}

function errorRate(host: ClusterHost): number {
  return host.windowErrors / host.windowTries;
}

function belowSuccess(seen: readonly ClusterHost[], settings: SuccessRateConfig): ClusterHost[] {
  const hosts = seen.filter((host) => host.windowTries >= settings.requestVolume);
  if (hosts.length < settings.minHosts) return [];
  const mean = hosts.reduce((sum, host) => sum + errorRate(host), 0) / hosts.length;
  const variance = hosts.reduce((sum, host) => sum + (errorRate(host) - mean) ** 2, 0) / hosts.length;
  const limit = mean + settings.stdevFactor * Math.sqrt(variance);
  // All alike means nobody stands out; rounding must not make somebody.
  return hosts.filter((host) => errorRate(host) > limit + 1e-9);
}

function aboveShare(seen: readonly ClusterHost[], settings: FailurePercentageConfig): ClusterHost[] {
  const hosts = seen.filter((host) => host.windowTries >= settings.requestVolume);
  if (hosts.length < settings.minHosts) return [];
  return hosts.filter((host) => errorRate(host) * 100 >= settings.thresholdPercent);
}

function aboveErrors(seen: readonly ClusterHost[], settings: RelativeErrorRateConfig): ClusterHost[] {
  const tries = seen.reduce((sum, host) => sum + host.windowTries, 0);
  const errors = seen.reduce((sum, host) => sum + host.windowErrors, 0);
  if (errors === 0) return [];
  const limit = (settings.multiple * errors) / tries;
  return seen.filter((host) => host.windowTries >= settings.requestVolume && errorRate(host) >= limit);
}
