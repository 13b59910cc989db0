import type { Random } from '../base/random.ts';
import type { WeightedTarget } from '../contract/route.ts';

/**
 * Chooses by cumulative weights with one uniform draw: each target gets exactly its share, weight 0 gets nothing.
 * @param weights whole numbers with a sum of 1 to 2^32 - 1
 */
export function createWeightedPick<T = WeightedTarget>(
  targets: readonly T[],
  weights: readonly number[],
  random: Random,
): () => T {
  const used: T[] = [];
  const bounds: number[] = [];
  let sum = 0;
  weights.forEach((weight, index) => {
    if (weight === 0) return;
    sum += weight;
    bounds.push(sum);
    used.push(targets[index] as T);
  });
  const total = sum;
  return () => {
    const draw = Math.floor(random.next() * total);
    let index = 0;
    while (draw >= (bounds[index] as number)) index++;
    return used[index] as T;
  };
}
