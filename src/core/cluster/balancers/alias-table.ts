import type { Random } from '../../base/random.ts';

/** Draws an index in proportion to weights in constant time (Vose's alias method, 1991). */
export class AliasTable {
  readonly #probabilities: Float64Array;
  readonly #aliases: Uint32Array;

  /** @param weights at least one, none negative, not all 0 */
  constructor(weights: readonly number[]) {
    const count = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#probabilities = Float64Array.from(weights, (weight) => (weight * count) / total);
    this.#aliases = new Uint32Array(count);
    this.#pair();
  }

  draw(random: Random): number {
    const scaled = random.next() * this.#probabilities.length;
    const column = Math.floor(scaled);
    const isOwn = random.next() < (this.#probabilities[column] as number);
    return isOwn ? column : (this.#aliases[column] as number);
  }

  /** Fills each column that lacks probability from one that has too much. */
  #pair(): void {
    const probabilities = this.#probabilities;
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < probabilities.length; i++) ((probabilities[i] as number) < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const lacking = small.pop() as number;
      const giving = large.at(-1) as number;
      this.#aliases[lacking] = giving;
      const left = (probabilities[giving] as number) - (1 - (probabilities[lacking] as number));
      probabilities[giving] = left;
      if (left < 1) small.push(large.pop() as number);
    }
    // What is left differs from 1 by rounding only.
    for (const column of [...small, ...large]) probabilities[column] = 1;
  }
}
