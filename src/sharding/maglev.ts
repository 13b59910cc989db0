import { Xxh64 } from './xxh64.ts';

/** A prime, as each table size must be; Envoy's and MOSN's. */
export const maglevSize = 65_537;
/** For more than 30,000 servers (MOSN's BigM). */
export const largeMaglevSize = 655_373;

export function maglevSizeFor(servers: number): number {
  return servers > 30_000 ? largeMaglevSize : maglevSize;
}

/**
 * Maglev's look-up table (Eisenbud et al., 2016), filled in turns by weight as Envoy does: even to a per cent, at the
 * price of moving some keys that no change concerns.
 */
export class MaglevTable {
  readonly #table: Uint32Array;
  readonly #servers: number;

  /** @param weights all above 0 */
  constructor(
    keys: readonly string[],
    weights: readonly number[],
    size: number = maglevSizeFor(keys.length),
  ) {
    this.#servers = keys.length;
    this.#table = keys.length === 0 ? new Uint32Array(0) : fill(keys, weights, size);
  }

  get size(): number {
    return this.#table.length;
  }

  /** @param hash 32 bits; the table must not be empty */
  lookUp(hash: number): number {
    return this.#table[hash % this.#table.length] as number;
  }

  /** Different servers in the order of the table from `hash` on, at most `count`. */
  walk(hash: number, count: number): number[] {
    const found = new Set<number>();
    const wanted = Math.min(count, this.#servers);
    for (let step = 0; step < this.size && found.size < wanted; step++) found.add(this.lookUp(hash + step));
    return [...found];
  }
}

function fill(keys: readonly string[], weights: readonly number[], size: number): Uint32Array {
  const count = keys.length;
  const free = 0xffffffff;
  const table = new Uint32Array(size).fill(free);
  const { next, skip } = permutations(keys, size);
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const due = new Float64Array(count);
  for (let turn = 1, filled = 0; filled < size; turn++) {
    for (let i = 0; i < count && filled < size; i++) {
      if (turn * (weights[i] as number) < (due[i] as number)) continue;
      due[i] = (due[i] as number) + heaviest;
      let at = next[i] as number;
      while (table[at] !== free) at = (at + (skip[i] as number)) % size;
      table[at] = i;
      next[i] = (at + (skip[i] as number)) % size;
      filled++;
    }
  }
  return table;
}

/** Where each server begins in the table and how far it jumps: two hashes of its key. */
function permutations(keys: readonly string[], size: number): { next: Uint32Array; skip: Uint32Array } {
  const hash = new Xxh64();
  const next = new Uint32Array(keys.length);
  const skip = new Uint32Array(keys.length);
  for (const [i, key] of keys.entries()) {
    next[i] = hash.hashText(key).modulo(size);
    skip[i] = hash.hashText(key, 1).modulo(size - 1) + 1;
  }
  return { next, skip };
}
