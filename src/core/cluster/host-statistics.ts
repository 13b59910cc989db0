import type { HostStatistics } from '../contract/cluster.ts';
import { Outcome, outcomeOf } from './health/passive.ts';

/** What was this long ago counts 1/e of what is now (10 s, as Finagle's peak EWMA). */
const windowMs = 10_000;

/**
 * How a host's recent tries went. A duration above the average replaces it at once and decays from there (Finagle's peak
 * EWMA): a host that turns slow is believed sooner than one that turns fast.
 */
export class HostRecord implements HostStatistics {
  durationMs = 0;
  clientErrorShare = 0;
  serverErrorShare = 0;
  updatedMs: number;
  #isNew = true;

  constructor(nowMs: number) {
    this.updatedMs = nowMs;
  }

  add(status: number, code: number, durationMs: number, nowMs: number): void {
    const outcome = outcomeOf(status, code);
    if (outcome === Outcome.unknown) return;
    const age = Math.max(0, nowMs - this.updatedMs);
    // Tries at the same moment must count too.
    const keep = Math.exp(-Math.max(age, 1) / windowMs);
    this.updatedMs = nowMs;
    if (this.#isNew) {
      this.#isNew = false;
      this.durationMs = durationMs;
    } else if (durationMs > this.durationMs) this.durationMs = durationMs;
    else this.durationMs = this.durationMs * keep + durationMs * (1 - keep);
    const isServerError = outcome === Outcome.serverError ? 1 : 0;
    const isClientError = status >= 400 && status < 500 ? 1 : 0;
    this.serverErrorShare = blend(this.serverErrorShare, isServerError);
    this.clientErrorShare = blend(this.clientErrorShare, isClientError);
  }
}

/** Over about the last 20 tries. */
function blend(average: number, value: number): number {
  return average + (value - average) / 20;
}
