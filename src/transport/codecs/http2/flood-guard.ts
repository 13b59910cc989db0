import type { Clock } from '../../../core/base/clock.ts';
import type { Http2Config } from './config.ts';

const windowMs = 10_000;
/** A reader that gives back its window in small pieces is no attacker. */
const updatesPerData = 10;

/**
 * Counts what costs a peer nothing and us something (rapid reset, CVE-2023-44487; PING, SETTINGS, PRIORITY and empty
 * frame floods, CVE-2019-9511 to 9518). The clock is read when a limit is reached, not before.
 */
export class FloodGuard {
  readonly #limits: Http2Config['floods'];
  readonly #clock: Clock;
  #sinceMs: number;
  #streams = 0;
  #resets = 0;
  #pings = 0;
  #settings = 0;
  #priorities = 0;
  #updates = 0;
  #dataSent = 0;
  #empty = 0;

  constructor(config: Http2Config, clock: Clock) {
    this.#limits = config.floods;
    this.#clock = clock;
    this.#sinceMs = clock.now();
  }

  streamBegan(): void {
    this.#streams++;
  }

  dataSent(): void {
    this.#dataSent++;
  }

  /** Each of these returns true when it is too much. A stream that was reset before its answer was complete: */
  reset(): boolean {
    if (++this.#resets <= this.#limits.resets || this.#resets * 2 <= this.#streams) return false;
    return this.#isWithin();
  }

  ping(): boolean {
    return ++this.#pings > this.#limits.pings && this.#isWithin();
  }

  settings(): boolean {
    return ++this.#settings > this.#limits.settings && this.#isWithin();
  }

  priority(): boolean {
    return ++this.#priorities > this.#limits.priorities && this.#isWithin();
  }

  windowUpdate(): boolean {
    const allowed = this.#limits.windowUpdates + this.#dataSent * updatesPerData;
    return ++this.#updates > allowed && this.#isWithin();
  }

  emptyFrame(): boolean {
    return ++this.#empty > this.#limits.emptyFrames && this.#isWithin();
  }

  /** Was the last reset of the counts that recent? Otherwise a new period begins. */
  #isWithin(): boolean {
    const now = this.#clock.now();
    if (now - this.#sinceMs < windowMs) return true;
    this.#sinceMs = now;
    this.#streams = this.#resets = this.#pings = this.#settings = 0;
    this.#priorities = this.#updates = this.#dataSent = this.#empty = 0;
    return false;
  }
}
