import { mix32 } from './hash.ts';
import { Xxh64 } from './xxh64.ts';

/** Owners fit into 21 bits, so that a 32-bit point and its owner are one double that sorts natively. */
const ownerSpan = 2097152;

/** Points on a circle of 2^32; each belongs to an owner, an index into the list the ring was made of. */
export class HashRing {
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;

  /** @param packed `point * 2^21 + owner` each, in any order; sorted in place */
  constructor(packed: Float64Array) {
    packed.sort();
    this.#points = Uint32Array.from(packed, (each) => Math.floor(each / ownerSpan));
    this.#owners = Uint32Array.from(packed, (each) => each % ownerSpan);
  }

  get size(): number {
    return this.#points.length;
  }

  /** Position of the first point at or after `hash`, round the circle. The ring must not be empty. */
  find(hash: number): number {
    const points = this.#points;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((points[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** @param position as `find` gave it, or any later one: it goes round */
  ownerAt(position: number): number {
    return this.#owners[position % this.#owners.length] as number;
  }

  /** Different owners in the order of the circle from `hash` on, at most `count`. */
  walk(hash: number, count: number): number[] {
    const found = new Set<number>();
    if (this.size === 0) return [];
    const start = this.find(hash);
    for (let step = 0; step < this.size && found.size < count; step++) found.add(this.ownerAt(start + step));
    return [...found];
  }
}

/** A ring with `pointsEach` points for each server, made from one hash each. */
export function pointRing(serverHashes: Uint32Array, pointsEach: number): HashRing {
  const packed = new Float64Array(serverHashes.length * pointsEach);
  let at = 0;
  for (const [owner, hash] of serverHashes.entries()) {
    for (let i = 0; i < pointsEach; i++) packed[at++] = ringPoint(hash, i) * ownerSpan + owner;
  }
  return new HashRing(packed);
}

/** The i-th point of a server. */
export function ringPoint(serverHash: number, i: number): number {
  return i === 0 ? serverHash : mix32(serverHash + Math.imul(i, 0x9e3779b9));
}

export interface KetamaOptions {
  /** Points at least; more when the lightest server needs it for a whole point. */
  readonly minSize: number;
  readonly maxSize: number;
}

/**
 * The ring of Envoy's ring_hash and gRPC's A42: XXH64 of `<key>_<i>`, points in proportion to weights. Two proxies with
 * the same list agree on it, whoever made them, down to ties within 32 bits.
 * @param weights all above 0
 */
export function ketamaRing(
  keys: readonly string[],
  weights: readonly number[],
  options: KetamaOptions,
): HashRing {
  if (keys.length === 0) return new HashRing(new Float64Array(0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lightest = weights.reduce((least, weight) => Math.min(least, weight), total) / total;
  const scale = Math.min(Math.ceil(lightest * options.minSize) / lightest, options.maxSize);
  const packed: number[] = [];
  const hash = new Xxh64();
  let wanted = 0;
  for (const [owner, key] of keys.entries()) {
    wanted += (scale * (weights[owner] as number)) / total;
    for (let i = 0; packed.length < wanted - 1e-9; i++) {
      packed.push(hash.hashText(`${key}_${i}`).high * ownerSpan + owner);
    }
  }
  return new HashRing(Float64Array.from(packed));
}
