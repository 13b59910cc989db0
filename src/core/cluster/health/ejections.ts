import type { Clock, Timer } from '../../base/clock.ts';
import type { ClusterHost } from '../host.ts';
import { forgetRows } from './consecutive.ts';

export interface EjectionSettings {
  /** Length of the first ejection; the n-th lasts n times as long (30 s). */
  readonly baseEjectionMs: number;
  /** Longest ejection (300 s). */
  readonly maxEjectionMs: number;
  /** Share of the hosts that may be out at once (10). At least one may, as long as another is left; 0 = none. */
  readonly maxEjectionPercent: number;
}

/** What an ejection changes outside: the host set, metrics, the log. */
export interface EjectionObserver {
  /** Eligible hosts now, and those of them that may be chosen. */
  readonly eligibleCount: number;
  readonly healthyCount: number;
  onEjected(host: ClusterHost, kind: EjectionKind, durationMs: number): void;
  onRefused(host: ClusterHost, kind: EjectionKind): void;
  onReturned(host: ClusterHost): void;
}

export type EjectionKind =
  | 'consecutiveErrors'
  | 'consecutiveGatewayErrors'
  | 'consecutiveLocalOriginErrors'
  | 'successRate'
  | 'failurePercentage'
  | 'relativeErrorRate';

/** Hosts that are out for a while, and the one timer that brings them back. */
export class Ejections {
  settings: EjectionSettings;
  readonly #clock: Clock;
  readonly #observer: EjectionObserver;
  readonly #out = new Set<ClusterHost>();
  #timer: Timer | null = null;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(settings: EjectionSettings, clock: Clock, observer: EjectionObserver) {
    this.settings = settings;
    this.#clock = clock;
    this.#observer = observer;
  }

  get count(): number {
    return this.#out.size;
  }

  get hosts(): ReadonlySet<ClusterHost> {
    return this.#out;
  }

  /** Takes the host out, if so many may be. */
  eject(host: ClusterHost, kind: EjectionKind): boolean {
    if (host.isRemoved || host.ejectedUntilMs !== 0) return false;
    if (!this.#mayEject()) {
      this.#observer.onRefused(host, kind);
      return false;
    }
    const nowMs = this.#clock.now();
    host.ejections = this.#ejectionsNow(host, nowMs) + 1;
    const durationMs = Math.min(
      this.settings.baseEjectionMs * host.ejections,
      Math.max(this.settings.baseEjectionMs, this.settings.maxEjectionMs),
    );
    this.#takeOut(host, nowMs + durationMs);
    this.#observer.onEjected(host, kind, durationMs);
    return true;
  }

  /** Puts an ejection of a dump back. */
  restore(host: ClusterHost, ejections: number, remainingMs: number): void {
    host.ejections = ejections;
    if (remainingMs > 0) this.#takeOut(host, this.#clock.now() + remainingMs);
  }

  /** The host has left the cluster, or an active health check found it well. */
  forget(host: ClusterHost): boolean {
    host.ejectedUntilMs = 0;
    return this.#out.delete(host);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#out.clear();
  }

  /** One ejection is forgiven for each base time without another. */
  #ejectionsNow(host: ClusterHost, nowMs: number): number {
    if (host.ejections === 0) return 0;
    const forgiven = Math.floor((nowMs - host.sinceMs) / Math.max(1, this.settings.baseEjectionMs));
    return Math.max(0, host.ejections - Math.max(0, forgiven));
  }

  #mayEject(): boolean {
    const { maxEjectionPercent } = this.settings;
    const { eligibleCount, healthyCount } = this.#observer;
    if (maxEjectionPercent === 0 || healthyCount <= 1) return false;
    const out = this.#out.size + 1;
    return out === 1 || out * 100 <= maxEjectionPercent * eligibleCount;
  }

  #takeOut(host: ClusterHost, untilMs: number): void {
    host.ejectedUntilMs = untilMs;
    forgetRows(host);
    this.#out.add(host);
    if (untilMs < this.#dueMs) this.#schedule(untilMs);
  }

  #schedule(dueMs: number): void {
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.now()), () => this.#returnDue());
  }

  #returnDue(): void {
    const nowMs = this.#clock.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const host of this.#out) {
      if (host.ejectedUntilMs > nowMs) {
        nextMs = Math.min(nextMs, host.ejectedUntilMs);
        continue;
      }
      this.#out.delete(host);
      host.ejectedUntilMs = 0;
      host.sinceMs = nowMs;
      this.#observer.onReturned(host);
    }
    this.#timer = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (nextMs !== Number.POSITIVE_INFINITY) this.#schedule(nextMs);
  }
}
