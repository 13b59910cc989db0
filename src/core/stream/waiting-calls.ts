import { WheelNode } from '../base/timer-wheel.ts';
import type { ParkedCall } from '../contract/parked-call.ts';
import type { StreamProxy } from './proxy.ts';

/** How often limits are looked at; more rarely where very many calls wait. */
const lookMs = 20;
const rareLookMs = 100;
const many = 20_000;

/**
 * Parked calls and their limits. Nearly all are answered long before: instead of a wheel node each, whose neighbours in
 * the wheel are never in the cache, they stand in one list that is gone through now and then.
 */
export class WaitingCalls extends WheelNode {
  readonly #proxy: StreamProxy;
  readonly #calls: ParkedCall[] = [];

  constructor(proxy: StreamProxy) {
    super();
    this.#proxy = proxy;
  }

  add(call: ParkedCall): void {
    call.place = this.#calls.length;
    this.#calls.push(call);
    if (this.wheelSlot < 0) this.#armNext();
  }

  remove(call: ParkedCall): void {
    const last = this.#calls.pop() as ParkedCall;
    if (last === call) return;
    this.#calls[call.place] = last;
    last.place = call.place;
  }

  onDeadline(nowMs: number): void {
    // From the end: what is taken out is replaced by one that was looked at already.
    for (let i = this.#calls.length - 1; i >= 0; i--) {
      const call = this.#calls[i];
      if (call === undefined || call.dueMs === 0 || call.dueMs > nowMs) continue;
      this.#proxy.onStreamDeadline(call.core.unpark(call), nowMs);
    }
    if (this.#calls.length > 0) this.#armNext();
  }

  #armNext(): void {
    const { wheel, clock } = this.#proxy.context;
    wheel.arm(this, clock.now() + (this.#calls.length > many ? rareLookMs : lookMs));
  }
}
