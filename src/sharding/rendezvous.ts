import { pairHash, unit } from './hash.ts';

/**
 * Rendezvous (highest random weight; Thaler and Ravishankar, 1998) with weights: the server with the lowest
 * -ln(u) / weight is the client's first, and so on. A server that comes or goes moves only what is its own.
 */
export function rendezvousScore(clientHash: number, serverHash: number, weight: number): number {
  return weight > 0 ? -Math.log(unit(pairHash(clientHash, serverHash))) / weight : Number.POSITIVE_INFINITY;
}

/** Scores of all servers for one client, lowest first wanted; without weights their logarithm is not needed. */
export function rendezvousScores(
  clientHash: number,
  serverHashes: Uint32Array,
  weights: Float64Array | null,
  into: Float64Array,
): Float64Array {
  for (let i = 0; i < serverHashes.length; i++) {
    const server = serverHashes[i] as number;
    into[i] =
      weights === null
        ? 4294967295 - pairHash(clientHash, server)
        : rendezvousScore(clientHash, server, weights[i] as number);
  }
  return into;
}

/** Index of the client's first server, -1 when there is none. One pass. */
export function rendezvousFirst(
  clientHash: number,
  serverHashes: Uint32Array,
  weights: Float64Array | null,
): number {
  let best = -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < serverHashes.length; i++) {
    const hash = pairHash(clientHash, serverHashes[i] as number);
    const score = weights === null ? -hash : -Math.log(unit(hash)) / (weights[i] as number);
    if (score < lowest) {
      lowest = score;
      best = i;
    }
  }
  return best;
}

/** Indices of the `count` lowest scores in no order: a quickselect over a permutation, O(n) on average. */
export function lowest(scores: Float64Array, count: number): Uint32Array {
  const indices = Uint32Array.from(scores, (_, i) => i);
  if (count >= indices.length) return indices;
  let from = 0;
  let to = indices.length - 1;
  while (from < to) {
    const pivot = scores[indices[(from + to) >> 1] as number] as number;
    let left = from;
    let right = to;
    while (left <= right) {
      while ((scores[indices[left] as number] as number) < pivot) left++;
      while ((scores[indices[right] as number] as number) > pivot) right--;
      if (left > right) break;
      const swapped = indices[left] as number;
      indices[left++] = indices[right] as number;
      indices[right--] = swapped;
    }
    if (count <= right) to = right;
    else if (count >= left) from = left;
    else break;
  }
  return indices.subarray(0, count);
}
