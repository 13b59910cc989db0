import type { Clock } from './clock.ts';

/** The health of one part with the time of its last change; the shape of `Health` in core/contract/state.ts. */
export class HealthRecord {
  status: 'ok' | 'degraded' | 'failed' = 'ok';
  reason = '';
  sinceMs: number;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.sinceMs = clock.wallNow();
  }

  /** @returns true when that changed something; `sinceMs` moves with the status only. */
  set(status: HealthRecord['status'], reason: string): boolean {
    if (status === this.status && reason === this.reason) return false;
    if (status !== this.status) this.sinceMs = this.#clock.wallNow();
    this.status = status;
    this.reason = reason;
    return true;
  }

  toHealth(): { status: HealthRecord['status']; reason: string; sinceMs: number } {
    return { status: this.status, reason: this.reason, sinceMs: this.sinceMs };
  }
}
