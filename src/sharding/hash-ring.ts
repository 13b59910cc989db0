import { mix32 } from './hash.ts';
import { lastOf } from './steps.ts';
import { Xxh64 } from './xxh64.ts';

/** Owners fit into 21 bits, so that a 32-bit point and its owner are one double that sorts natively. */
const ownerSpan = 2097152;

/** So much is done between two steps of a build: about 0.2 ms. */
const stepPoints = 256;
const stepCopies = 16_384;

/** Points on a circle of 2^32; each belongs to an owner, an index into the list the ring was made of. */
export class HashRing {
  readonly #points: Uint32Array;
  readonly #owners: Uint32Array;

  /** @param points in ascending order @param owners of each */
  constructor(points: Uint32Array, owners: Uint32Array) {
    this.#points = points;
    this.#owners = owners;
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
  return lastOf(ringSteps(packed));
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
  return lastOf(ketamaSteps(keys, weights, options));
}

/** Points that `ketamaRing` will have. */
export function ketamaSize(weights: readonly number[], { minSize, maxSize }: KetamaOptions): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lightest = weights.reduce((least, weight) => Math.min(least, weight), total) / total;
  return Math.min(Math.ceil(lightest * minSize) / lightest, maxSize);
}

/** As `ketamaRing`, in steps between which other work may be done. */
export function* ketamaSteps(
  keys: readonly string[],
  weights: readonly number[],
  options: KetamaOptions,
): Generator<void, HashRing> {
  if (keys.length === 0) return yield* ringSteps(new Float64Array(0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = ketamaSize(weights, options);
  const packed = new Float64Array(Math.ceil(scale) + 1);
  const hash = new Xxh64();
  let wanted = 0;
  let count = 0;
  for (const [owner, key] of keys.entries()) {
    wanted += (scale * (weights[owner] as number)) / total;
    for (let i = 0; count < wanted - 1e-9; i++) {
      packed[count++] = hash.hashText(`${key}_${i}`).high * ownerSpan + owner;
      if (count % stepPoints === 0) yield;
    }
  }
  return yield* ringSteps(packed.subarray(0, count));
}

/**
 * Sorts the points by parts of the circle, so that no step takes long: points are hashes, the parts are about as large.
 * @param packed `point * 2^21 + owner` each, in any order
 */
function* ringSteps(packed: Float64Array): Generator<void, HashRing> {
  const count = packed.length;
  const shift = 32 - Math.min(16, Math.max(0, Math.ceil(Math.log2(count / 1024 + 1))));
  const partOf = (value: number): number => (shift === 32 ? 0 : (value / ownerSpan) >>> shift);
  const ends = new Uint32Array((shift === 32 ? 1 : 2 ** (32 - shift)) + 1);
  for (let i = 0; i < count; i++) {
    const part = partOf(packed[i] as number) + 1;
    ends[part] = (ends[part] as number) + 1;
    if (i % stepCopies === stepCopies - 1) yield;
  }
  for (let part = 1; part < ends.length; part++)
    ends[part] = (ends[part] as number) + (ends[part - 1] as number);
  const starts = ends.slice();
  const sorted = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = packed[i] as number;
    const part = partOf(value);
    const at = starts[part] as number;
    sorted[at] = value;
    starts[part] = at + 1;
    if (i % stepCopies === stepCopies - 1) yield;
  }
  const points = new Uint32Array(count);
  const owners = new Uint32Array(count);
  for (let part = 0; part + 1 < ends.length; part++) {
    const [start, end] = [ends[part] as number, ends[part + 1] as number];
    sorted.subarray(start, end).sort();
    for (let i = start; i < end; i++) {
      points[i] = Math.floor((sorted[i] as number) / ownerSpan);
      owners[i] = (sorted[i] as number) % ownerSpan;
    }
    yield;
  }
  return new HashRing(points, owners);
}
