/**
 * Log-linear buckets: 16 equal steps per power of two, from 2^-8 to 2^20 (for milliseconds: 4 us to 17.5 minutes).
 * The bucket is the exponent and the first four mantissa bits of the double itself, so finding it is a shift and a
 * subtraction (2 ns), and every value inside the range is known to 1/32 of itself.
 *
 *   index   0           1 ................ 448        449
 *           < 2^-8      [lower, upper)                >= 2^20
 */
const stepBits = 4;
const firstExponent = -8;
const lastExponent = 20;
const firstWord = (firstExponent + 1023) << stepBits;
const innerBuckets = (lastExponent - firstExponent) << stepBits;

export const bucketCount = innerBuckets + 2;
/** Numbers of one histogram: the buckets, then the sum and the count. */
export const histogramWidth = bucketCount + 2;
export const sumAt = histogramWidth - 2;
export const countAt = histogramWidth - 1;
const lowest = 2 ** firstExponent;

/** Lower border of a bucket; 0 for the first. */
export function bucketLower(index: number): number {
  if (index <= 0) return 0;
  const step = index - 1;
  const exponent = firstExponent + (step >> stepBits);
  return 2 ** exponent * (1 + (step & ((1 << stepBits) - 1)) / (1 << stepBits));
}

/** Upper border (exclusive) of a bucket; Infinity for the last. */
export function bucketUpper(index: number): number {
  return index >= bucketCount - 1 ? Number.POSITIVE_INFINITY : bucketLower(index + 1);
}

/** Finds buckets. Owns the scratch word, so that two meshes share nothing. */
export class BucketFinder {
  readonly #double = new Float64Array(1);
  readonly #words = new Uint32Array(this.#double.buffer);
  readonly #high = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

  /** Bucket of `value`; NaN and negative numbers count as 0. */
  find(value: number): number {
    if (!(value >= lowest)) return 0;
    this.#double[0] = value;
    const index = ((this.#words[this.#high] as number) >>> (20 - stepBits)) - firstWord + 1;
    return index < bucketCount ? index : bucketCount - 1;
  }
}

/**
 * The value at `quantile` (0 to 1) of `histogramWidth` numbers that begin at `offset`: the middle of its bucket, NaN
 * when nothing was recorded.
 */
export function quantileOf(numbers: ArrayLike<number>, quantile: number, offset = 0): number {
  const count = numbers[offset + countAt] as number;
  if (!(count > 0)) return Number.NaN;
  const rank = Math.max(1, Math.ceil(quantile * count));
  let seen = 0;
  for (let index = 0; index < bucketCount; index++) {
    seen += numbers[offset + index] as number;
    if (seen >= rank) return middleOf(index);
  }
  return bucketLower(bucketCount - 1);
}

function middleOf(index: number): number {
  if (index === 0) return 0;
  if (index === bucketCount - 1) return bucketLower(index);
  return (bucketLower(index) + bucketUpper(index)) / 2;
}
