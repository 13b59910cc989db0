import type { ParkedCall } from '../../../core/contract/parked-call.ts';
import type { Stream } from '../../../core/contract/stream.ts';

/** What stands in a place: a call without its stream where nothing needs one. */
export type InFlight = Stream | ParkedCall;

const firstPlaces = 16;

/**
 * Requests that a client has sent and that are not answered: by `id & mask`, the id itself being the stream's `upId`.
 * A place that is taken is passed over, so that ids stay unique among those in progress.
 */
export class SentTable {
  size = 0;
  /** The id that was given last. */
  lastId = 0;
  #streams: (InFlight | null)[] = [];
  #mask = -1;
  #isWrapped = false;

  /** Takes the next free id for `s`: sets `s.upId`. */
  add(s: Stream): number {
    if (this.size * 2 > this.#mask) this.#grow();
    let id = this.nextId();
    while (this.#streams[id & this.#mask] !== null) id = this.nextId();
    this.#streams[id & this.#mask] = s;
    this.size++;
    s.upId = id;
    return id;
  }

  /** 31 bits: peers that read ids as signed integers agree. */
  nextId(): number {
    if (this.lastId === 0x7fffffff) {
      this.lastId = 0;
      this.#isWrapped = true;
    }
    return ++this.lastId;
  }

  /** Has this id been given? An answer to another is no answer of ours. */
  hasGiven(id: number): boolean {
    return this.#isWrapped || (id > 0 && id <= this.lastId);
  }

  /** Removes and returns who waits for `id`; null: nobody, or no more. */
  take(id: number): InFlight | null {
    if (this.size === 0) return null;
    const place = id & this.#mask;
    const s = this.#streams[place] as InFlight | null;
    if (s === null || s.upId !== id) return null;
    this.#streams[place] = null;
    this.size--;
    return s;
  }

  /** False: `s` is not in here. */
  remove(s: Stream): boolean {
    const place = s.upId & this.#mask;
    if (this.size === 0 || this.#streams[place] !== s) return false;
    this.#streams[place] = null;
    this.size--;
    return true;
  }

  has(s: Stream): boolean {
    return this.size > 0 && this.#streams[s.upId & this.#mask] === s;
  }

  /** `next` takes the place of `before`, if that still has it. */
  replace(before: InFlight, next: InFlight): void {
    const place = before.upId & this.#mask;
    if (this.size > 0 && this.#streams[place] === before) this.#streams[place] = next;
  }

  visit(run: (call: InFlight) => void): void {
    // The table may grow or be emptied by what is called.
    for (let i = 0; i < this.#streams.length; i++) {
      const call = this.#streams[i] as InFlight | null;
      if (call !== null) run(call);
    }
  }

  /** Empties the table. */
  takeAll(): InFlight[] {
    const all = this.#streams.filter((s) => s !== null);
    this.#streams = [];
    this.#mask = -1;
    this.size = 0;
    return all;
  }

  #grow(): void {
    const before = this.#streams;
    const places = before.length === 0 ? firstPlaces : before.length * 2;
    this.#streams = new Array<InFlight | null>(places).fill(null);
    this.#mask = places - 1;
    // Twice as many places never make two of one: places that differed still do.
    for (const s of before) if (s !== null) this.#streams[s.upId & this.#mask] = s;
  }
}

/**
 * Requests that a server has received and not answered. The client's id, 64 bits where the protocol has as many, stays
 * here; the stream carries the number of its place as `downId`.
 */
export class ReceivedTable {
  size = 0;
  #streams: (InFlight | null)[] = [];
  #ids: number[] = [];
  #idHighs: number[] = [];
  #free: number[] = [];

  add(s: InFlight, id: number, idHigh: number): void {
    const place = this.#free.pop() ?? this.#streams.length;
    this.#streams[place] = s;
    this.#ids[place] = id;
    this.#idHighs[place] = idHigh;
    this.size++;
    s.downId = place;
  }

  has(s: InFlight): boolean {
    return this.#streams[s.downId] === s;
  }

  /** `next` takes the place of `before`, if that still has it. */
  replace(before: InFlight, next: InFlight): void {
    if (this.#streams[before.downId] === before) this.#streams[before.downId] = next;
  }

  idOf(s: InFlight): number {
    return this.#ids[s.downId] as number;
  }

  idHighOf(s: InFlight): number {
    return this.#idHighs[s.downId] as number;
  }

  remove(s: InFlight): void {
    this.#streams[s.downId] = null;
    this.size--;
    if (this.size > 0) this.#free.push(s.downId);
    else this.#shrink();
  }

  takeAll(): InFlight[] {
    const all = this.#streams.filter((s) => s !== null);
    this.size = 0;
    this.#shrink();
    return all;
  }

  /** Nothing is in progress: what a burst needed is given back. */
  #shrink(): void {
    if (this.#streams.length > firstPlaces) {
      this.#streams = [];
      this.#ids = [];
      this.#idHighs = [];
    } else {
      this.#streams.length = 0;
    }
    this.#free.length = 0;
  }
}
