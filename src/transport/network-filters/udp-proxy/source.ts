/** One client address: how many sessions it has, and how many datagrams it may still send. */
export class UdpSource {
  sessions = 0;
  #allowance: number;
  #filledMs: number;

  /** @param perSecond datagrams, 0 = unlimited; as many may come at once */
  constructor(perSecond: number, nowMs: number) {
    this.#allowance = perSecond;
    this.#filledMs = nowMs;
  }

  /** Takes leave for one datagram. The allowance fills evenly, so that a second has no edge to wait for. */
  mayPass(perSecond: number, nowMs: number): boolean {
    if (perSecond === 0) return true;
    const filled = ((nowMs - this.#filledMs) * perSecond) / 1000;
    this.#filledMs = nowMs;
    this.#allowance = Math.min(perSecond, this.#allowance + filled);
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}
