import type { Random } from '../../base/random.ts';
import type { Host } from '../../contract/cluster.ts';

/** Weights beyond these are cut (MOSN's fixHostWeight): a typing error must not starve everyone else. */
const minWeight = 1;
const maxWeight = 128;

export function clampWeight(weight: number): number {
  return weight < minWeight ? minWeight : weight > maxWeight ? maxWeight : weight;
}

/**
 * Earliest deadline first, as in Envoy and MOSN: a host's next deadline lies 1 / weight after its last, the earliest is
 * picked, equal ones in the order they were queued. A binary heap in typed arrays: `next` moves numbers only.
 */
export class EdfScheduler {
  readonly #weightOf: (host: Host) => number;
  readonly #slotOf = new Map<Host, number>();
  /** By slot. */
  readonly #hosts: (Host | null)[] = [];
  readonly #freeSlots: number[] = [];
  #deadlines = new Float64Array(16);
  #queuedAt = new Float64Array(16);
  #positions = new Int32Array(16);
  /** Slots in heap order. */
  #heap = new Int32Array(16);
  #size = 0;
  #now = 0;
  #ticket = 0;

  /** @param weightOf read each time a host is queued again, so it may change with load */
  constructor(weightOf: (host: Host) => number) {
    this.#weightOf = weightOf;
  }

  get size(): number {
    return this.#size;
  }

  has(host: Host): boolean {
    return this.#slotOf.has(host);
  }

  /**
   * @param random gives the first deadline a random place within the period (gRPC A58), so that many clients that start
   * together do not move in step; null: a full period from now
   */
  add(host: Host, random: Random | null): void {
    if (this.#slotOf.has(host)) return;
    const slot = this.#takeSlot();
    this.#hosts[slot] = host;
    this.#slotOf.set(host, slot);
    const period = 1 / this.#weightOf(host);
    this.#deadlines[slot] = this.#now + (random === null ? period : random.next() * period);
    this.#queuedAt[slot] = this.#ticket++;
    const at = this.#size++;
    this.#place(slot, at);
    this.#up(at);
  }

  remove(host: Host): void {
    const slot = this.#slotOf.get(host);
    if (slot === undefined) return;
    this.#slotOf.delete(host);
    this.#hosts[slot] = null;
    this.#freeSlots.push(slot);
    const at = this.#positions[slot] as number;
    const last = this.#heap[--this.#size] as number;
    if (last === slot) return;
    this.#place(last, at);
    this.#up(at);
    this.#down(this.#positions[last] as number);
  }

  clear(): void {
    this.#slotOf.clear();
    this.#hosts.length = this.#freeSlots.length = 0;
    this.#size = this.#ticket = this.#now = 0;
  }

  /** The host whose turn it is, queued again for its next; null when there is none. */
  next(): Host | null {
    if (this.#size === 0) return null;
    const slot = this.#heap[0] as number;
    const host = this.#hosts[slot] as Host;
    const deadline = this.#deadlines[slot] as number;
    this.#now = deadline;
    this.#deadlines[slot] = deadline + 1 / this.#weightOf(host);
    this.#queuedAt[slot] = this.#ticket++;
    this.#down(0);
    return host;
  }

  #takeSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    const slot = this.#hosts.length;
    this.#hosts.push(null);
    if (slot >= this.#heap.length) this.#grow();
    return slot;
  }

  #grow(): void {
    const length = this.#heap.length * 2;
    const copy = <A extends Float64Array | Int32Array>(into: A, from: A): A => {
      into.set(from);
      return into;
    };
    this.#deadlines = copy(new Float64Array(length), this.#deadlines);
    this.#queuedAt = copy(new Float64Array(length), this.#queuedAt);
    this.#positions = copy(new Int32Array(length), this.#positions);
    this.#heap = copy(new Int32Array(length), this.#heap);
  }

  #place(slot: number, at: number): void {
    this.#heap[at] = slot;
    this.#positions[slot] = at;
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#deadlines[a] as number;
    const second = this.#deadlines[b] as number;
    return (
      first < second || (first === second && (this.#queuedAt[a] as number) < (this.#queuedAt[b] as number))
    );
  }

  #up(from: number): void {
    const slot = this.#heap[from] as number;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as number;
      if (!this.#isBefore(slot, above)) break;
      this.#place(above, at);
      at = parent;
    }
    this.#place(slot, at);
  }

  #down(from: number): void {
    const size = this.#size;
    const slot = this.#heap[from] as number;
    let at = from;
    for (let child = at * 2 + 1; child < size; child = at * 2 + 1) {
      const right = child + 1;
      if (right < size && this.#isBefore(this.#heap[right] as number, this.#heap[child] as number))
        child = right;
      const below = this.#heap[child] as number;
      if (!this.#isBefore(below, slot)) break;
      this.#place(below, at);
      at = child;
    }
    this.#place(slot, at);
  }
}
