import { WheelNode } from '../base/timer-wheel.ts';
import type { CallWay, ParkedCall, ParkingClient } from '../contract/parked-call.ts';
import type { StreamProxy } from './proxy.ts';

/** How often limits are looked at; more rarely where very many calls wait. */
const lookMs = 20;
const rareLookMs = 100;
const many = 20_000;

/**
 * The limits of parked calls. Nearly all are answered long before: instead of a wheel node or a list of their own, which
 * would touch cold memory twice a call, the tables of the connections are gone through now and then.
 */
export class WaitingCalls extends WheelNode {
  readonly #proxy: StreamProxy;
  readonly #ends = new Set<ParkingClient>();
  #seen = 0;
  #nowMs = 0;
  readonly #look = (call: ParkedCall): void => {
    this.#seen++;
    if (isDue(call, this.#nowMs)) this.#proxy.onStreamDeadline(call.core.unpark(call), this.#nowMs);
  };

  constructor(proxy: StreamProxy) {
    super();
    this.#proxy = proxy;
  }

  watch(end: ParkingClient): void {
    end.isWatched = true;
    this.#ends.add(end);
    if (this.wheelSlot < 0) this.#armNext(0);
  }

  onDeadline(nowMs: number): void {
    this.#nowMs = nowMs;
    let count = 0;
    for (const end of this.#ends) {
      this.#seen = 0;
      end.visitParked(this.#look);
      count += this.#seen;
      if (this.#seen > 0) continue;
      end.isWatched = false;
      this.#ends.delete(end);
    }
    if (this.#ends.size > 0) this.#armNext(count);
  }

  #armNext(count: number): void {
    const { wheel, clock } = this.#proxy.context;
    wheel.arm(this, clock.now() + (count > many ? rareLookMs : lookMs));
  }
}

function isDue(call: ParkedCall, nowMs: number): boolean {
  const { limitMs, idleTimeoutMs } = call.way as CallWay;
  const waitedMs = nowMs - call.startMs;
  return (limitMs > 0 && waitedMs >= limitMs) || (idleTimeoutMs > 0 && waitedMs >= idleTimeoutMs);
}
