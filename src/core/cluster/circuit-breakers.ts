import type { ConnectionPermits } from '../contract/cluster.ts';

/** Thresholds of one cluster; 0 = unlimited. */
export interface CircuitBreakerSettings {
  /** Connections to all hosts together (1,024). */
  readonly maxConnections: number;
  /** Streams waiting for a connection (1,024). */
  readonly maxPending: number;
  /** Streams in progress (1,024). */
  readonly maxRequests: number;
  /** Retries in progress (3). Not used when there is a budget. */
  readonly maxRetries: number;
  readonly retryBudget?: RetryBudgetSettings | undefined;
}

interface RetryBudgetSettings {
  /** Share of the streams in progress that may be retries, 0 to 1 (0.2). */
  readonly ratio: number;
  /** So many retries are allowed however few streams there are (3). */
  readonly minConcurrent: number;
}

/** Told what overflowed, and of a permit given back that nobody took. */
export interface CircuitBreakerObserver {
  onOverflow(kind: PermitKind): void;
  onBug(kind: PermitKind): void;
}

export type PermitKind = 'connections' | 'pending' | 'requests' | 'retries';

/**
 * Counts what is in progress. A count rises exactly when a `try` says true and falls by its release; it is never
 * negative (MOSN's max_retries drifts below zero and stops to limit). New thresholds leave the counts alone.
 */
export class CircuitBreakers implements ConnectionPermits {
  settings: CircuitBreakerSettings;
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;
  readonly #observer: CircuitBreakerObserver;

  constructor(settings: CircuitBreakerSettings, observer: CircuitBreakerObserver) {
    this.settings = settings;
    this.#observer = observer;
  }

  tryConnection(): boolean {
    const limit = this.settings.maxConnections;
    if (limit !== 0 && this.connections >= limit) return this.#overflow('connections');
    this.connections++;
    return true;
  }

  releaseConnection(): void {
    if (this.connections === 0) this.#observer.onBug('connections');
    else this.connections--;
  }

  tryPending(): boolean {
    const limit = this.settings.maxPending;
    if (limit !== 0 && this.pending >= limit) return this.#overflow('pending');
    this.pending++;
    return true;
  }

  releasePending(): void {
    if (this.pending === 0) this.#observer.onBug('pending');
    else this.pending--;
  }

  tryRequest(): boolean {
    const limit = this.settings.maxRequests;
    if (limit !== 0 && this.requests >= limit) return this.#overflow('requests');
    this.requests++;
    return true;
  }

  releaseRequest(): void {
    if (this.requests === 0) this.#observer.onBug('requests');
    else this.requests--;
  }

  /** With a budget: retries < max(minConcurrent, ratio * requests), as Envoy's retry_budget; it replaces maxRetries. */
  tryRetry(): boolean {
    const limit = this.#retryLimit();
    if (limit !== 0 && this.retries >= limit) return this.#overflow('retries');
    this.retries++;
    return true;
  }

  releaseRetry(): void {
    if (this.retries === 0) this.#observer.onBug('retries');
    else this.retries--;
  }

  #retryLimit(): number {
    const budget = this.settings.retryBudget;
    if (budget === undefined) return this.settings.maxRetries;
    const share = Math.floor(Math.max(budget.minConcurrent, budget.ratio * this.requests));
    // A budget of nothing allows nothing, while maxRetries 0 means unlimited.
    return share === 0 ? -1 : share;
  }

  #overflow(kind: PermitKind): false {
    this.#observer.onOverflow(kind);
    return false;
  }
}
