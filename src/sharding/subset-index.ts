import { BitIntersection, Bitmap } from './bitmap.ts';

type Metadata = Readonly<Record<string, string>>;

/** All slots whose metadata has one value under one key. */
class ValueSlots extends Bitmap {
  /** Number within its key, from 1. */
  readonly id: number;
  /** Time of the last change, on the index's own count. */
  changedAt = 0;

  constructor(id: number) {
    super();
    this.id = id;
  }
}

/** The slots that match all of some values; kept and brought up to date when it is asked for again. */
export class Subset {
  readonly values: readonly ValueSlots[];
  readonly slots = new BitIntersection();
  builtAt = -1;

  constructor(values: readonly ValueSlots[]) {
    this.values = values;
  }

  get isStale(): boolean {
    for (const value of this.values) if (value.changedAt > this.builtAt) return true;
    return false;
  }

  /** One of its values has no slot any more, so it has none either and may be forgotten. */
  get isDead(): boolean {
    for (const value of this.values) if (value.count === 0) return true;
    return false;
  }
}

/**
 * Subsets by metadata over stable slots: one bitmap per value of each key, intersections made on demand.
 *
 *   version=1   1 1 0 0 1 ...
 *   zone=a      0 1 0 1 1 ...        subset { version: 1, zone: a } = 0 1 0 0 1 ...
 *
 * A change touches one bit for each value and the time of that value; subsets that do not mention it stay as they are.
 * 50,000 slots, 5 keys and all 618 subsets take about 20 ms, where a scan for each subset takes 2.2 s.
 */
export class SubsetIndex {
  readonly keys: readonly string[];
  readonly #values: Map<string, ValueSlots>[];
  /** By key and id; ids of forgotten values are given anew. */
  readonly #byId: (ValueSlots | null)[][];
  readonly #freeIds: number[][];
  /** What is indexed: ids, `keys.length` a slot, in the order of the keys; 0 where there is none. Numbers: no work for the collector. */
  #indexed = new Uint32Array(1024);
  /** Slots put so far, at least. */
  #slots = 0;
  #time = 0;

  /** @param keys the metadata keys that subsets may ask for */
  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.#values = keys.map(() => new Map());
    this.#byId = keys.map(() => [null]);
    this.#freeIds = keys.map(() => []);
  }

  /** Puts a slot in, or brings one up to date. @param slot small: bitmaps are as long as the highest one */
  put(slot: number, metadata: Metadata): void {
    const count = this.keys.length;
    const first = slot * count;
    if (first + count > this.#indexed.length) this.#grow(first + count);
    if (slot >= this.#slots) this.#slots = slot + 1;
    const indexed = this.#indexed;
    for (let k = 0; k < count; k++) {
      const text = metadata[this.keys[k] as string];
      const value = text === undefined ? null : this.#valueOf(k, text);
      const before = indexed[first + k] as number;
      const now = value === null ? 0 : value.id;
      if (before === now) continue;
      if (before !== 0) this.#clear(this.#byId[k]?.[before] as ValueSlots, slot);
      if (value !== null) this.#set(value, slot);
      indexed[first + k] = now;
    }
  }

  remove(slot: number): void {
    const first = slot * this.keys.length;
    for (let k = 0; k < this.keys.length; k++) {
      const id = this.#indexed[first + k] ?? 0;
      if (id === 0) continue;
      this.#clear(this.#byId[k]?.[id] as ValueSlots, slot);
      this.#indexed[first + k] = 0;
    }
  }

  /**
   * The slots that have all these values, up to date.
   * @param criteria one value per key, in the order of `keys`; null where it does not matter
   * @returns null when a value is not known at all, or none is asked for
   */
  find(criteria: readonly (string | null)[]): Subset | null {
    const values: ValueSlots[] = [];
    for (let k = 0; k < criteria.length; k++) {
      const text = criteria[k] as string | null;
      if (text === null) continue;
      const value = this.#values[k]?.get(text);
      if (value === undefined || value.count === 0) return null;
      values.push(value);
    }
    if (values.length === 0) return null;
    const subset = new Subset(values);
    this.refresh(subset);
    return subset;
  }

  /** Brings a subset up to date. @returns whether it changed */
  refresh(subset: Subset): boolean {
    if (!subset.isStale) return false;
    subset.slots.intersect(subset.values);
    subset.builtAt = this.#time;
    return true;
  }

  /** Values known under a key; those without a slot are forgotten here. */
  valuesOf(key: string): string[] {
    const k = this.keys.indexOf(key);
    const values = this.#values[k];
    if (values === undefined) return [];
    for (const [text, value] of values) {
      if (value.count > 0) continue;
      values.delete(text);
      (this.#byId[k] as (ValueSlots | null)[])[value.id] = null;
      this.#freeIds[k]?.push(value.id);
    }
    return [...values.keys()];
  }

  #valueOf(k: number, text: string): ValueSlots {
    const values = this.#values[k] as Map<string, ValueSlots>;
    let value = values.get(text);
    if (value === undefined) {
      if (values.size > 64 && values.size > this.#slots * this.keys.length) {
        this.valuesOf(this.keys[k] as string);
      }
      const byId = this.#byId[k] as (ValueSlots | null)[];
      value = new ValueSlots(this.#freeIds[k]?.pop() ?? byId.length);
      byId[value.id] = value;
      values.set(text, value);
    }
    return value;
  }

  #grow(length: number): void {
    const larger = new Uint32Array(Math.max(length, this.#indexed.length * 2));
    larger.set(this.#indexed);
    this.#indexed = larger;
  }

  #set(value: ValueSlots, slot: number): void {
    value.set(slot);
    value.changedAt = ++this.#time;
  }

  #clear(value: ValueSlots, slot: number): void {
    value.clear(slot);
    value.changedAt = ++this.#time;
  }
}
