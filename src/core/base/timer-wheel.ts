/**
 * A hashed timer wheel with intrusive nodes (Varghese and Lauck, 1987): arming and disarming link and unlink the
 * node itself, so a stream's timeout allocates nothing (AbortSignal.timeout costs 1.7 us, a wheel node about 10 ns).
 * Deadlines further away than one turn stay in their slot and are passed over until their turn comes.
 */
export abstract class WheelNode {
  /** Monotonic ms when `onDeadline` is due; 0 when not armed. May be moved later without re-arming. */
  deadlineMs = 0;
  wheelPrevious: WheelNode | null = null;
  wheelNext: WheelNode | null = null;
  wheelSlot = -1;

  /** Called once when due; the node is already unlinked and may be armed again. */
  abstract onDeadline(nowMs: number): void;
}

/** The standard resolution: a deadline fires at most this much late. */
const defaultTickMs = 10;
const defaultSlots = 1024;

export class TimerWheel {
  readonly tickMs: number;
  readonly #mask: number;
  readonly #heads: (WheelNode | null)[];
  #tick: number;
  #armed = 0;

  /** @param slots a power of two; one turn lasts `slots * tickMs`. */
  constructor(nowMs: number, tickMs: number = defaultTickMs, slots: number = defaultSlots) {
    this.tickMs = tickMs;
    this.#mask = slots - 1;
    this.#heads = new Array<WheelNode | null>(slots).fill(null);
    this.#tick = Math.floor(nowMs / tickMs);
  }

  /** Nodes armed now; the owner of the wheel stops its tick when this is 0. */
  get armed(): number {
    return this.#armed;
  }

  /**
   * Arms `node` for `deadlineMs`. A node whose deadline moves later only gets the new number: it is looked at when
   * its old slot comes round and linked again, so idle timeouts that every byte moves cost one store.
   */
  arm(node: WheelNode, deadlineMs: number): void {
    if (node.wheelSlot >= 0) {
      if (deadlineMs >= node.deadlineMs) {
        node.deadlineMs = deadlineMs;
        return;
      }
      this.#unlink(node);
    }
    node.deadlineMs = deadlineMs;
    this.#link(node);
  }

  disarm(node: WheelNode): void {
    if (node.wheelSlot >= 0) this.#unlink(node);
    node.deadlineMs = 0;
  }

  /** Ticks from the last `advance` to the next slot that holds a node, 0 when none does: how long an owner may sleep. */
  ticksToNext(): number {
    if (this.#armed === 0) return 0;
    for (let ahead = 1; ahead <= this.#mask + 1; ahead++) {
      if (this.#heads[(this.#tick + ahead) & this.#mask] !== null) return ahead;
    }
    return 0;
  }

  /** Fires what is due. Call it about every `tickMs`; a late call catches up, at most one turn of slots. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.tickMs);
    let steps = target - this.#tick;
    if (steps <= 0) return;
    if (steps > this.#mask + 1) {
      steps = this.#mask + 1;
      this.#tick = target - steps;
    }
    while (steps-- > 0) {
      this.#tick++;
      this.#runSlot(this.#tick & this.#mask, nowMs);
    }
  }

  #runSlot(slot: number, nowMs: number): void {
    const first = this.#heads[slot] as WheelNode | null;
    if (first === null) return;
    // Take the whole list off first: a callback may arm nodes, even into this slot.
    this.#heads[slot] = null;
    const due: WheelNode[] = [];
    for (let node: WheelNode | null = first; node !== null; ) {
      const next: WheelNode | null = node.wheelNext;
      this.#release(node);
      if (node.deadlineMs > nowMs) this.#link(node);
      else due.push(node);
      node = next;
    }
    for (const node of due) {
      // An earlier callback may have disarmed this node or armed it anew.
      if (node.wheelSlot >= 0 || node.deadlineMs === 0) continue;
      node.deadlineMs = 0;
      node.onDeadline(nowMs);
    }
  }

  #release(node: WheelNode): void {
    node.wheelPrevious = null;
    node.wheelNext = null;
    node.wheelSlot = -1;
    this.#armed--;
  }

  #link(node: WheelNode): void {
    const tick = Math.max(Math.ceil(node.deadlineMs / this.tickMs), this.#tick + 1);
    const slot = tick & this.#mask;
    const head = this.#heads[slot] as WheelNode | null;
    node.wheelPrevious = null;
    node.wheelNext = head;
    if (head !== null) head.wheelPrevious = node;
    this.#heads[slot] = node;
    node.wheelSlot = slot;
    this.#armed++;
  }

  #unlink(node: WheelNode): void {
    if (node.wheelPrevious === null) this.#heads[node.wheelSlot] = node.wheelNext;
    else node.wheelPrevious.wheelNext = node.wheelNext;
    if (node.wheelNext !== null) node.wheelNext.wheelPrevious = node.wheelPrevious;
    this.#release(node);
  }
}
